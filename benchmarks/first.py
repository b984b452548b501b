"""How long a person waits for the first request: from the call until it has arrived, imports done.

    python -m benchmarks.first --rows 10000,1000000,10000000

`upsert_profiles` looks over all ids before it sends any row: a row may go out only when no later one contradicts
it; what that takes is told in seconds a million rows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.pairs import Figures, Side, compare, fresh, spend, tell
from benchmarks.people import SEED, TIMES, write
from benchmarks.sink import Sink
from benchmarks.upsert_sides import KEY

GOAL = 0.2  # seconds
FEW = 10  # rows of the first call, by which all is imported


def upsert(path: Path, base_url: str) -> None:
    """Upsert a file, and end the run when its first batches have gone."""
    import t1data as t1

    control = t1.Control()
    types = TIMES if path.suffix == ".csv" else None
    with t1.Client(base_url, KEY, rate=None) as client:
        t1.upsert_profiles(
            client,
            path,
            journal=path.parent / f"{time.monotonic_ns()}.sqlite",
            types=types,
            control=control,
            progress=lambda progress: control.stop() if progress.requests else None,
        )


def warm_up(folder: Path, suffix: str = "parquet") -> None:
    """Import all that an upsert needs, by one of a few rows."""
    path = folder / f"few.{suffix}"
    path.exists() or write(path, FEW)
    with Sink() as sink:
        upsert(path, sink.base_url)


def client(path: Path) -> None:
    """Be the process: import all by a call for few rows, then make the one that is measured."""
    warm_up(path.parent, path.suffix.removeprefix("."))
    with Sink() as sink:
        spend(lambda: _timed(path, sink))


def _timed(path: Path, sink: Sink) -> Figures:
    called = time.monotonic()
    upsert(path, sink.base_url)
    return {"first": sink.seen().first - called}


def measured(rows: int, suffix: str, pairs: int, folder: Path) -> dict[str, Any]:
    """Return the seconds until the first request, for a file of so many rows."""
    path = write(folder / f"people-{rows}.{suffix}", rows)
    command = [sys.executable, "-m", "benchmarks.first", "--client", str(path)]
    found = compare([Side("t1data", lambda: fresh(command))], pairs=pairs)["t1data"]
    seconds = statistics.median(run["first"] for run in found)
    return {"seconds": round(seconds, 3), "a_million": round(seconds / rows * 1e6, 3), "reached": seconds <= GOAL}


def main(arguments: list[str] | None = None) -> int:
    """Measure from the command line."""
    options = _parser().parse_args(arguments)
    if options.client:
        client(options.client)
        return 0
    with tempfile.TemporaryDirectory(prefix="t1data-first-") as folder:
        figures = {
            f"{rows:_} {suffix}": measured(rows, suffix, options.pairs, Path(folder))
            for suffix in options.sources
            for rows in options.rows
        }
    return tell("first", {"seed": SEED, "pairs": options.pairs, "at_most_s": GOAL, **figures})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    many = [10_000, 1_000_000]
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=many)
    parser.add_argument("--sources", type=lambda text: text.split(","), default=["parquet", "csv"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--client", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
