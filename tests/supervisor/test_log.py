"""Log lines: only events and fields of the table get out."""

import pytest

from supervisor import log
from supervisor.log import EVENTS, emit, keep_known_fields, listen

FORBIDDEN = {"text", "body", "phone", "jid", "name", "recipient", "token", "secret", "qr", "email", "chat", "wa_id"}


def test_a_field_that_is_not_in_the_table_is_dropped_and_counted() -> None:
    before = log.dropped
    line = keep_known_fields(None, "info", {"event": "message_sent", "message": 1, "text": "hello", "level": "info"})
    assert line == {"event": "message_sent", "message": 1, "level": "info"}
    assert log.dropped == before + 1


def test_an_event_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        emit("hello")


def test_no_event_may_carry_what_must_not_be_logged() -> None:
    assert not {field for fields in EVENTS.values() for field in fields} & FORBIDDEN


def test_listeners_hear_each_line_until_they_stop() -> None:
    heard: list[str] = []
    stop = listen(lambda event, _: heard.append(event))
    emit("supervisor_stopped", node="n")
    stop()
    emit("supervisor_stopped", node="n")
    assert heard == ["supervisor_stopped"]
