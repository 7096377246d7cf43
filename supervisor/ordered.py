"""What admins have ordered of an account: sleep now, stop until told otherwise, wait no longer. Its row says so."""

from typing import TYPE_CHECKING

from domain.account import RunEvent
from supervisor import clock

if TYPE_CHECKING:
    from supervisor.actor import Actor


def follow(actor: "Actor") -> None:
    """The account's row has been read anew."""
    row, session, waits = actor.row, actor.session, actor.waits
    if waits.begun_ms <= row.wait_until_ms <= clock.now_ms() < waits.until_ms:
        waits.until_ms = row.wait_until_ms  # somebody has ended the wait before its time
    if session is not None and session.paired and (row.stopped or row.sleep_ms > session.woken.at.timestamp() * 1000):
        actor.post(RunEvent.RELEASED)
