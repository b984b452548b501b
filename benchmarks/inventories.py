"""What customers hold, 5.0 KB of JSON each: answers to tidy frames, and the way from the server, beside their peers.

    python -m benchmarks.inventories
    python -m benchmarks.inventories --case frames --customers 20000

`frames` are made of answers in memory: by t1data all ten, by pandas (`json_normalize`) and by the official SDK's models
the five that hold rows here; `orjson` merely parses. `fetch` is CPU for a customer from a server that answers at once,
beside a `requests` session. `50ms` has 64 in service at that latency; `ready` sends prebuilt requests through as many
bare sockets in the same run, which is what the machine can do. Imports are not counted; slow sides get fewer customers.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.inventories_sides import IN_FLIGHT
from benchmarks.pairs import Figures, Goal, Side, compare, fresh, summary, tell
from benchmarks.sink import Sink
from benchmarks.stock import answers, write_answers
from tests.sdk.environment import python_with

SEED = 1
LATENCY = 0.05


@dataclass(frozen=True)
class Case:
    """Sides that are compared, each with the share of the customers that it gets, and what is to be reached."""

    sides: Mapping[str, float]
    goals: list[Goal]
    server: Mapping[str, float] = field(default_factory=dict)


CASES = {
    "frames": Case(
        {"t1data": 1, "orjson": 1, "pandas": 0.2, "sdk": 0.1},
        [
            Goal("t1data", "orjson", at_most=6),
            Goal("pandas", "t1data", at_least=5),
            Goal("sdk", "t1data", at_least=7),
        ],
    ),
    "fetch": Case({"fetch": 0.2, "session": 0.05}, [Goal("fetch", "session", at_most=1 / 3)], {"latency": 0.0}),
    "50ms": Case(
        {"wide": 0.5, "ready": 0.5},
        [Goal("ready", "wide", at_least=0.95, of="wall")],
        {"latency": LATENCY, "in_service": IN_FLIGHT},
    ),
}


def run(case: Case, folder: Path, customers: int, pairs: int) -> Figures:
    """Compare the sides of one case."""
    sides = [_side(case, name, folder, max(2, int(customers * share))) for name, share in case.sides.items()]
    found = compare(sides, pairs=pairs)
    figures = summary(found, case.goals)
    if case.server.get("latency"):
        limit = IN_FLIGHT / LATENCY
        shares = {name: statistics.median(1 / run["wall"] / limit for run in runs) for name, runs in found.items()}
        figures["share_of_64_in_flight"] = {name: round(share, 3) for name, share in shares.items()}
    if case.server:
        figures["sink_busy_at_most"] = round(max(run["sink"] for runs in found.values() for run in runs), 2)
    return figures


def _side(case: Case, name: str, folder: Path, customers: int) -> Side:
    path = folder / f"{customers}.ndjson"
    if not path.exists():
        write_answers(path, customers, SEED)
    return Side(name, lambda: _fetched(case, name, path, customers) if case.server else _made(name, path), customers)


def _made(name: str, path: Path) -> Figures:
    return fresh(_command(name, path), env={"T1DATA_PACKAGES": sysconfig.get_path("purelib")})


def _fetched(case: Case, name: str, path: Path, customers: int) -> Figures:
    with Sink(body=next(answers(1, SEED)), **case.server) as sink:
        figures = fresh([*_command(name, path), sink.base_url])
        seen = sink.seen()
    if figures["got"] != customers:
        raise SystemExit(f"{name}: {figures['got']} of {customers} customers came")
    return {**figures, "sink": seen.cpu / figures["wall"]}


def _command(name: str, path: Path) -> list[str]:
    python = str(python_with("new")) if name == "sdk" else sys.executable
    return [python, "-m", "benchmarks.inventories_sides", name, str(path)]


def main(arguments: list[str] | None = None) -> int:
    """Compare from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inventories",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--case", choices=CASES, help="one of them only")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args(arguments)
    cases = [options.case] if options.case else list(CASES)
    with tempfile.TemporaryDirectory(prefix="t1data-inventories-") as folder:
        told = {name: run(CASES[name], Path(folder), options.customers, options.pairs) for name in cases}
    return tell("inventories", {"customers": options.customers, "seed": SEED, **told})


if __name__ == "__main__":
    sys.exit(main())
