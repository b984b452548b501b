"""What it takes until t1data is there: `import t1data` and `t1data --help` beside a Python that does nothing.

python -m benchmarks.start

All in milliseconds. What is imported is held by `tests/test_house.py`; this only tells the time.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

from benchmarks.pairs import Figures, Goal, Side, compare, summary, tell

MOST = 8
HELP = "import sys; sys.argv[1:] = ['--help']; from t1data.cli import main; main()"
PROGRAMS = {"bare": "pass", "import": "import t1data", "help": HELP}
GOALS = [Goal(name, "bare", at_most=MOST, of=of) for name in ("import", "help") for of in ("cpu", "wall")]


def run(program: str) -> Figures:
    """Run a program in a fresh process and return what it cost; its memory is not looked at."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu": after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
        "wall": wall,
        "peak_mb": 0,
    }


def main(arguments: list[str] | None = None) -> int:
    """Compare from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args(arguments)
    found = compare(
        [Side(name, lambda program=program: run(program)) for name, program in PROGRAMS.items()], pairs=options.pairs
    )
    keeps = "writes" if not sys.dont_write_bytecode else "does not write"
    return tell("start", {**summary(found, GOALS), "python": f"{keeps} bytecode"})


if __name__ == "__main__":
    sys.exit(main())
