"""How soon changes of the address book are copied."""

from domain import limits
from supervisor.sync import debounce_s


def test_the_first_changes_are_copied_soon_and_many_rarely() -> None:
    waits = [debounce_s(copies) for copies in range(1, 1_000)]
    assert waits[0] == limits.SYNC_DEBOUNCE_FIRST_S
    assert waits == sorted(waits)
    assert waits[-1] == limits.SYNC_DEBOUNCE_S
