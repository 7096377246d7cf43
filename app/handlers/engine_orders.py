"""What admins may do: put an account to sleep, park it, let it go on; empty a node; and the trail of all that."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, delete, get, post
from litestar.response import Redirect

from app.amounts import lasting
from app.clock import zone_or_utc
from app.engine_account_view import TrailRow, trail
from app.engine_words import late_loops, numbered
from app.form import AppRequest
from app.guard import check_admin, login_of
from app.render import fragment, page
from app.site import Site
from app.toast_view import Toast, Undo
from domain import limits
from domain.refusal import RefusalCode, Refused
from store import orders, users
from store.boards import Board
from store.notices import Element
from store.orders import Act

ROOM = "engine"
"""The toast's forms tell the room to look anew: `message-engine`."""


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A node. `alive`: it shows a board; `drained`: it shall be empty."""

    name: str
    line: str
    rows: list[tuple[str, str]]
    alive: bool
    drained: bool


class NodesPage(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes. `known` False: Redis is away, and nobody can say which there are."""

    known: bool
    nodes: list[NodeRow]


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """The newest orders."""

    rows: list[TrailRow]


@post("/admin/accounts/{number:int}/sleeps", guards=[check_admin], status_code=200)
async def put_to_sleep(request: AppRequest, site: Site, number: int) -> Response[Any]:
    """Has the account's session end now."""
    await _order(request, site, Act.SLEEP, number)
    said = f"{numbered(number)} goes to sleep. It wakes again when something is due."
    return await _done(request, f"/admin/accounts/{number}", said)


@post("/admin/accounts/{number:int}/stop", guards=[check_admin], status_code=200)
async def park(request: AppRequest, site: Site, number: int) -> Response[Any]:
    """Keeps the account cold until somebody lets it go on."""
    await _order(request, site, Act.PARK, number)
    said = f"{numbered(number)} is parked. What is due waits, and is missed where its limit passes."
    return await _done(request, f"/admin/accounts/{number}", said, (f"/admin/accounts/{number}/stop", "DELETE"))


@delete("/admin/accounts/{number:int}/stop", guards=[check_admin], status_code=200)
async def unpark(request: AppRequest, site: Site, number: int) -> Response[Any]:
    """Lets the account wake again; waits that run end."""
    await _order(request, site, Act.UNPARK, number)
    return await _done(request, f"/admin/accounts/{number}", f"{numbered(number)} may wake again.")


@get("/admin/nodes", guards=[check_admin])
async def show_nodes(request: AppRequest, site: Site) -> Response[Any]:
    """All nodes: what each has, and whether it shall be empty."""
    boards = await site.engine.boards()
    drained = await orders.drained(site.pool)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    rows = [_node(board, board.node in drained, now_ms) for board in boards or []]
    alive = {row.name for row in rows}
    rows += [
        NodeRow(name=node, line="Silent, and to be empty.", rows=[], alive=False, drained=True)
        for node in drained
        if node not in alive
    ]
    return page(request, "engine_nodes.html", NodesPage(known=boards is not None, nodes=rows), here="engine-nodes")


@post("/admin/nodes/{node:str}/drain", guards=[check_admin], status_code=200)
async def drain(request: AppRequest, site: Site, node: str) -> Response[Any]:
    """Has the node put its sessions to sleep and let go of its accounts; other nodes take them."""
    boards = await site.engine.boards()
    if boards is not None and node not in {board.node for board in boards}:
        raise Refused(RefusalCode.NOT_FOUND)
    await orders.order_node(site.pool, login_of(request).user, Act.DRAIN, node)
    site.engine.forget()
    others = any(board.node != node and not board.draining for board in boards or [])
    said = f"{node} lets go of its accounts." + ("" if others else " No other node takes them: nothing leaves.")
    return await _done(request, "/admin/nodes", said, (f"/admin/nodes/{node}/drain", "DELETE"))


@delete("/admin/nodes/{node:str}/drain", guards=[check_admin], status_code=200)
async def undrain(request: AppRequest, site: Site, node: str) -> Response[Any]:
    """Lets the node take accounts again."""
    await orders.order_node(site.pool, login_of(request).user, Act.UNDRAIN, node)
    return await _done(request, "/admin/nodes", f"{node} takes accounts again.")


@get("/admin/orders", guards=[check_admin])
async def show_trail(request: AppRequest, site: Site) -> Response[Any]:
    """What admins did, newest first."""
    zone = zone_or_utc(await users.zone_of(site.pool, login_of(request).user))
    found = await orders.trail(site.pool, limits.TRAIL_ROWS)
    return page(request, "engine_trail.html", Trail(rows=trail(found, zone, datetime.now(UTC))), here="engine-trail")


async def _order(request: AppRequest, site: Site, act: Act, number: int) -> None:
    if number >= limits.FOREVER_MS:
        raise Refused(RefusalCode.NOT_FOUND)
    owned = await orders.order_account(site.pool, login_of(request).user, act, number)
    if act is Act.UNPARK:
        await site.run_state.clear_backoff(owned.id)
    site.engine.forget()
    await site.notices.tell(owned.user, (Element.ACCOUNT, owned.id))


async def _done(request: AppRequest, way: str, said: str, undo: tuple[str, str] | None = None) -> Response[Any]:
    """A toast for a script of ours, else the page that says by itself what is so."""
    if not request.headers.get("hx-request"):
        return Redirect(way, status_code=303)
    offered = None if undo is None else Undo(path=undo[0], method=undo[1], fields=(), message=ROOM)
    return fragment(request, "toast.html", Toast(sentence=said, undo=offered))


def _node(board: Board, drained: bool, now_ms: int) -> NodeRow:
    late = late_loops([board], now_ms)
    line = "To be empty." if drained else late[0] if late else "All loops on time."
    memory = f"{board.free_bytes / 1e9:.1f} GB free"
    if board.pressure:
        memory += f", {board.pressure:.0f} % of 10 s short of it"
    return NodeRow(
        name=board.node,
        line=line,
        rows=[
            ("Slots", f"{len(board.held)} of {board.slots}"),
            ("Leases", f"{board.owned:,}, and {board.waiting} want a slot"),
            ("Memory", memory),
            ("Connects", f"{board.per_s:.1f} per s, at most {board.ceiling_per_s:.1f}"),
            ("Enclave", "answers" if board.door else "does not answer"),
            ("Writes waiting", str(board.chores)),
            ("Running for", lasting(now_ms - board.started_ms)),
        ],
        alive=True,
        drained=drained,
    )
