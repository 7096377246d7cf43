"""The door's framing and connection rules, without I/O."""

import random
import typing

import msgspec
import pytest

from enclave.wire import answers, news, operations
from enclave.wire.envelope import Call, Code, Failure, News, Reply
from enclave.wire.frames import (
    ANSWER_LANES,
    LANE_BYTES_MAX,
    NOTICE_LANES,
    OPERATION_LANES,
    FrameFault,
    FrameReader,
    Lane,
    encode_frame,
)
from enclave.wire.limits import IN_FLIGHT_MAX, WIRE_VERSION
from enclave.wire.protocol import EnclaveSide, HostSide

ACCOUNT = "00000000-0000-4000-8000-000000000001"
HELLO = operations.Hello(wire_version=WIRE_VERSION, owner=True)
CASES = 10_000

encode = msgspec.msgpack.encode


def call_frame(call_id: object, operation: object, lane: Lane = Lane.CONTROL) -> bytes:
    return encode_frame(lane, encode([call_id, operation]))


def greeted() -> EnclaveSide:
    side = EnclaveSide()
    (call,) = side.receive(call_frame(1, HELLO))
    side.reply(call.id, welcome())
    side.take_outgoing()
    return side


def welcome() -> answers.Welcome:
    return answers.Welcome(
        wire_version=WIRE_VERSION, environment="local", boot="b", seal_kid="k", seal_public_key=bytes(65)
    )


def failures(side: EnclaveSide) -> list[Failure]:
    frames = FrameReader().receive(side.take_outgoing())
    return [msgspec.msgpack.decode(frame.payload, type=Failure) for frame in frames]


def test_frames_come_out_whole_however_the_stream_is_cut() -> None:
    payloads = [bytes([n]) * (n + 1) for n in range(50)]
    stream = b"".join(encode_frame(Lane(n % 2), payload) for n, payload in enumerate(payloads))
    dice = random.Random(7)
    for _ in range(200):
        reader, got, at = FrameReader(), [], 0
        while at < len(stream):
            step = dice.randint(1, 90)
            got += reader.receive(stream[at : at + step])
            at += step
        assert [frame.payload for frame in got] == payloads
        assert [frame.lane for frame in got] == [Lane(n % 2) for n in range(50)]


@pytest.mark.parametrize("lane", Lane)
def test_a_frame_over_its_lanes_limit_is_refused_at_its_header(lane: Lane) -> None:
    header = (LANE_BYTES_MAX[lane] + 1).to_bytes(4, "big") + bytes([lane])
    with pytest.raises(FrameFault) as fault:
        FrameReader().receive(header)
    assert fault.value.code is Code.TOO_LARGE
    with pytest.raises(FrameFault):
        encode_frame(lane, bytes(LANE_BYTES_MAX[lane] + 1))
    assert FrameReader().receive(encode_frame(lane, bytes(LANE_BYTES_MAX[lane])))


@pytest.mark.parametrize("header", [b"\0\0\0\0\0", b"\0\0\0\1\2", b"\0\0\0\1\xff"])
def test_an_empty_frame_or_an_unknown_lane_is_a_bad_frame(header: bytes) -> None:
    side = greeted()
    assert side.receive(header) == []
    assert side.closed
    assert failures(side) == [Failure(0, Code.BAD_FRAME)]


def test_every_operation_answer_and_notice_has_its_lane() -> None:
    assert set(OPERATION_LANES) == set(typing.get_args(operations.Operation))
    assert set(ANSWER_LANES) == set(typing.get_args(answers.Answer))
    assert set(NOTICE_LANES) == set(typing.get_args(news.Notice))


def test_a_call_on_the_wrong_lane_ends_the_connection() -> None:
    side = greeted()
    assert side.receive(call_frame(2, operations.Stats(), Lane.BULK)) == []
    assert failures(side) == [Failure(0, Code.BAD_FRAME)]
    assert side.closed
    assert side.receive(call_frame(3, operations.Stats())) == []


def test_nothing_is_done_before_the_hello_and_there_is_one_hello() -> None:
    side = EnclaveSide()
    assert side.receive(call_frame(1, operations.Stats())) == []
    assert side.receive(call_frame(2, operations.Hello(wire_version=WIRE_VERSION + 1, owner=True))) == []
    assert not side.owner
    assert side.receive(call_frame(3, HELLO)) == [Call(3, HELLO)]
    assert side.owner
    assert side.receive(call_frame(4, HELLO)) == []
    assert failures(side) == [Failure(n, Code.BAD_OPERATION) for n in (1, 2, 4)]


def test_the_65th_call_in_flight_is_busy_and_an_answer_makes_room() -> None:
    side = greeted()
    for n in range(IN_FLIGHT_MAX):
        assert side.receive(call_frame(10 + n, operations.Stats()))
    assert side.receive(call_frame(500, operations.Stats())) == []
    assert failures(side) == [Failure(500, Code.BUSY)]
    side.fail(10, Code.TIMEOUT)
    assert side.receive(call_frame(501, operations.Stats()))
    assert not side.closed


@pytest.mark.parametrize("call_id", [0, -1, 2**63, "1", None, 1.5])
def test_an_id_that_cannot_be_answered_ends_the_connection(call_id: object) -> None:
    side = greeted()
    assert side.receive(call_frame(call_id, operations.Stats())) == []
    assert failures(side) == [Failure(0, Code.BAD_FRAME)]


def test_an_id_in_use_ends_the_connection() -> None:
    side = greeted()
    assert side.receive(call_frame(5, operations.Stats()))
    assert side.receive(call_frame(5, operations.Stats())) == []
    assert failures(side) == [Failure(0, Code.BAD_FRAME)]


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "Exec", "line": "id"},
        {"type": "Stats", "more": 1},
        {"type": "NewAccountKey", "account": "../../etc"},
        {"type": "NewAccountKey", "account": ACCOUNT + "\n"},
        {"type": "NewAccountKey", "account": ACCOUNT.upper().replace("0", "A")},
        {"type": "NewAccountKey"},
        {"type": "TakeStore", "account": ACCOUNT, "epoch": -1},
        {"type": "ListContacts", "account": ACCOUNT, "epoch": 1, "after": "", "limit": 10**6},
        {"type": "Settle", "account": ACCOUNT, "epoch": 1, "secret": b"short", "after_version": 0},
        {"type": "CheckNumber", "account": ACCOUNT, "epoch": 1, "phone": "+49 151"},
        "Stats",
        None,
        [],
    ],
)
def test_an_operation_outside_the_closed_set_is_refused_and_the_connection_lives(operation: object) -> None:
    side = greeted()
    assert side.receive(call_frame(9, operation)) == []
    assert failures(side) == [Failure(9, Code.BAD_OPERATION)]
    assert side.receive(call_frame(9, operations.Stats())) == [Call(9, operations.Stats())]


def test_an_answer_too_large_for_its_lane_becomes_a_code() -> None:
    side = greeted()
    side.receive(call_frame(2, operations.Stats()))
    side.reply(2, answers.Picture(picture_id="1", image=bytes(LANE_BYTES_MAX[Lane.CONTROL])))
    assert failures(side) == [Failure(2, Code.TOO_LARGE)]


def test_host_and_enclave_understand_each_other() -> None:
    host, enclave = HostSide(), EnclaveSide()
    call_id, data = host.call(HELLO)
    (call,) = enclave.receive(data)
    enclave.reply(call.id, welcome())
    notice = News(ACCOUNT, 3, news.Ended(status=-9))
    enclave.tell(notice)
    assert host.receive(enclave.take_outgoing()) == [Reply(call_id, welcome()), notice]


def test_the_host_drops_an_enclave_that_answers_what_was_not_asked() -> None:
    for message in (Reply(7, answers.Done()), Failure(7, Code.BUSY), Failure(0, Code.BAD_FRAME)):
        with pytest.raises(FrameFault):
            HostSide().receive(encode_frame(Lane.CONTROL, encode(message)))
    with pytest.raises(FrameFault):
        HostSide().receive(encode_frame(Lane.CONTROL, b"\xc1"))


def valid_calls() -> list[bytes]:
    store = answers.SealedStore(
        v=1, environment="local", key_version=1, version=3, clean=True, nonce=bytes(12), ciphertext=bytes(50)
    )
    session = {"account": ACCOUNT, "epoch": 1}
    return [
        call_frame(2, operations.Stats()),
        call_frame(3, operations.NewAccountKey(account=ACCOUNT)),
        call_frame(4, operations.TakeStore(**session)),
        call_frame(5, operations.ListContacts(**session, after="", limit=20)),
        call_frame(6, operations.Settle(**session, secret=bytes(32), after_version=3)),
        call_frame(
            7,
            operations.OpenSession(**session, wrapped_key=bytes(61), jid="1:2@s.whatsapp.net", store=store, dirty=True),
            Lane.BULK,
        ),
    ]


def mutated(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed))
        match dice.randrange(5):
            case 0:
                changed[at] = dice.randrange(256)
            case 1:
                changed.insert(at, dice.randrange(256))
            case 2:
                del changed[at : at + dice.randint(1, 9)]
            case 3:
                changed[at:at] = dice.randbytes(dice.randint(1, 40))
            case 4:
                changed[at:at] = bytes([0x91]) * dice.randint(1, 3000)
        changed = changed or bytearray(1)
    return bytes(changed)


def test_10000_mutated_streams_bring_only_whole_calls_and_codes() -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    valid = valid_calls()
    outcomes = {"calls": 0, "failures": 0, "closed": 0}
    for case in range(CASES):
        side = greeted()
        stream = b"".join(dice.choices(valid, k=2))
        calls = side.receive(mutated(dice, stream))
        for call in calls:
            assert type(call.operation) in OPERATION_LANES, (seed, case)
        told = failures(side)  # decodes strictly: an id and a code of the closed set, nothing else
        assert not side.closed or told[-1].id == 0, (seed, case)
        outcomes["calls"] += len(calls)
        outcomes["failures"] += len(told)
        outcomes["closed"] += side.closed
    assert all(count > CASES / 100 for count in outcomes.values()), outcomes  # the cases reach every branch
