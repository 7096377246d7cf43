"""The classification of the door's notices: total, and without I/O."""

import typing

import pytest

from domain import limits
from domain.account import RunEvent
from enclave.wire import news
from enclave.wire.news import Notice
from supervisor.news import EVENTS, SILENT, Classifier, wait_at_least_s

BY_CONTENT = (news.LoggedOut, news.StreamFailed, news.KeepAliveLost)


def test_every_notice_is_in_exactly_one_place() -> None:
    kinds = [*EVENTS, *SILENT, *BY_CONTENT]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == set(typing.get_args(Notice))


@pytest.mark.parametrize(
    ("notice", "event"),
    [
        (news.Connected(), RunEvent.CONNECTED),
        (news.Dropped(), RunEvent.DROPPED),
        (news.Restarted(), RunEvent.RESTARTED),
        (news.Drained(), None),
        (news.LoggedOut(code=401), RunEvent.LOGGED_OUT),
        (news.LoggedOut(code=403), RunEvent.LOCKED),
        (news.LoggedOut(code=406), RunEvent.LOCKED),
        (news.Banned(code=101, expire_s=60), RunEvent.BANNED),
        (news.Outdated(code=405), RunEvent.OUTDATED),
        (news.Replaced(), RunEvent.REPLACED),
        (news.ConnectFailed(code=400), RunEvent.REFUSED),
        (news.StreamFailed(code=409), RunEvent.REPLACED),
        (news.StreamFailed(code=429), RunEvent.REFUSED),
        (news.StreamFailed(code=516), RunEvent.DROPPED),
        (news.StreamFailed(code=0), RunEvent.DROPPED),
        (news.KeepAliveLost(count=2), None),
        (news.KeepAliveLost(count=3), RunEvent.DROPPED),
        (news.Ended(status=-9), RunEvent.DIED),
    ],
)
def test_a_notice_means_its_event(notice: Notice, event: RunEvent | None) -> None:
    assert Classifier(pairing=False).classify(notice, 0) is event


def test_a_restart_before_the_first_login_belongs_to_linking() -> None:
    classifier = Classifier(pairing=True)
    assert classifier.classify(news.Restarted(), 0) is None
    classifier.classify(news.Connected(), 1)
    assert classifier.classify(news.Restarted(), 2) is RunEvent.RESTARTED


def test_too_many_drops_within_the_window_are_flapping() -> None:
    classifier = Classifier(pairing=False)
    events = [classifier.classify(news.Dropped(), second) for second in range(limits.FLAPS_MAX)]
    assert events == [RunEvent.DROPPED] * (limits.FLAPS_MAX - 1) + [RunEvent.FLAPPED]
    assert Classifier(pairing=False).classify(news.Dropped(), limits.FLAP_WINDOW_S * 2) is RunEvent.DROPPED


def test_being_rate_limited_takes_ten_minutes() -> None:
    assert wait_at_least_s(news.StreamFailed(code=429)) >= 600
    assert wait_at_least_s(news.StreamFailed(code=503)) == 0
