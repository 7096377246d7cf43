"""neonize without its Python client: the ctypes binding and the protobuf modules, the Go library loaded after fork.

A Go runtime does not survive fork, so the zygote imports the binding with SPHINX set, which makes it skip the library,
and a session process reloads it without (docs/whatsapp.md §2). Of neonize only `_binder` and `proto` are
used; the packages above them are stand-ins, because the real ones load Go, start threads, run `uname` in a shell, need
libmagic, and would download a library from the network when theirs does not fit. Here that ends in ImportError.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import types
from pathlib import Path
from typing import Any, Final

from enclave.hardening import environment_at_exec

BOT_TAG: Final = "NEONIZE_BOT_TAG"
SKIP_LIBRARY: Final = "SPHINX"
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_SUFFIXES: Final = {"linux": "so", "darwin": "dylib"}


class WrongEnvironment(Exception):
    """The process was exec'd in an environment that the client must not run in."""


def refuse_wrong_environment() -> None:
    """Check what the Go library will see. Raises WrongEnvironment.

    Without the bot tag off at exec every 1:1 message would show an AI label; with SPHINX at exec the library would
    silently stay unloaded (docs/whatsapp.md §1, §2).
    """
    environment = environment_at_exec()
    if environment.get(BOT_TAG) != "off":
        raise WrongEnvironment(f"{BOT_TAG} must be off when the process is started")
    if SKIP_LIBRARY in environment:
        raise WrongEnvironment(f"{SKIP_LIBRARY} must not be set when the process is started")


def _library_name(*_: object) -> str:
    """File name of the wheel's Go library on this machine."""
    system, machine = platform.system().lower(), platform.machine().lower()
    return f"neonize-{system}-{_MACHINES.get(machine, machine)}.{_SUFFIXES[system]}"


def _refuse_download() -> None:
    raise ImportError("the installed WhatsApp client library does not fit its Python binding")


def _stand_in(name: str, **attributes: object) -> types.ModuleType:
    """Put a module into sys.modules in place of neonize's own."""
    module = types.ModuleType(name)
    module.__dict__.update(attributes)
    sys.modules[name] = module
    return module


def import_binding() -> Any:
    """Import neonize's binding without loading the Go library; once per process, in the zygote. Raises ImportError."""
    if "neonize" in sys.modules:
        raise ImportError("neonize has already been imported")
    found = importlib.util.find_spec("neonize")
    if found is None or not found.submodule_search_locations:
        raise ImportError("neonize is not installed")
    folder = Path(found.submodule_search_locations[0])
    version = importlib.metadata.version("neonize")
    _stand_in("neonize", __path__=[str(folder)], __spec__=found, __version__=version)
    _stand_in("neonize.utils", __path__=[])
    _stand_in("neonize.utils.platform", generated_name=_library_name)
    _stand_in("neonize.download", __GONEONIZE_VERSION__=version, download=_refuse_download)
    os.environ[SKIP_LIBRARY] = "1"
    try:
        binding = importlib.import_module("neonize._binder")
        importlib.import_module("neonize.proto.Neonize_pb2")
        importlib.import_module("neonize.proto.waCompanionReg.WACompanionReg_pb2")
    finally:
        del os.environ[SKIP_LIBRARY]
    if library_is_mapped():
        raise ImportError("the Go library was loaded before the fork")
    return binding


def load_library() -> Any:
    """Load the Go library into this forked process and return its ctypes handle. Raises ImportError, OSError."""
    refuse_wrong_environment()
    binding = importlib.reload(sys.modules["neonize._binder"])
    return binding.gocode


def library_is_mapped() -> bool:
    """Whether the Go library lies in this process's memory; False where there is no /proc."""
    maps = Path("/proc/self/maps")
    return maps.exists() and any("/neonize-" in line for line in maps.read_text().splitlines())
