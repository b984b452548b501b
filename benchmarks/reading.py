"""Runs of one row a request: what a row costs in memory while it is read, opened, written out and gone on with.

python -m benchmarks.reading --rows 1000000 --fetch 50000

A journal of so many one-row batches is made through `Journal` itself, without a request. Then each step is done in a
process of its own, for all rows and for `SMALL` of them: the difference of the two peaks is what the rows cost. Last,
`fetch_inventories` reads customers for real, from a server in a process of its own: all, and half of them, since what
Arrow's pool takes at first, some 30 MB, is no customer's. Peaks and CPU a row are told of few and of all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import report
from benchmarks.jobs import KEY
from benchmarks.sink import Sink

ROOT = Path(__file__).resolve().parents[1]
SMALL = 2_000  # rows of the runs that are taken for nothing
PART = 100_000
MOST_MEMORY, MOST_A_ROW = 300.0, 100.0  # MB; bytes
NOWHERE = "http://127.0.0.1:9"  # nothing listens: a request would be an error
SECTIONS = ["profile", "coupons", "loyalty"]
BODY = json.dumps(
    {
        "profile": {"integrationId": "customer", "attributes": {"Name": "Ada", "Points": 12}, "closedSessions": 3},
        "coupons": [{"id": 7, "value": "SUMMER-7", "state": "active", "usageLimit": 1, "usageCounter": 0}],
        "loyalty": {"programs": {}},
    },
    separators=(",", ":"),
).encode()


def write_ids(path: Path, rows: int) -> None:
    """Write the ids of customers, in bounded memory."""
    schema = pa.schema([("integration_id", pa.string())])
    with pq.ParquetWriter(path, schema) as out:
        for start in range(0, rows, PART):
            ids = [f"customer-{number:09d}" for number in range(start, min(rows, start + PART))]
            out.write_table(pa.table({"integration_id": ids}, schema=schema))


def make(folder: Path, *, base_url: str = NOWHERE, body: bytes = BODY, most: int | None = None) -> None:
    """Make the journal of a run that has read every customer, or only so many, one in fifty unknown, as the engine."""
    from t1data.bulk.named import name_rows
    from t1data.inventories.fetch import JOB
    from t1data.journal.store import Journal

    path = folder / "ids.parquet"
    named = name_rows(path, id="integration_id")
    recipe = {"path": str(path), "id": "integration_id", "allow_suspect_ids": False}
    facts = named.facts() | {"layout": {"include": SECTIONS}, "recipe": recipe, "types": {}}
    with Journal(folder / "run.sqlite", durable=False) as record:
        record.begin("a-run", JOB, base_url=base_url, facts=facts, rows=named.survey.rows)
        for row in range(most or named.survey.rows):
            number = row + 1
            record.plan(number, [(row, number)], 1)
            record.intend(number)
            if number % 50:
                record.keep_answer(number, body, status=200, attempts=1, waited=0.0)
                record.settle(number, "accept")
            else:
                record.settle(number, "refuse", status=404, attempts=1, reason="not_found", message="no such customer")
        record.finish(stopped=None)


def open_it(folder: Path) -> None:
    """Open the run and count its outcomes."""
    import t1data as t1

    assert t1.open_run(folder / "run.sqlite").complete


def write_it(folder: Path) -> None:
    """Write the outcome of every row."""
    import t1data as t1

    t1.open_run(folder / "run.sqlite").write_outcomes(folder / "outcomes.parquet", overwrite=True)


def read_it(folder: Path) -> None:
    """Go through the answers in the order of the rows."""
    from t1data.journal.answers import answers_by_row

    last = -1
    for row, _ in answers_by_row(folder / "run.sqlite"):
        assert row > last
        last = row


def tables(folder: Path) -> None:
    """Write the tables and the outcomes, as a fetch does at its end."""
    import t1data as t1
    from t1data.bulk.named import name_rows
    from t1data.inventories.record import inventories_of

    source = name_rows(folder / "ids.parquet", id="integration_id").input()
    inventories_of(t1.open_run(folder / "run.sqlite"), source).write(folder / "tables", overwrite=True)


def go_on(folder: Path) -> None:
    """Go on with the run: nothing is left to be sent, and nothing is."""
    import t1data as t1
    from t1data.bulk.named import name_rows
    from t1data.bulk.run import Going
    from t1data.history import read_head_of
    from t1data.inventories.fetch import read_all

    journal, named = folder / "run.sqlite", name_rows(folder / "ids.parquet", id="integration_id")
    with t1.Client(NOWHERE, KEY) as client:  # not by `resume`, which first makes sure that somebody listens
        read_all(client, named, read_head_of(journal).facts, going=Going(journal, progress=False))


def fetch(folder: Path) -> None:
    """Read customers for real and write their tables."""
    import t1data as t1

    with Sink(body=BODY) as sink, t1.Client(sink.base_url, KEY, rate=None) as client:
        t1.fetch_inventories(
            client,
            folder / "ids.parquet",
            journal=folder / "fetched.sqlite",
            to=folder / "tables",
            overwrite=True,
            progress=False,
        )


STEPS: dict[str, Callable[[Path], None]] = {
    "make": make,
    "open": open_it,
    "outcomes": write_it,
    "answers": read_it,
    "tables": tables,
    "resume": go_on,
    "fetch": fetch,
}


def peak() -> float:
    """Return the most memory that this process has had in RAM, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def live(step: str, folder: Path) -> dict[str, float]:
    """Do a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reading", "--step", step, "--home", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(rows: int, fetched: int, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each step with its figures."""
    for steps, many, least in ((list(STEPS)[:-1], rows, SMALL), (["fetch"], fetched, max(SMALL, fetched // 2))):
        if many:
            few, all_ = folder / f"few-{many}", folder / f"all-{many}"
            for place, count in ((few, least), (all_, many)):
                place.mkdir()
                write_ids(place / "ids.parquet", count)
            for step in steps:
                yield step, _compared(live(step, few), live(step, all_), many, least)


def _compared(few: dict[str, float], all_: dict[str, float], rows: int, least: int) -> dict[str, Any]:
    return {
        "rows": rows,
        "seconds": round(all_["seconds"], 1),
        "us_a_row": [round(found["cpu"] * 1e6 / count) for found, count in ((few, least), (all_, rows))],
        "peak_mb": [round(found["peak_mb"], 1) for found in (few, all_)],
        "bytes_a_row": round((all_["peak_mb"] - few["peak_mb"]) * 1e6 / max(1, rows - least)),
    }


def _last(found: Any) -> float:
    return float(found[-1] if isinstance(found, list) else found)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when a limit was passed."""
    options = _parser().parse_args(arguments)
    if options.step:
        started = time.monotonic()
        STEPS[options.step](options.home)
        print(json.dumps({"seconds": time.monotonic() - started, "cpu": time.process_time(), "peak_mb": peak()}))
        return 0
    with tempfile.TemporaryDirectory(prefix="t1data-reading-") as folder:
        figures = dict(measured(options.rows, options.fetch, Path(folder)))
    wrong = [
        f"{step}: {name} is {_last(found[name])}, and may be {most:g}"
        for step, found in figures.items()
        for name, most in (("peak_mb", MOST_MEMORY), ("bytes_a_row", MOST_A_ROW))
        if _last(found[name]) > most
        and (name == "peak_mb" or found["rows"] >= PART)  # below it noise is larger than rows
    ]
    return report({"harness": "reading", **figures, "violations": len(wrong)}, wrong)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the journal that is made")
    parser.add_argument("--fetch", type=int, default=50_000, help="customers that are read for real")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
