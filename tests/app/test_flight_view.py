"""The flight check in the words of a page: instants in the reader's zone, remedies with their addresses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.flight_view import at_words, flight_view, time_words
from domain.flight import Cause, Finding, Flight

NOW = datetime(2026, 11, 24, 8, 41, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "at", "time"),
    [
        (-6.5, "at 03:11", "03:11"),
        (24, "tomorrow at 09:41", "tomorrow, 09:41"),
        (-24, "yesterday at 09:41", "yesterday, 09:41"),
        (72, "on Friday 27 November at 09:41", "Friday 27 November, 09:41"),
        (240, "on Fri 4 December at 09:41", "Fri 4 December, 09:41"),
    ],
)
def test_instants_are_told_in_the_readers_zone(hours: float, at: str, time: str) -> None:
    instant = NOW + timedelta(hours=hours)
    assert (at_words(instant, BERLIN, NOW), time_words(instant, BERLIN, NOW)) == (at, time)


def test_reasons_have_their_words_and_their_ways_out() -> None:
    found = Flight(
        reasons=(
            Finding(cause=Cause.LOGGED_OUT, at=NOW - timedelta(hours=6.5)),
            Finding(cause=Cause.RESTRICTED_LONGER, at=NOW),
            Finding(cause=Cause.STRANGER),
        )
    )
    view = flight_view(found, BERLIN, NOW, account="a", message="m")
    assert (view.lamp, view.word, view.tone) == ("stop", "Won't leave: not linked", "bad")
    first, second, third = view.reasons
    assert first.sentence == "WhatsApp unlinked this phone at 03:11. Link again, and this message leaves as planned."
    assert (first.remedy, first.href) == ("Link again", "/accounts/a/pairing")
    assert second.href == "/messages/m"
    assert (third.remedy, third.href) == ("", "")


def test_a_message_that_is_not_yet_has_no_page_to_go_to() -> None:
    found = Flight(reasons=(Finding(cause=Cause.SEAL_ENDS, at=NOW),))
    view = flight_view(found, BERLIN, NOW, account="a")
    assert (view.reasons[0].remedy, view.reasons[0].href) == ("", "")
    assert view.reasons[0].sentence == "The seal of this text ends at 09:41. Open the message and seal it again."


def test_a_word_can_name_an_instant() -> None:
    found = Flight(reasons=(Finding(cause=Cause.RESTING, at=NOW),))
    assert flight_view(found, BERLIN, NOW, account="a").word == "Late: resting until 09:41"
