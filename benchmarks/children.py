"""Processes to kill: a parent that has everything imported forks one for each order, so that a kill costs milliseconds.

Orders come as lines of JSON on standard input; for each the child's pid and then its status go out. The parent has one
thread only, so that a fork is safe; the child runs t1data's public functions as any process would.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from contextlib import nullcontext, suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.jobs import Order

ROOT = Path(__file__).resolve().parents[1]
HANGS = 90.0  # seconds after which a child is called hung; a run takes less than one


class Nursery:
    """The parent of the children, as the harness sees it."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.children"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def start(self, order: Order) -> int:
        """Fork a child for an order; return its pid."""
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        self._parent.stdin.flush()
        return self._read()

    def ended(self, seconds: float) -> bool:
        """Wait so long at most for the child to end; tell whether it did."""
        return bool(select.select([self._parent.stdout], [], [], max(0.0, seconds))[0])

    def status(self) -> int:
        """Return how the child ended, as `os.waitstatus_to_exitcode` does."""
        return self._read()

    def close(self) -> None:
        """End the parent; no child is alive then."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.wait(10)
        self._parent.stdout.close()
        self._log.close()

    def _read(self) -> int:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline()
        if not line:
            raise RuntimeError(f"the parent of the children ended; see {self._log.name}")
        return int(line)


def kill(pid: int) -> None:
    """Kill a child that may be gone already: its parent reports it before any pid can be used again."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _serve() -> None:
    for name in (
        "pandas",
        "pyarrow.csv",
        "pyarrow.parquet",
        "t1data.history",
        "t1data.profiles.resume",
        "t1data.referrals.reconcile",
    ):
        import_module(name)  # what a run loads on first use is loaded once, here

    out = os.dup(1)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(Order(**json.loads(line)))
        os.write(out, f"{pid}\n".encode())
        os.write(out, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n".encode())


def _live(order: Order) -> None:
    os.dup2(2, 1)
    try:
        _obey(order)
    except BaseException:  # noqa: BLE001 - a child ends here, whatever it was
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _obey(order: Order) -> None:
    from benchmarks import failpoints, wounds
    from benchmarks.jobs import has_run, set_up, work

    if order.step == "outcomes" and not has_run(Path(order.journal)):
        os._exit(NO_RUN)
    with set_up(order), wounds.WOUNDS[order.wound]() if order.wound else nullcontext():
        if order.fail:
            failpoints.arm(order.fail)
        work(order)


NO_RUN = 3

if __name__ == "__main__":
    _serve()
