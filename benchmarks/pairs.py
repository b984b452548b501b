"""Two or more sides of a comparison, each in a fresh process, by turns: the ratio is what counts, not the seconds.

A script makes `Side`s, each of which starts one process (`fresh`) that does its work within `spend` and so prints what
it cost; `compare` runs them in turn, pair after pair, and `tell` prints one line with the medians of the ratios, their
spread and whether the goals are reached.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One way of doing the work.

    `run` does it once, in a fresh process, and returns its figures; they are divided by `amount` (rows, requests), so
    that a slow side may do less.
    """

    name: str
    run: Callable[[], Figures]
    amount: int = 1


@dataclass(frozen=True)
class Goal:
    """How many times as much one side may spend, or must at least, as another."""

    side: str
    than: str
    at_most: float | None = None
    at_least: float | None = None
    of: str = "cpu"

    def reached(self, ratio: float) -> bool:
        """Whether a ratio is within the goal."""
        return (self.at_most is None or ratio <= self.at_most) and (self.at_least is None or ratio >= self.at_least)


# --- in the fresh process ------------------------------------------------------------------------------


def spend(work: Callable[[], Mapping[str, Any] | None]) -> None:
    """Do the work and print what it cost as one line of JSON, with what the work returns.

    `cpu` and `wall` are seconds of the work alone: what is imported beforehand is not in it. `peak_mb` is of the whole
    process. All threads count.
    """
    before, started = _cpu(), time.perf_counter()
    found = work() or {}
    wall, cpu = time.perf_counter() - started, _cpu() - before
    print(json.dumps({"cpu": cpu, "wall": wall, "peak_mb": peak_mb(), **found}), flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """Return the most memory that this process ever had, in MB.

    From `/proc`, because `ru_maxrss` survives an exec on Linux: a child would be told the size of its parent.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


# --- in the script's own process -----------------------------------------------------------------------


def fresh(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Figures:
    """Run a process to its end and return the figures that stand in its last line."""
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(sides: Sequence[Side], *, pairs: int = 5) -> dict[str, list[Figures]]:
    """Run all sides by turns, every second time in reverse, so that neither always goes first."""
    found: dict[str, list[Figures]] = {side.name: [] for side in sides}
    for turn in range(pairs):
        for side in sides[:: -1 if turn % 2 else 1]:
            found[side.name].append(_per_unit(side.run(), side.amount))
    return found


def _per_unit(figures: Figures, amount: int) -> Figures:
    return {**figures, **{name: figures[name] / amount for name in ("cpu", "wall") if name in figures}}


def ratio(found: Mapping[str, list[Figures]], side: str, than: str, *, of: str = "cpu") -> list[float]:
    """Return the ratio of two sides in each pair."""
    return [mine[of] / theirs[of] for mine, theirs in zip(found[side], found[than], strict=True)]


def summary(found: Mapping[str, list[Figures]], goals: Sequence[Goal] = ()) -> Figures:
    """Return each side's medians (microseconds a unit) and each goal's ratio: median, least, most."""
    sides = {name: _medians(runs) for name, runs in found.items()}
    held = {f"{g.of} {g.side} / {g.than}": _held(found, g) for g in goals if {g.side, g.than} <= found.keys()}
    return {"pairs": max(map(len, found.values())), "sides": sides, "ratios": held}


def _medians(runs: list[Figures]) -> Figures:
    middle = {name: statistics.median(run[name] for run in runs) for name in ("cpu", "wall", "peak_mb")}
    return {
        "cpu_us": round(middle["cpu"] * 1e6, 3),
        "wall_us": round(middle["wall"] * 1e6, 3),
        "peak_mb": round(middle["peak_mb"]),
    }


def _held(found: Mapping[str, list[Figures]], goal: Goal) -> Figures:
    each = ratio(found, goal.side, goal.than, of=goal.of)
    middle = statistics.median(each)
    limit = {"at_most": goal.at_most} if goal.at_most is not None else {"at_least": goal.at_least}
    spread = {"median": round(middle, 2), "least": round(min(each), 2), "most": round(max(each), 2)}
    return {**spread, **limit, "reached": goal.reached(middle)}


def tell(benchmark: str, figures: Mapping[str, Any]) -> int:
    """Print one line: which benchmark by which command on how many cores, and its figures. Return the exit code.

    It is 0 also when a goal is not reached: on a busy machine that says nothing. The line tells it.
    """
    command = " ".join(["python", "-m", f"benchmarks.{benchmark}", *sys.argv[1:]])
    print(json.dumps({"benchmark": benchmark, "command": command, "cores": os.cpu_count(), **figures}))
    return 0
