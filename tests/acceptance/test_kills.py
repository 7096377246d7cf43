"""A kill of any part in any window of a send: the text arrives exactly once, or the message says that nobody knows."""

import contextlib
from collections.abc import Callable

import pytest

from domain.message import Reason
from tests.acceptance.stack import CERTAIN, Message, Stack

REASONS = (Reason.ENCLAVE_DIED, Reason.SESSION_DIED, Reason.NO_ACKNOWLEDGEMENT)
AHEAD_S = 2.0
LATE_ACK_S = 30.0  # longer than it takes to kill


def before_gate(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    """Armed and in hand; the gate is asked and has not answered."""
    with stack.gate_held(message):
        strike()
        assert stack.attempts(message) == []


def gate_to_wire(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    """The attempt is committed; the broker has the frame at most in its socket."""
    with stack.broker_stopped_after_gate(message):
        strike()


def wire_to_ack(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    """The recipient's phone has it; the service has not said so."""
    stack.hold_acknowledgements(LATE_ACK_S)
    try:
        stack.until_delivered(message)
        assert stack.attempts(message) == [""]
        strike()
    finally:
        stack.hold_acknowledgements(0)


def ack_to_finish(stack: Stack, message: Message, strike: Callable[[], None]) -> None:
    """The supervisor has the acknowledgement and the new store, and waits for the database to take them."""
    with contextlib.ExitStack() as locked:
        with stack.broker_stopped_after_gate(message):
            locked.enter_context(stack.locked("messages", message.id))
        stack.until_delivered(message)
        stack.until_waiting("UPDATE attempts t SET outcome")
        assert stack.attempts(message) == [""]
        strike()


Window = Callable[[Stack, Message, Callable[[], None]], None]
WINDOWS: dict[str, Window] = {
    "before the gate": before_gate,
    "between gate and wire": gate_to_wire,
    "between wire and acknowledgement": wire_to_ack,
    "between acknowledgement and books": ack_to_finish,
}


@pytest.mark.parametrize("who", ["session", "broker", "supervisor"])
@pytest.mark.parametrize("window", WINDOWS)
def test_the_text_arrives_exactly_once_or_the_message_is_unconfirmed(stack: Stack, window: str, who: str) -> None:
    message = stack.schedule_awake(f"{who} killed {window}", AHEAD_S)
    mark = stack.mark()
    WINDOWS[window](stack, message, lambda: stack.kill(who))
    stack.mend(who)
    state = stack.outcome(message, mark)
    if state == "UNCONFIRMED":
        assert stack.reason(message) in REASONS
        assert stack.on_phone(message) <= 1
    else:
        assert state in CERTAIN
        stack.until_delivered(message)
        assert stack.on_phone(message) == 1
        assert stack.attempts(message).count("SENT") == 1


def test_in_the_end_the_phone_has_each_text_once(stack: Stack) -> None:
    counts = {message.text: stack.on_phone(message) for message in stack.scheduled}
    assert counts == dict.fromkeys(counts, 1)
    assert stack.ask("SELECT count(*) FROM attempts WHERE outcome = ''") == "0"
