"""The commands that run the product on this machine: `up`, `demo`, and what a second start is told."""

import os
import sys

from standalone.demo_world import Phones
from standalone.home import AlreadyRunning, open_home
from standalone.plan import NEEDS, Plan
from standalone.processes import Bell, Processes, StopRequested


def say(text: str) -> None:
    """Show progress to the person; on stderr, because results go to stdout."""
    print(text, end="", file=sys.stderr, flush=True)


def run(*, demo: bool, port: int | None) -> int:
    """Run the product until Ctrl-C; return the exit code. Raises AlreadyRunning or CannotStart."""
    with Bell() as bell, open_home("demo" if demo else "live") as home:
        plan = Plan(home, os.environ, demo=demo, port=port)
        processes = Processes(home, plan.services, NEEDS, bell, say, plan.describe)
        try:
            processes.start()
            if plan.simulator is not None:
                phones = Phones(plan.simulator.facts["control"])
                phones.furnish()
                phones.close()
            print(f"AutoSendr is at {plan.web_url}", flush=True)
            if plan.simulator is not None:
                print(f"The simulated phones are at {plan.simulator.facts['control']}", flush=True)
            say(f"State and logs are in {home.path}. Ctrl-C stops all of it.\n")
            processes.watch()
        except StopRequested:
            say("\n")
        finally:
            processes.stop()
            plan.close()
    return 0


def describe(error: AlreadyRunning) -> str:
    """Return what a second start says: where it runs, as which process, what is where."""
    facts = error.running
    lines = [str(error)]
    if "pid" in facts:
        lines.append(f"  runner: process {facts['pid']} (stop it with Ctrl-C there, or kill {facts['pid']})")
    if "web" in facts:
        lines.append(f"  web: {facts['web']}")
    lines += [f"  {name}: process {pid}" for name, pid in facts.get("processes", {}).items()]
    lines.append(f"  logs: {error.path / 'log'}")
    return "\n".join(lines)
