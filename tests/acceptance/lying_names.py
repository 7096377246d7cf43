"""Runs a live supervisor where WhatsApp's name leads to this machine: in a network of its own that has only loopback.

`unshare --net --mount python -m tests.acceptance.lying_names HOSTS_FILE`, as root, with the supervisor's variables.
Prints `reached` when the name has been followed to the trap once by this program itself, and at the end how many
connections the trap has had. TERM ends the supervisor and then this.
"""

import fcntl
import signal
import socket
import struct
import subprocess
import sys
import threading

NAME = "web.whatsapp.com"
PORT = 443
WAIT_S = 10.0
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # <linux/sockios.h>, <linux/if.h>


def raise_loopback() -> None:
    """Switch on `lo`, which a new network has switched off."""
    with socket.socket() as line:
        asked = fcntl.ioctl(line, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        name, flags = struct.unpack("16sH14x", asked)
        fcntl.ioctl(line, SIOCSIFFLAGS, struct.pack("16sH14x", name, flags | IFF_UP))


def main(hosts: str) -> int:
    """The command."""
    raise_loopback()
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    trap = socket.create_server(("127.0.0.1", PORT))
    reached: list[object] = []

    def take() -> None:
        while True:
            reached.append(trap.accept())

    threading.Thread(target=take, daemon=True).start()
    with socket.create_connection((NAME, PORT), timeout=WAIT_S):
        print("reached", flush=True)
    child = subprocess.Popen([sys.executable, "-m", "supervisor"], close_fds=False)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    print(len(reached), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
