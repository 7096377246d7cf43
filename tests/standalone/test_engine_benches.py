"""The benches of the engine in a tiny size: what they count is right. How fast it was is nobody's business here."""

import json
import sys

import pytest

from standalone.bench import _command, burst, campaign, enqueue, idle, morning, ontime
from standalone.bench._command import Figures


def test_ontime_sends_everything_once() -> None:
    figures = ontime.measure(hog=False, accounts=4, load_s=0.5, warm_s=0.5, limit_s=0.2)
    assert set(figures) >= {"p50_ms", "p99_ms", "max_ms", "early", "limit_p99_ms", "lost", "duplicates"}
    assert figures["messages"] == 100
    assert (figures["lost"], figures["duplicates"], figures["unsettled"]) == (0, 0, 0)


def test_burst_sends_everything_once() -> None:
    figures = burst.measure(messages=30, accounts=5, ahead_s=2.0)
    assert set(figures) >= {"drain_s", "limit_s", "ratio", "duplicates"}
    assert (figures["lost"], figures["duplicates"], figures["unsettled"], figures["early"]) == (0, 0, 0, 0)


def test_campaign_sends_everything_once() -> None:
    figures = campaign.measure(accounts=6, campaign=20, part_s=0.5, warm_s=0.5, ahead_s=2.0)
    assert set(figures) >= {"p99_ms", "p99_with_campaign_ms", "ratio", "lost", "duplicates"}
    assert figures["messages"] == 100
    assert (figures["lost"], figures["duplicates"], figures["unsettled"], figures["early"]) == (0, 0, 0, 0)


def test_morning_sends_everything_once() -> None:
    figures = morning.measure(
        accounts=3, slots=8, steady_s=1.0, refused_percent=0, ahead_s=2.0, between_s=1.0, sleep_s=0, login_s=(0.1, 0.1)
    )
    keys = {"p50_ms", "p99_ms", "max_ms", "burst_p99_s", "predicted_burst_p99_s", "slots", "lost", "duplicates"}
    assert set(figures) >= keys | {"refused_p99_ms", "refused_ratio"}
    assert (figures["accounts"], figures["slots"], figures["messages"]) == (3, 8, 4)
    assert (figures["lost"], figures["duplicates"], figures["early"]) == (0, 0, 0)
    assert (figures["refused_lost"], figures["refused_duplicates"]) == (0, 0)


def test_enqueue_stores_and_hints_everything_it_takes_in() -> None:
    figures = enqueue.measure(accounts=7, singles=150, alone=5, imported=20)
    assert set(figures) >= {"per_s", "bulk_per_s", "limit_per_s"}
    assert (figures["lost"], figures["unhinted"]) == (0, 0)


def test_idle_looks_at_all_of_it_and_sends_what_became_due_meanwhile() -> None:
    figures = idle.measure(accounts=20, messages=400, settle_s=0.1, look_s=0.1)
    keys = {"supervisor_extra_mb", "redis_mb", "pg_bytes_per_message", "idle_cpu_pct", "restart_s"}
    assert set(figures) >= keys
    assert (figures["accounts"], figures["messages"]) == (20, 400)
    assert figures["supervisor_mb"] > 0
    assert figures["pg_bytes_per_message"] > 0
    assert 0 < figures["restart_s"] < idle.SENT_S


def test_the_last_line_is_the_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measure(options: object) -> Figures:
        return {"answer": 42}

    for arguments, lines in (([], 2), (["--json"], 1)):
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        _command.run("bench", "", measure, lambda figures: [f"it is {figures['answer']}"])
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) == lines
        assert json.loads(printed[-1]) == {"answer": 42}
