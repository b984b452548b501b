"""Two states of an audience held against each other: t1data, the bare DuckDB query, pandas and polars.

    python -m benchmarks.diff --rows 10000000
    python -m benchmarks.diff --rows 50000000 --limit 1GB --only t1data,bare --pairs 1
    python -m benchmarks.diff --rows 1000000 --source frame --only t1data,bare
    python -m benchmarks.diff --rows 10000000 --judge

Both sides have as many customers, with ids of 18 characters in an order of their own; 5 % left, 5 % joined, and of 2 %
one of three attributes changed. All sides must count the same, or the script fails. `--judge` looks at untidy states,
with twins, duplicates and missing values, and holds every row that t1data gives against an oracle in SQL of its own;
it prints what is wrong and ends with 1. `diff_sides` holds what each side does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.diff_judge import judge
from benchmarks.diff_rows import SEED, make_files
from benchmarks.pairs import Figures, Goal, Side, compare, fresh, summary, tell

SIDES = ("t1data", "bare", "pandas", "polars")
SOURCES = ("parquet", "csv", "frame", "arrow")
FILES_ONLY = ("pandas", "polars")
GOALS = (
    Goal("t1data", "bare", at_most=1.25),
    Goal("t1data", "bare", at_most=1.25, of="wall"),
    Goal("pandas", "t1data", at_least=20),
    Goal("pandas", "t1data", at_least=20, of="wall"),
    Goal("polars", "t1data", at_least=1),
    Goal("polars", "t1data", at_least=1, of="wall"),
)


def side(name: str, files: tuple[Path, Path], options: argparse.Namespace) -> Side:
    """Return one side."""
    before, after = map(str, files)
    command = [sys.executable, "-m", "benchmarks.diff_sides", name, before, after, options.source, options.limit]
    return Side(name, lambda: fresh(command), options.rows)


def check_counts(found: dict[str, list[Figures]]) -> list[int]:
    """Return how many were added, removed and changed; end the script when two sides do not agree."""
    counted = [(name, run["counts"]) for name, runs in found.items() for run in runs]
    if any(counts != counted[0][1] for _, counts in counted):
        raise SystemExit(f"the sides do not agree: {counted}")
    counts: list[int] = counted[0][1]
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Compare, or judge, from the command line."""
    options = _parser().parse_args(arguments)
    names = [name for name in SIDES if name in options.only]
    if options.source != "parquet" and set(names) & set(FILES_ONLY):
        raise SystemExit(f"{' and '.join(FILES_ONLY)} read Parquet here: say --only t1data,bare")
    with ExitStack() as stack:
        folder = (
            options.data.resolve()
            if options.data
            else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="t1data-diff-")))
        )
        if options.judge:
            return judge(folder, options.rows, limit=options.limit)
        files = make_files(folder, options.rows, as_csv=options.source == "csv")
        found = compare([side(name, files, options) for name in names], pairs=options.pairs)
    what = {"rows": options.rows, "source": options.source, "limit": options.limit, "seed": SEED}
    return tell("diff", {**what, "counts": check_counts(found), **summary(found, GOALS)})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.diff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="of each side")
    parser.add_argument("--source", choices=SOURCES, default="parquet")
    parser.add_argument("--limit", default="1GB", help="what the engine may hold, of t1data and of the bare query")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SIDES), help="sides, with commas")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where files are made once, and stay")
    parser.add_argument("--judge", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
