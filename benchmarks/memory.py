"""How much memory an upsert of many rows takes, its outcomes written out: flat, whatever the size of the file.

    python -m benchmarks.memory --rows 1000000,10000000

Each run is a process of its own: it upserts a file of ten attributes in front of a sink, writes the outcome of every
row as Parquet, and tells the most memory that it ever had. `benchmarks.soak` looks at a run that is killed and gone on
with.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.pairs import Figures, fresh, spend, tell
from benchmarks.people import SEED, TIMES, write
from benchmarks.sink import ROW, Sink
from benchmarks.upsert_sides import KEY

MOST, GROWTH = 300, 1.1  # MB; how many times the peak of the smallest file


def client(path: Path, base_url: str) -> None:
    """Upsert a file and write the outcomes of its rows."""
    import pyarrow.parquet as pq

    import t1data as t1

    journal, outcomes = path.with_suffix(".sqlite"), path.with_suffix(".outcomes.parquet")
    types = TIMES if path.suffix == ".csv" else None

    def work() -> Figures:
        with t1.Client(base_url, KEY, rate=None) as client:
            run = t1.upsert_profiles(client, path, journal=journal, types=types, progress=False)
        run.write_outcomes(outcomes)
        return {"accepted": run.counts["accepted"], "outcomes": pq.read_metadata(outcomes).num_rows}

    spend(work)


def measured(rows: int, suffix: str, folder: Path) -> Figures:
    """Return the peak of one run, and what it cost."""
    path = write(folder / f"people-{rows}.{suffix}", rows)
    with Sink(count=ROW) as sink:
        found = fresh([sys.executable, "-m", "benchmarks.memory", "--client", str(path), sink.base_url])
        came = sink.seen().rows
    size = path.stat().st_size
    for left in folder.iterdir():
        left.unlink()
    if {came, found["accepted"], found["outcomes"]} != {rows}:
        raise SystemExit(f"{rows} rows were to be sent, {came} came: {found}")
    return {
        "peak_mb": round(found["peak_mb"]),
        "file_mb": round(size / 1e6),
        "cpu_us_a_row": round(found["cpu"] / rows * 1e6, 2),
        "seconds": round(found["wall"], 1),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure from the command line."""
    options = _parser().parse_args(arguments)
    if options.client:
        client(Path(options.client[0]), options.client[1])
        return 0
    figures: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="t1data-memory-") as folder:
        for suffix in options.sources:
            found = {f"{rows:_}": measured(rows, suffix, Path(folder)) for rows in options.rows}
            peaks = [each["peak_mb"] for each in found.values()]
            growth = round(peaks[-1] / peaks[0], 3)
            figures[suffix] = {**found, "growth": growth, "reached": max(peaks) <= MOST and growth <= GROWTH}
    return tell("memory", {"seed": SEED, "at_most_mb": MOST, "growth_at_most": GROWTH, **figures})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    many = [1_000_000, 10_000_000]
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=many)
    parser.add_argument("--sources", type=lambda text: text.split(","), default=["parquet", "csv"])
    parser.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
