"""What is away decides what is ready, the gravest first."""

import itertools

import pytest

from domain.readiness import SUPERVISOR_NEEDS, WEB_NEEDS, Answer, Needs, Ready, readiness

RANK = (Ready.READY, Ready.DEGRADED, Ready.NOT_READY)


@pytest.mark.parametrize("needs", [WEB_NEEDS, SUPERVISOR_NEEDS])
def test_the_gravest_of_what_is_away_decides(needs: Needs) -> None:
    for answers in itertools.product(Answer, repeat=len(needs)):
        given = dict(zip(needs, answers, strict=True))
        found = readiness(needs, given)
        away = [needs[one] for one, answer in given.items() if answer is Answer.AWAY]
        worst = max((RANK.index(state) for state, _ in away), default=0)
        assert RANK.index(found.state) == worst
        assert not away or found.sentence in {sentence for _, sentence in away}
        assert found.dependencies == given


def test_who_starts_or_stops_is_not_ready_whatever_answers() -> None:
    found = readiness(SUPERVISOR_NEEDS, dict.fromkeys(SUPERVISOR_NEEDS, Answer.UP), working=False)
    assert (found.state, found.sentence) == (Ready.NOT_READY, "This process is starting or stopping.")


@pytest.mark.parametrize("needs", [WEB_NEEDS, SUPERVISOR_NEEDS])
def test_sentences_are_whole_and_plain(needs: Needs) -> None:
    for _, sentence in needs.values():
        assert sentence[0].isupper()
        assert sentence.endswith(".")
