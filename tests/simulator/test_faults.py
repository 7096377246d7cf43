import pytest

from simulator.faults import FAULTS_MAX, FaultError, Faults, read_fault


def test_faults_are_taken_in_order_each_n_times_and_only_on_their_occasion() -> None:
    faults = Faults()
    faults.order("1", read_fault({"when": "message", "op": "drop", "n": 2}))
    faults.order("1", read_fault({"when": "login", "reason": 500}))
    faults.order("1", read_fault({"when": "message", "op": "error", "code": 463}))
    assert faults.waiting("1") == 4
    taken = [faults.take("1", "message") for _ in range(4)]
    assert [fault and fault.op for fault in taken] == ["drop", "drop", "error", None]
    assert faults.take("2", "login") is None
    login = faults.take("1", "login")
    assert login is not None
    assert login.reason == 500
    assert faults.waiting("1") == 0


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"when": "sometimes"},
        {"when": "login"},
        {"when": "login", "reason": "401"},
        {"when": "login", "reason": True},
        {"when": "login", "reason": 401, "n": 0},
        {"when": "login", "reason": 401, "op": "drop"},
        {"when": "message", "op": "explode"},
        {"when": "message", "op": "error"},
        {"when": "message", "op": "drop", "code": 1},
        {"when": "after_login"},
        {"when": "after_login", "code": 515, "unknown": 1},
    ],
)
def test_an_order_that_means_nothing_is_refused(order: dict) -> None:
    with pytest.raises(FaultError):
        read_fault(order)


def test_no_more_than_a_thousand_are_kept() -> None:
    faults = Faults()
    for _ in range(FAULTS_MAX):
        faults.order("1", read_fault({"when": "after_login", "abort": True}))
    with pytest.raises(FaultError):
        faults.order("1", read_fault({"when": "after_login", "abort": True}))
    faults.clear()
    assert faults.waiting("1") == 0
