"""Applies the hot set's plan: gives slots, asks for them back. The rules are domain/hotset.py's."""

import secrets
from uuid import UUID

from domain.account import Run, RunEvent
from domain.hotset import Snapshot, Want, WantKind, plan
from supervisor import clock, connects, penalties, standing, wanting
from supervisor.actor import Actor
from supervisor.actors import Actors
from supervisor.log import emit
from supervisor.loops.turning import Turn


class Hot:
    """Plans anew whenever something changed, and when the next wake is due."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._context = actors.context

    async def run_once(self) -> Turn:
        """One snapshot, one plan, carried out."""
        actors = list(self._actors.by_account.values())
        wants = [want for actor in actors if (want := wanting.want(actor)) is not None]
        self._tell_rests(wants)
        live = [actor for actor in actors if wanting.holds(actor)]
        yielding = any(actor.session is not None and actor.session.yielding for actor in live)
        if not wants and not yielding and len(live) <= self._context.slots:
            return Turn()  # nobody waits, so nobody must go
        holders = [holder for actor in live if (holder := wanting.holder(actor)) is not None]
        snapshot = Snapshot(
            now_ms=clock.now_ms(),
            slots=self._context.slots,
            holders=tuple(holders),
            wants=() if self._context.draining else tuple(wants),
            pace=self._context.pace,
        )
        decided = plan(snapshot)
        for account in decided.releases:
            self._actors.by_account[UUID(account)].post(RunEvent.RELEASED)
        for account in decided.turns:
            self._end_turn(self._actors.by_account[UUID(account)])
        granted = 0
        for want in decided.grants:
            granted += await self._grant(want)
        again_s = None if decided.again_at_ms is None else (decided.again_at_ms - clock.now_ms()) / 1000
        return Turn(again_s=again_s)

    def _tell_rests(self, wants: list[Want]) -> None:
        """Who has something to send and must not wake yet because it was woken often: said once."""
        now_ms = clock.now_ms()
        for want in wants:
            if want.kind is WantKind.DUE and want.not_before_ms > max(now_ms, want.deadline_ms - want.lead_ms):
                actor = self._actors.by_account[UUID(want.account)]
                penalties.rest(actor, wanting.rests_until_ms(actor, want.kind))

    def _end_turn(self, actor: Actor) -> None:
        if actor.session is not None:
            actor.session.yielding = True
            actor.outbox.nudge()
            self._context.wake_hot()  # it may be able to go at once
            emit("turn_ended", account=actor.account, in_hand=len(actor.outbox))

    async def _grant(self, want: Want) -> bool:
        actor = self._actors.by_account.get(UUID(want.account))
        if actor is None or actor.state is not Run.COLD or not actor.context.ownership.trusted(actor.account):
            return False
        token = secrets.token_hex(8)
        if not await standing.take_slot(actor, token):
            return False  # a key that a dead process left: it expires
        if wanting.want(actor) is None:
            await standing.give_slot_back(actor, token)
            return False
        actor.slot_token = token
        connects.note_begin(actor.context)
        actor.post(RunEvent.SLOT_GRANTED)
        await actor.until_left(Run.COLD)
        return True


def report(actors: Actors) -> None:
    """Writes every actor's state to the log."""
    for actor in list(actors.by_account.values()):
        session = actor.session
        emit(
            "account_state",
            account=actor.account,
            run=actor.state,
            phase=session.phase if session is not None else "",
            epoch=actor.epoch,
            kind=WantKind(session.kind).name.lower() if session is not None else "",
            in_hand=len(actor.outbox),
            in_doubt=actor.doubted.is_set(),
            chores=len(actor.chores),
            wait_ms=max(0, actor.waits.until_ms - clock.now_ms()),
        )
