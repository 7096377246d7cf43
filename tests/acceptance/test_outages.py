"""Redis emptied or restarted, PostgreSQL restarted, at each step of a send: nothing is lost, nothing is sent twice."""

from collections.abc import Callable, Mapping

import pytest

from standalone.children import bring_up
from tests.acceptance.stack import CERTAIN, Message, Stack, flush_redis

AHEAD_S = 2.0
LATE_ACK_S = 3.0


def restart_redis(stack: Stack) -> None:
    stack.product.valkey.stop()
    bring_up(stack.product.valkey)


def restart_postgres(stack: Stack) -> None:
    stack.product.postgres.stop()
    bring_up(stack.product.postgres)


def while_armed(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    stack.until_state(message, "ARMED")
    strike()


def gate_to_wire(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    with stack.broker_stopped_after_gate(message):
        strike()


def wire_to_ack(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    stack.hold_acknowledgements(LATE_ACK_S)
    stack.until_delivered(message)
    strike()
    stack.hold_acknowledgements(0)


def after_ack(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    stack.until_state(message, *CERTAIN)
    strike()


Outage = Callable[[Stack], None]
Step = Callable[[Stack, Message, Callable[[], None]], None]
OUTAGES: Mapping[str, Outage] = {
    "Redis is emptied": flush_redis,
    "Redis is restarted": restart_redis,
    "PostgreSQL is restarted": restart_postgres,
}
STEPS: Mapping[str, Step] = {
    "armed": while_armed,
    "between gate and wire": gate_to_wire,
    "between wire and acknowledgement": wire_to_ack,
    "sent": after_ack,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("outage", OUTAGES)
def test_the_text_arrives_exactly_once(stack: Stack, outage: str, step: str) -> None:
    message = stack.schedule_awake(f"{outage} while {step}", AHEAD_S)
    mark = stack.mark()
    STEPS[step](stack, message, lambda: OUTAGES[outage](stack))
    assert stack.outcome(message, mark) in CERTAIN
    stack.until_delivered(message)
    assert stack.on_phone(message) == 1
    assert stack.attempts(message).count("SENT") == 1


def test_in_the_end_the_phone_has_each_text_once(stack: Stack) -> None:
    counts = {message.text: stack.on_phone(message) for message in stack.scheduled}
    assert counts == dict.fromkeys(counts, 1)
    assert stack.ask("SELECT count(*) FROM attempts WHERE outcome = ''") == "0"
