"""How time and memory grow with the rows, up to 50 million: points on a log-log picture, and their slope.

    python -m benchmarks.scaling --job upsert --rows 1000000,3000000,10000000,30000000,50000000
    python -m benchmarks.scaling --job diff
    python -m benchmarks.scaling --job diff-1GB

Each point is one run in a fresh process. The points of a job are kept in `scaling.json` beside the picture
`scaling.png`, so that one job can be measured again without the others; `--keep FOLDER` puts both elsewhere. A slope of
1 on log-log is time that grows as the rows do. The goal is held against CPU; the wall time of a shared machine is told.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.diff_rows import SEED, make_files, tidy
from benchmarks.first import warm_up
from benchmarks.pairs import Figures, fresh, spend, tell
from benchmarks.sink import Sink
from benchmarks.upsert_sides import KEY

HERE = Path(__file__).resolve().parent
PART = 131_072  # rows of a row group
STEEPEST = {"upsert": 1.1, "diff": 1.1, "diff-1GB": 1.3}
MANY = [1_000_000, 3_000_000, 10_000_000, 30_000_000, 50_000_000]


def upsert(rows: int, folder: Path) -> Figures:
    """Upsert a Parquet file with three attributes in front of a sink."""
    path = write(folder / "people.parquet", rows)
    with Sink() as sink:
        return fresh([sys.executable, "-m", "benchmarks.scaling", "--client", str(path), sink.base_url])


def write(path: Path, rows: int) -> Path:
    """Write customers with three attributes, in bounded memory."""
    parts = (tidy(np.arange(low, min(rows, low + PART), dtype=np.uint64), "before") for low in range(0, rows, PART))
    first = next(parts)
    with pq.ParquetWriter(path, first.schema) as out:
        for part in chain([first], parts):
            out.write_table(part)
    return path


def client(path: Path, base_url: str) -> None:
    """Be the process that upserts."""
    import t1data as t1

    warm_up(path.parent)

    def work() -> Figures:
        with t1.Client(base_url, KEY, rate=None) as client:
            run = t1.upsert_profiles(client, path, journal=path.with_suffix(".sqlite"), progress=False)
        assert run.counts["accepted"] == run.rows
        return {}

    spend(work)


def diff(rows: int, folder: Path, *, limit: str) -> Figures:
    """Hold two states of an audience against each other, which may take so much memory."""
    files = map(str, make_files(folder, rows))
    return fresh([sys.executable, "-m", "benchmarks.diff_sides", "t1data", *files, "parquet", limit])


JOBS: dict[str, Callable[[int, Path], Figures]] = {
    "upsert": upsert,
    "diff": partial(diff, limit="16GB"),
    "diff-1GB": partial(diff, limit="1GB"),
}


def point(job: str, rows: int) -> Figures:
    """Run a job once with so many rows, whose files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="t1data-scaling-") as folder:
        found = JOBS[job](rows, Path(folder))
    return {"rows": rows, **{name: round(found[name], 2) for name in ("cpu", "wall", "peak_mb")}}


def slope(points: list[Figures], of: str = "wall") -> float:
    """Return the slope of the line through all points on log-log."""
    rows, values = np.log([[each["rows"], each[of]] for each in points]).T
    return float(np.polyfit(rows, values, 1)[0])


def keep(job: str, points: list[Figures], folder: Path) -> None:
    """Keep the points of a job beside those of others, and draw all that there are."""
    store = folder / "scaling.json"
    kept = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    kept[job] = points
    store.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if lines := {name: each for name, each in kept.items() if len(each) > 1}:
        draw(lines, folder / "scaling.png")


def draw(kept: dict[str, list[Figures]], path: Path) -> None:
    """Draw seconds and CPU seconds of every job over its rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for at, (job, points) in enumerate(sorted(kept.items())):
        for of, style in (("wall", "o-"), ("cpu", "s--")):
            label = f"{job}, {of} seconds: slope {slope(points, of):.2f}"
            axes.loglog([p["rows"] for p in points], [p[of] for p in points], style, color=f"C{at}", label=label)
    axes.set(xlabel="rows", ylabel="seconds", title="Time over rows, one process each")
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> int:
    """Measure a job from the command line."""
    options = _parser().parse_args(arguments)
    if options.client:
        client(Path(options.client[0]), options.client[1])
        return 0
    points: list[Figures] = []
    for rows in options.rows:  # each is kept at once: the last may take longer than anybody waits
        points.append(point(options.job, rows))
        keep(options.job, points, options.keep)
    found = {of: round(slope(points, of), 3) for of in ("wall", "cpu")}
    most = STEEPEST[options.job]
    reached = {"slope_at_most": most, "reached": found["cpu"] <= most}
    return tell("scaling", {"job": options.job, "seed": SEED, "points": points, "slope": found, **reached})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--job", choices=JOBS, default="upsert")
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=MANY)
    parser.add_argument("--keep", type=Path, default=HERE, help="folder of the points and the picture")
    parser.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
