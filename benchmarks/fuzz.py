"""Files and tables made and mutated by seed, through reader, checks and encoder, against an exact oracle.

python -m benchmarks.fuzz --files 20000 --seed 1

Three in four are CSV files, one in four is an Arrow table, every second of these through a Parquet file. In process.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import report
from benchmarks.fuzz_arrow import make_table
from benchmarks.fuzz_csv import TYPES, make_csv
from benchmarks.fuzz_rows import Due, Invalid, Same, Sent, agrees
from t1data.bulk.batches import EncodedRows
from t1data.errors import InputError
from t1data.profiles.prepare import Options, prepare

CSV_OPTIONS = Options(types=TYPES, delimiter=",", allow_suspect_ids=True)
ARROW_OPTIONS = Options(allow_suspect_ids=True)
MOST = 5  # violations after which a harness has seen enough

Alter = Callable[[EncodedRows], EncodedRows]


def read(data: Any, options: Options, *, alter: Alter = lambda rows: rows) -> dict[int, Due] | None:
    """Let the package read an input; return what becomes of each row, or None when it refuses the whole."""
    found: dict[int, Due] = {}
    try:
        for part in prepare(data, options).parts():
            rows = alter(part.rows)
            for line in rows.lines:
                found[line.row] = Invalid(frozenset({line.reason})) if line.same_as is None else Same(line.same_as)
            for row, piece in zip(rows.rows.tolist(), rows.pieces.to_pylist(), strict=True):
                found[row] = _sent(piece)
    except InputError:
        return None
    return found


def _sent(piece: bytes) -> Sent:
    def number(text: str) -> tuple[str, str]:
        return "number", text

    profile = json.loads(piece.rstrip(b","), parse_float=number, parse_int=number, parse_constant=number)
    return Sent(profile["integrationId"], profile["attributes"])


def compare(found: dict[int, Due] | None, due: dict[int, Due] | None) -> str | None:
    """Say what differs, if anything does."""
    if found is None or due is None:
        return None if found is due else f"the file was {'refused' if found is None else 'read'}, and must not be"
    for row in sorted(found.keys() | due.keys()):
        if row not in due or not agrees(_as_due(found.get(row), due[row]), due[row]):
            return f"row {row + 1}: became {found.get(row)}, due {due.get(row)}"
    return None


def _as_due(found: Due | None, due: Due) -> Due | None:
    """Read numbers and times that may be written in several ways as what they mean, where the oracle asks for that."""
    if not (isinstance(found, Sent) and isinstance(due, Sent)):
        return found
    read = {name: _meant(value, due.attributes.get(name)) for name, value in found.attributes.items()}
    return replace(found, attributes=read)


def _meant(value: Any, due: Any) -> Any:
    if isinstance(due, tuple) and isinstance(value, str) and due[0] == "time":
        return "time", datetime.fromisoformat(value).astimezone(UTC)
    if not (isinstance(due, tuple) and isinstance(value, tuple)):
        return value
    if due[0] == "float":
        return _float(value[1], due[1])
    return value


def _float(text: str, due: float) -> Any:
    """Take a float's text for the float: the same number, in no more digits than its own width needs."""
    single = (
        len(text) < len(repr(due)) and pd.Series([text]).astype("float32")[0] == pd.Series([due]).astype("float32")[0]
    )
    return ("float", due) if float(text) == due or single else ("float", text)


def fuzz_one(seed: str, folder: Path, wound: str | None) -> tuple[str, str | None, int]:
    """Make one input, read it, compare; return its kind, what differs, and its number of rows."""
    chance = random.Random(seed)
    alter = ALTERATIONS.get(wound or "", lambda rows: rows)
    if chance.random() < 0.75:
        path = folder / "people.csv"
        made = make_csv(chance)
        path.write_bytes(made.content)
        data = _by_pandas(path) if wound == "pandas-reader" else path
        options = CSV_OPTIONS if data is path else ARROW_OPTIONS
        return "csv", compare(read(data, options, alter=alter), made.due), len(made.due or ())
    case = make_table(chance)
    data = case.table
    if chance.random() < 0.5:
        data = folder / "people.parquet"
        pq.write_table(case.table, data, row_group_size=chance.choice((1, 7, 1000)))
    return "arrow", compare(read(data, ARROW_OPTIONS, alter=alter), case.due), len(case.due)


def _by_pandas(path: Path) -> Any:
    """Read a file as everybody does."""
    try:
        return pd.read_csv(path)
    except (ValueError, pd.errors.ParserError):
        return path


def _later(rows: EncodedRows) -> EncodedRows:
    return replace(rows, rows=rows.rows + 1)


def _rotated(rows: EncodedRows) -> EncodedRows:
    order = [*range(1, len(rows.rows)), 0][: len(rows.rows)]
    return replace(rows, pieces=rows.pieces.take(pa.array(order, pa.int64())))


def _silent(rows: EncodedRows) -> EncodedRows:
    return replace(rows, lines=[])


def _without_zeros(rows: EncodedRows) -> EncodedRows:
    pieces = [piece.replace(b'":"0', b'":"') for piece in rows.pieces.to_pylist()]
    return replace(rows, pieces=pa.array(pieces, rows.pieces.type))


ALTERATIONS: dict[str, Alter] = {
    "off-by-one": _later,
    "rotated-values": _rotated,
    "silent-about-problems": _silent,
    "drops-leading-zeros": _without_zeros,
}
WOUNDS = ("pandas-reader", *ALTERATIONS)


def run(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Fuzz as many inputs as asked, or until enough is wrong."""
    kinds, rows, refused, wrong = Counter[str](), 0, 0, list[str]()
    started = time.monotonic()
    seeds = [options.only] if options.only else (f"{options.seed}-{number}" for number in range(1, options.files + 1))
    for seed in seeds:
        kind, differs, count = fuzz_one(seed, folder, options.broken)
        kinds[kind] += 1
        rows += count
        refused += not count
        if differs:
            wrong.append(f"seed {seed}: {kind}: {differs}")
        if len(wrong) >= MOST or time.monotonic() > started + 60 * options.minutes:
            break
    seconds = time.monotonic() - started
    figures = {"files": kinds.total(), **kinds, "rows": rows, "files_to_refuse": refused}
    return figures | {"files_a_second": round(kinds.total() / seconds), "seconds": round(seconds, 1)}, wrong


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when anything differs."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="t1data-fuzz-") as folder:
        figures, wrong = run(options, Path(folder))
        if wrong:
            figures["again"] = f"python -m benchmarks.fuzz --only {wrong[0].split(':')[0].removeprefix('seed ')}"
    return report(
        {"harness": "fuzz", "seed": options.seed, "broken": options.broken, **figures, "violations": len(wrong)}, wrong
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop earlier, after so long")
    parser.add_argument("--only", help="one input, by the name that a violation gives it")
    parser.add_argument("--broken", choices=WOUNDS, help="read with a broken reader or encoder, which must be noticed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
