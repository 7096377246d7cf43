"""App-state collections: patches since a version, and a client's own patches (docs/whatsapp.md §19)."""

from collections.abc import Sequence

from simulator.appstate import BadPatch, Collection, Conflict
from simulator.hub import now_s
from simulator.node import Node, node
from simulator.notices import collection_changed
from simulator.stanzas.answer import Call


def _refused(name: str, version: int, code: int, text: str, patches: Sequence[Node] = ()) -> Node:
    attrs = {"name": name, "version": version, "type": "error", "has_more_patches": "true" if patches else None}
    return node("collection", attrs, [node("error", {"code": code, "text": text}), *patches])


def _patches(collection: Collection, version: int) -> list[Node]:
    found = [node("patch", {}, patch) for patch in collection.patches_since(version)]
    return [node("patches", {}, found)] if found else []


def _tell_others(call: Call, name: str, version: int) -> None:
    for companion in call.phone.companions.values():
        if companion is not call.companion:
            notice = collection_changed(name, version, call.hub.new_id(), now_s())
            call.hub.push(call.phone, companion, notice)


def _one(call: Call, request: Node) -> Node:
    name = request.text("name")
    version = int(request.text_or("version", "0")) if request.text_or("version", "0").isdigit() else 0
    collection = call.phone.app_state.get(name)
    if collection is None:
        return node("collection", {"name": name, "version": version, "has_more_patches": "false"})
    patch = request.find("patch")
    if patch is not None:
        try:
            collection.apply_client_patch(patch.data, version)
        except Conflict:
            return _refused(name, collection.version, 409, "conflict", _patches(collection, version))
        except BadPatch:
            return _refused(name, collection.version, 400, "bad-request")
        call.hub.world.changed(call.phone)
        _tell_others(call, name, collection.version)
        return node("collection", {"name": name, "version": collection.version})
    call.hub.journal.add("app_state", call.phone.number, device=call.companion.device, collection=name)
    attrs = {"name": name, "version": collection.version, "has_more_patches": "false"}
    return node("collection", attrs, _patches(collection, version))


def exchange(call: Call) -> Sequence[Node]:
    """Each collection's answer; patches alone, no snapshot."""
    return [node("sync", {}, [_one(call, request) for request in call.iq.child("sync").all("collection")])]
