"""What a customer costs on its way from a file or a frame to the server: t1data, merely reading, and its peers.

    python -m benchmarks.upsert --rows 1000000
    python -m benchmarks.upsert --source csv --only t1data,read
    python -m benchmarks.upsert --shape wide --rows 100000

t1data runs as its users run it, by `upsert_profiles` with checks, journal and outcomes on; `read` merely reads the file
with pyarrow; `requests` is a loop over `to_dict("records")`; `sdk` is the official SDK from the package index at 1000
customers a request, `sdk-one` at one. The slow sides get fewer rows; all figures are of one row, imports not counted.
`upsert_sides` holds what each side does.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks.pairs import Figures, Goal, Side, compare, fresh, summary, tell
from benchmarks.people import SEED, SHAPES, write
from benchmarks.sink import ROW, Sink
from tests.sdk.environment import python_with

FEWER = {"requests": 100_000, "sdk": 50_000, "sdk-one": 3_000}
SIDES = ("t1data", "read", *FEWER)
SOURCES = ("parquet", "csv", "frame", "objects")


def goals(source: str) -> list[Goal]:
    """Return what is to be reached."""
    most = 3.5 if source == "csv" else 5.0
    return [
        Goal("t1data", "read", at_most=most),
        Goal("requests", "t1data", at_least=25),
        Goal("sdk", "t1data", at_least=40),
        Goal("sdk-one", "t1data", at_least=400),
    ]


def side(name: str, folder: Path, options: argparse.Namespace) -> Side:
    """Return one side, with the file that it reads."""
    rows = min(options.rows, FEWER.get(name, options.rows))
    return Side(name, lambda: _run(name, _file(folder, rows, options), options.source, rows), rows)


def _file(folder: Path, rows: int, options: argparse.Namespace) -> Path:
    suffix = "csv" if options.source == "csv" else "parquet"
    path = folder / f"{options.shape}-{rows}.{suffix}"
    return path if path.exists() else write(path, rows, options.shape)


def _run(name: str, path: Path, source: str, rows: int) -> Figures:
    """Run one side once, in front of a sink of its own, and see that all rows came."""
    (path.parent / "run.sqlite").unlink(missing_ok=True)
    python = str(python_with("new")) if name.startswith("sdk") else sys.executable
    with Sink(count=ROW) as sink:
        command = [python, "-m", "benchmarks.upsert_sides", name, str(path), source, sink.base_url]
        figures = fresh(command, env={"T1DATA_PACKAGES": sysconfig.get_path("purelib")})
        seen = sink.seen()
    came = {"read": rows, "sdk-one": seen.requests}.get(name, seen.rows)
    if came != rows:
        raise SystemExit(f"{name}: {came} of {rows} rows came")
    return {**figures, "sink": seen.cpu / figures["wall"]}


def main(arguments: list[str] | None = None) -> int:
    """Compare from the command line."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="t1data-upsert-") as folder:
        sides = [side(name, Path(folder), options) for name in SIDES if name in options.only]
        found = compare(sides, pairs=options.pairs)
    what = {"rows": options.rows, "source": options.source, "shape": options.shape, "seed": SEED}
    busiest = max(run["sink"] for runs in found.values() for run in runs)
    return tell("upsert", {**what, **summary(found, goals(options.source)), "sink_busy_at_most": round(busiest, 2)})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.upsert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--source", choices=SOURCES, default="parquet")
    parser.add_argument("--shape", choices=SHAPES, default="plain")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SIDES), help="sides, with commas")
    return parser


if __name__ == "__main__":
    sys.exit(main())
