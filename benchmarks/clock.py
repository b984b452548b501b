"""Let the clock of a whole process jump while it sends, and judge that nothing but its labels has changed.

python -m benchmarks.clock --jumps -7200 86400

The clock is put in place before anything of t1data is loaded, so that no default value holds the real one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROWS, LIMIT, ASKED = 400, 20, 0.3  # seconds that the server asks to wait, twice
LONGEST = 15.0  # seconds; a wait by a clock that jumps back two hours takes longer


class Clock:
    """A calendar that can be put forward or back."""

    def __init__(self) -> None:
        self._real, self._offset = time.time, 0.0

    def __call__(self) -> float:
        """Tell the time as this calendar has it."""
        return self._real() + self._offset

    def put(self, seconds: float) -> None:
        """Put it forward by so many seconds, or back."""
        self._offset = seconds


def play(jump: float, *, broken: bool) -> list[str]:
    """Run one upsert in this process while the clock jumps; return what was violated."""
    clock, real_monotonic = Clock(), time.monotonic
    time.time = clock
    if broken:
        time.monotonic = clock
    import random
    import tempfile

    from benchmarks.account import Account, Exchange, honest
    from benchmarks.cases import make_case
    from benchmarks.jobs import Order, set_up, work
    from benchmarks.judge import LEAKS, Rest, judge_end, judge_manners, judge_rest, read_outcomes
    from benchmarks.mixes import busy
    from tests.fault_server import FaultServer

    def slowly(exchange: Exchange) -> bool:
        exchange.caller.closing.wait(0.02)
        return honest(exchange)

    def refused(exchange: Exchange) -> bool:
        kept = busy({"Retry-After": str(ASKED)})(exchange)
        exchange.caller.closing.wait(ASKED / 3)  # real time, whatever the clock says
        clock.put(jump)  # while the client waits
        return kept

    case = make_case(random.Random(1), batch_limit=LIMIT, batches=ROWS // LIMIT)
    account = Account(treat=lambda number: ("429", refused) if number in (3, 9) else ("honest", slowly), bad=case.bad)
    with tempfile.TemporaryDirectory(prefix="t1data-clock-") as folder, FaultServer(account.act) as server:
        here = Path(folder)
        case.write(here / "people.csv")
        files = {"input": "people.csv", "journal": "run.sqlite", "outcomes": "outcomes.csv"}
        paths = {name: str(here / file) for name, file in files.items()}
        order = Order(job="upsert_profiles", step="begin", url=server.url, connections=2, batch_limit=LIMIT, **paths)
        began = real_monotonic()
        with set_up(order):
            work(order)
            work(Order(**{**vars(order), "step": "outcomes"}))
        took = real_monotonic() - began
        outcomes, wrong = read_outcomes(here / "outcomes.csv", case)
    rest = Rest(outcomes, len(account.ledger))
    wrong += judge_rest(case, account.ledger, rest, most_in_doubt=0) + judge_end(case, account.ledger, [rest])
    wrong += judge_manners(account.ledger, connections=2)
    wrong += [
        f"P12: request {late.number} came while everybody had to wait"
        for first in account.ledger
        for late in account.ledger
        if first.asked and first.left + ASKED / 5 < late.arrived < first.left + first.asked - LEAKS
    ]
    return wrong + ([f"P11: it took {took:.0f} s"] if took > LONGEST else [])


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when anything was violated."""
    options = _parser().parse_args(arguments)
    if options.one is not None:
        print("\n".join(play(options.one, broken=options.broken)))
        return 0
    from benchmarks.figures import report

    started, wrong = time.monotonic(), list[str]()
    for jump in options.jumps:
        wrong += [f"a jump of {jump:+.0f} s: {said}" for said in in_a_process(jump, broken=options.broken)]
    figures: dict[str, Any] = {"harness": "clock", "jumps": options.jumps, "broken": options.broken}
    figures |= {"seconds": round(time.monotonic() - started, 1), "violations": len(wrong)}
    return report(figures, wrong)


def in_a_process(jump: float, *, broken: bool) -> list[str]:
    """Play in a process of its own, whose clock it is."""
    command = [sys.executable, "-m", "benchmarks.clock", "--one", str(jump), *(["--broken"] if broken else [])]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return [f"P11: it did not end in {LONGEST:.0f} s"]
    if done.returncode:
        return [f"it failed: {done.stderr[-500:]}"]
    return [line for line in done.stdout.splitlines() if line]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clock", description=__doc__)
    parser.add_argument("--jumps", type=float, nargs="+", default=[-7200.0, -86400.0, 3600.0, 86400.0, 4e8])
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--broken", action="store_true", help="let all waits go by the clock that jumps")
    return parser


if __name__ == "__main__":
    sys.exit(main())
