"""What the client says means what the tables say, for every row; and every row names something the client has."""

import importlib
import sys
from types import ModuleType
from typing import Any

import pytest

from enclave.session import classify, library
from enclave.session.classify import of_event, of_log_line, of_login_status, of_send_error
from enclave.session.pipe import SessionNotice
from enclave.wire.answers import Certainty, NotSent, SendTrouble
from enclave.wire.news import (
    Banned,
    Connected,
    ConnectFailed,
    Drained,
    DrainStarted,
    Dropped,
    KeepAliveLost,
    LoggedOut,
    Outdated,
    PairTrouble,
    PhoneSeen,
    Receipt,
    ReceiptKind,
    Replaced,
    Restarted,
    StreamFailed,
)

OWN = frozenset({"4915100000001", "900000000000001"})


@pytest.fixture(scope="module")
def protos() -> ModuleType:
    if "neonize" not in sys.modules:
        library.import_binding()
    return importlib.import_module("neonize.proto.Neonize_pb2")


def raw(protos: ModuleType) -> Any:
    return protos.Node(Tag="failure")


def jid(protos: ModuleType, user: str, server: str = "s.whatsapp.net", device: int = 0) -> Any:
    return protos.JID(User=user, RawAgent=0, Device=device, Integrator=0, Server=server)


def receipt(protos: ModuleType, kind: str, sender: str = "4917200000000", device: int = 0) -> Any:
    nobody = jid(protos, "")
    source = protos.MessageSource(
        Chat=jid(protos, "123456", "lid"),
        Sender=jid(protos, sender, device=device),
        IsFromMe=False,
        IsGroup=False,
        SenderAlt=nobody,
        RecipientAlt=nobody,
        BroadcastListOwner=nobody,
    )
    number = protos.Receipt.DESCRIPTOR.enum_types_by_name["ReceiptType"].values_by_name[kind].number
    return protos.Receipt(MessageSource=source, MessageIDs=["A", "B"], Timestamp=1_700_000_000, Type=number)


REASONS = [
    ("GENERIC", ConnectFailed(code=400)),
    ("TEMP_BANNED", ConnectFailed(code=402)),
    ("BAD_USER_AGENT", Outdated(code=409)),
    ("CLIENT_OUTDATED", Outdated(code=405)),
    ("INTERNAL_SERVER_ERROR", ConnectFailed(code=500)),
    ("EXPERIMENTAL", ConnectFailed(code=501)),
    ("SERVICE_UNAVAILABLE", ConnectFailed(code=503)),
]


@pytest.mark.parametrize(("reason", "notice"), REASONS)
def test_a_connect_failure_is_told_by_its_code(protos: ModuleType, reason: str, notice: SessionNotice) -> None:
    event = protos.ConnectFailure(Reason=reason, Message="", Raw=raw(protos))
    assert of_event(9, event, OWN) == [notice]


@pytest.mark.parametrize(("reason", "code"), [("LOGGED_OUT", 401), ("MAIN_DEVICE_GONE", 403), ("UNKNOWN_LOGOUT", 406)])
def test_a_logout_is_told_by_its_code(protos: ModuleType, reason: str, code: int) -> None:
    assert of_event(6, protos.LoggedOut(OnConnect=True, Reason=reason), OWN) == [LoggedOut(code=code)]


BANS = [
    ("SEND_TO_TOO_MANY_PEOPLE", 101),
    ("BLOCKED_BY_USERS", 102),
    ("CREATED_TOO_MANY_GROUPS", 103),
    ("SENT_TOO_MANY_SAME_MESSAGE", 104),
    ("BROADCAST_LIST", 106),
]


@pytest.mark.parametrize(("reason", "code"), BANS)
def test_a_ban_is_told_by_its_code(protos: ModuleType, reason: str, code: int) -> None:
    assert of_event(8, protos.TemporaryBan(Code=reason, Expire=3600), OWN) == [Banned(code=code, expire_s=3600)]


STREAM_CODES = [
    ("409", Replaced()),
    ("516", StreamFailed(code=516)),
    ("429", StreamFailed(code=429)),
    ("", StreamFailed(code=0)),
    ("odd", StreamFailed(code=0)),
]


@pytest.mark.parametrize(("code", "notice"), STREAM_CODES)
def test_a_stream_error_is_told_by_its_code(protos: ModuleType, code: str, notice: SessionNotice) -> None:
    assert of_event(11, protos.StreamError(Code=code, Raw=raw(protos)), OWN) == [notice]


def test_the_events_without_a_choice_are_told_as_they_are(protos: ModuleType) -> None:
    told = [
        of_event(3, protos.Connected(status=True), OWN),
        of_event(4, protos.KeepAliveTimeout(ErrorCount=2, LastSuccess=0), OWN),
        of_event(7, protos.StreamReplaced(), OWN),
        of_event(10, protos.ClientOutdated(), OWN),
        of_event(12, protos.Disconnected(status=True), OWN),
        of_event(26, protos.OfflineSyncPreview(Total=9, AppDataChanges=0, Message=9, Notifications=0, Receipts=0), OWN),
        of_event(27, protos.OfflineSyncCompleted(Count=9), OWN),
    ]
    assert [notice for notices in told for notice in notices] == [
        Connected(),
        KeepAliveLost(count=2),
        Replaced(),
        Outdated(code=405),
        Dropped(),
        DrainStarted(total=9),
        Drained(),
    ]


RECEIPTS = [
    ("DELIVERED", ReceiptKind.DELIVERED),
    ("INACTIVE", ReceiptKind.DELIVERED),
    ("READ", ReceiptKind.READ),
    ("PLAYED", ReceiptKind.READ),
    ("SENDER", ReceiptKind.SENDER),
    ("RETRY", ReceiptKind.RETRY),
    ("SERVER_ERROR", ReceiptKind.SERVER_ERROR),
]


@pytest.mark.parametrize(("name", "kind"), RECEIPTS)
def test_a_receipt_carries_its_kind_ids_chat_and_time(protos: ModuleType, name: str, kind: ReceiptKind) -> None:
    expected = Receipt(kind=kind, wa_ids=["A", "B"], chat="123456@lid", at_s=1_700_000_000)
    assert of_event(18, receipt(protos, name), OWN) == [expected]


@pytest.mark.parametrize("name", ["READ_SELF", "PLAYED_SELF", "PEER_MSG", "HISTORY_SYNC"])
def test_a_receipt_about_what_we_did_not_send_is_not_told(protos: ModuleType, name: str) -> None:
    assert of_event(18, receipt(protos, name, sender="4917200000000"), OWN) == []


def test_a_receipt_of_the_own_phone_is_a_sign_of_life(protos: ModuleType) -> None:
    seen = PhoneSeen(at_s=1_700_000_000)
    assert of_event(18, receipt(protos, "READ_SELF", sender="900000000000001"), OWN) == [seen]
    assert of_event(18, receipt(protos, "READ_SELF", sender="900000000000001", device=3), OWN) == []


def test_the_tables_name_every_value_that_the_client_has(protos: ModuleType) -> None:
    assert set(classify.FAILURE_CODES) == set(protos.ConnectFailureReason.keys())
    assert set(classify.BAN_CODES) == set(protos.TemporaryBan.TempBanReason.keys())
    assert set(classify.RECEIPT_KINDS) <= set(protos.Receipt.ReceiptType.keys())
    assert all(hasattr(protos, name) for name in classify.EVENT_MESSAGES.values())


def test_we_never_subscribe_to_messages_or_history() -> None:
    assert not {13, 17} & set(classify.EVENT_MESSAGES)


STATUSES = [
    ("success", None),
    ("timeout", PairTrouble.EXPIRED),
    ("passkey-request", PairTrouble.PASSKEY),
    ("passkey-confirmation", PairTrouble.PASSKEY),
    ("err-client-outdated", PairTrouble.OUTDATED),
    ("err-scanned-without-multidevice", PairTrouble.NO_MULTIDEVICE),
    ("err-unexpected-state", PairTrouble.OTHER),
    ("error", PairTrouble.OTHER),
    ("something new", PairTrouble.OTHER),
]


@pytest.mark.parametrize(("status", "trouble"), STATUSES)
def test_a_login_status_tells_why_pairing_ended(status: str, trouble: PairTrouble | None) -> None:
    assert of_login_status(status) == trouble


def test_only_the_line_about_a_restart_counts_in_the_log() -> None:
    assert of_log_line("Got 515 code, reconnecting...") == Restarted()
    assert of_log_line("Successfully authenticated") is None


NOT_SENT, MAYBE, REFUSED = Certainty.NOT_SENT, Certainty.MAYBE, Certainty.REFUSED
SEND_ERRORS = [
    ("client is nil", NOT_SENT, SendTrouble.NOT_CONNECTED, 0),
    ("the store doesn't contain a device JID", NOT_SENT, SendTrouble.NOT_CONNECTED, 0),
    ("failed to get device list: failed to send usync query: info query timed out", NOT_SENT,
     SendTrouble.LOOKUP_FAILED, 0),
    ("failed to send usync query: websocket not connected", NOT_SENT, SendTrouble.NOT_CONNECTED, 0),
    ("failed to send message node: websocket not connected", NOT_SENT, SendTrouble.NOT_CONNECTED, 0),
    ("failed to send message node: frame socket is closed", MAYBE, SendTrouble.NO_ACKNOWLEDGEMENT, 0),
    ("timed out waiting for message send response", MAYBE, SendTrouble.NO_ACKNOWLEDGEMENT, 0),
    ("websocket disconnected before message send returned response", MAYBE, SendTrouble.NO_ACKNOWLEDGEMENT, 0),
    ("no LID found for 4915@s.whatsapp.net from server", NOT_SENT, SendTrouble.NOT_ON_WHATSAPP, 0),
    ("failed to get group members: you're not participating in that group", NOT_SENT, SendTrouble.NOT_IN_GROUP, 0),
    ("failed to get group members: oops", NOT_SENT, SendTrouble.LOOKUP_FAILED, 0),
    ("server returned error 463", REFUSED, SendTrouble.SERVER_REFUSED, 463),
    ("server returned error 479: something", REFUSED, SendTrouble.SERVER_REFUSED, 479),
    ("server returned error 0", MAYBE, SendTrouble.OTHER, 0),
    ("server returned error ", MAYBE, SendTrouble.OTHER, 0),
    ("never seen before", MAYBE, SendTrouble.OTHER, 0),
    ("", MAYBE, SendTrouble.OTHER, 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "certainty", "trouble", "code"), SEND_ERRORS)
def test_a_send_error_tells_how_certain_it_is(text: str, certainty: Certainty, trouble: SendTrouble, code: int) -> None:
    assert of_send_error(text) == NotSent(certainty=certainty, trouble=trouble, server_code=code)
