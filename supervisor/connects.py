"""Tells the pace how connects begin and end. The rules are domain/pace.py's."""

from typing import TYPE_CHECKING, Final

from domain.account import Run, RunEvent
from domain.pace import begun, ended
from supervisor import clock

if TYPE_CHECKING:
    from supervisor.actor import Actor
    from supervisor.context import Context

_TOO_MANY: Final = 429
_REFUSALS: Final = (RunEvent.REFUSED, RunEvent.RESTARTED, RunEvent.FLAPPED, RunEvent.OVERDUE)


def note_begin(context: "Context") -> None:
    """A session is about to connect."""
    context.pace = begun(context.pace, clock.now_ms())


def note_end(actor: "Actor", before: Run, event: RunEvent) -> None:
    """The account's run was moved by `event`: perhaps the end of its first connect.

    A redial says nothing new, and how a linking ends is up to a person.
    """
    session = actor.session
    if before is not Run.CONNECTING or session is None or session.pairing or actor.attendants:
        return
    refused = event in _REFUSALS
    if refused or event is RunEvent.CONNECTED:
        context = actor.context
        context.pace = ended(context.pace, clock.now_ms(), refused=refused, limited=session.code == _TOO_MANY)
