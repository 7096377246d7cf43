"""neonize's generated protobuf modules, without its Go library and without importing neonize.

The wheel ships them as packages of their own (``waE2E`` and so on) below ``neonize/proto``; that folder goes on the
module path.
"""

import importlib.util
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING


def neonize_folder() -> Path:
    """The folder of the installed neonize package; RuntimeError if there is none."""
    spec = importlib.util.find_spec("neonize")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("neonize is not installed: the simulator reads its dictionary and protobuf modules")
    return Path(spec.submodule_search_locations[0])


_folder = str(neonize_folder() / "proto")
if _folder not in sys.path:
    sys.path.append(_folder)

if TYPE_CHECKING:
    from neonize.proto.waAdv import WAAdv_pb2 as adv
    from neonize.proto.waCert import WACert_pb2 as cert
    from neonize.proto.waCompanionReg import WACompanionReg_pb2 as companion
    from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e
    from neonize.proto.waHistorySync import WAWebProtobufsHistorySync_pb2 as history
    from neonize.proto.waServerSync import WAWebProtobufsServerSync_pb2 as sync
    from neonize.proto.waSyncAction import WAWebProtobufSyncAction_pb2 as action
    from neonize.proto.waWa6 import WAWebProtobufsWa6_pb2 as wa6
else:
    adv = import_module("waAdv.WAAdv_pb2")
    cert = import_module("waCert.WACert_pb2")
    companion = import_module("waCompanionReg.WACompanionReg_pb2")
    e2e = import_module("waE2E.WAWebProtobufsE2E_pb2")
    history = import_module("waHistorySync.WAWebProtobufsHistorySync_pb2")
    sync = import_module("waServerSync.WAWebProtobufsServerSync_pb2")
    action = import_module("waSyncAction.WAWebProtobufSyncAction_pb2")
    wa6 = import_module("waWa6.WAWebProtobufsWa6_pb2")

__all__ = ["action", "adv", "cert", "companion", "e2e", "history", "neonize_folder", "sync", "wa6"]
