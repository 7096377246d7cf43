"""What a process does to itself, tried out in processes of their own."""

import subprocess
import sys

from standalone.home import REPOSITORY


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False)


def test_only_the_kept_descriptors_stay_open() -> None:
    program = (
        "import os\n"
        "from enclave.hardening import close_descriptors_except\n"
        "a, b = os.pipe(); c, d = os.pipe()\n"
        "close_descriptors_except([b, d])\n"
        "for n in (a, b, c, d):\n"
        "    try: os.fstat(n); print('open')\n"
        "    except OSError: print('closed')\n"
    )
    assert run(program).stdout.split() == ["closed", "open", "closed", "open"]


def test_silenced_outputs_reach_nobody() -> None:
    program = (
        "import os\nfrom enclave.hardening import silence\nsilence()\nos.write(1, b'secret'); os.write(2, b'secret')\n"
    )
    ended = run(program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_process_whose_parent_is_another_one_leaves() -> None:
    program = "from enclave.hardening import die_with_parent\ndie_with_parent(1 << 30)\nprint('still here')\n"
    ended = run(program)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_later_changes_of_the_environment_are_not_those_at_exec() -> None:
    program = (
        "import os\n"
        "from enclave.hardening import environment_at_exec\n"
        "os.environ['ADDED_LATER'] = '1'\n"
        "print('ADDED_LATER' in environment_at_exec(), 'PATH' in environment_at_exec())\n"
    )
    assert run(program).stdout.split() == ["False", "True"]
