"""The codes of a run: which belongs to which row, and their frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from msgspec.structs import astuple

from t1data.bulk.cells import ARROW, Kind, legible, to_frame
from t1data.journal.answers import answers_by_batch
from t1data.journal.outcomes import Input
from t1data.journal.reads import read_batch, read_lines, reading
from t1data.referrals.answers import Code, codes_in, match
from t1data.tables.labels import BY_NUMBER

if TYPE_CHECKING:
    import pandas as pd

Held = tuple[int, dict[int, Code]]
"""A batch, and row → code."""

KINDS: Final[Mapping[str, Kind]] = {
    "integration_id": "text",
    "code": "text",
    "friend_integration_id": "text",
    "referral_id": "whole",
    "campaign_id": "whole",
    "usage_limit": "whole",
    "usage_counter": "whole",
    "start_date": "time",
    "expiry_date": "time",
    "created": "time",
}
"""The fields of a `Code`, in their order, and what they are in the frame."""

SCHEMA: Final = pa.schema(
    [("row", pa.int64()), *((name, ARROW[kind]) for name, kind in KINDS.items()), ("batch", pa.int64())]
)

AT_ONCE = 4096  # codes that are held as records; all others are in columns


def code_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return the codes of a run, one line a code, on the input's index (for a file: the row number, from 1).

    Parameters
    ----------
    journal : Path
        Its kept answers are read.
    source : Input, optional
        The advocates are read from it. Without it the lines stand in the order of the answers.

    Returns
    -------
    DataFrame
        ``integration_id, code, friend_integration_id, referral_id, campaign_id, usage_limit, usage_counter, start_date,
        expiry_date, created, batch``; numbers nullable, times in UTC.
    """
    table = table_of(codes_by_batch(journal, source))
    rows, frame = table["row"].to_numpy(), to_frame(table.drop_columns("row"))
    labels = BY_NUMBER if source is None else source.labels
    return frame.set_index(labels.index_of(rows))


def table_of(found: Iterable[Held]) -> pa.Table:
    """Return a line for each code, in the order of the rows, and of the batches for one row."""
    made, rows, batches, codes = list[pa.Table](), list[int](), list[int](), list[Code]()
    for batch, held in found:
        rows.extend(held.keys())
        batches.extend([batch] * len(held))
        codes.extend(held.values())
        if len(codes) >= AT_ONCE:
            made.append(_table(rows, batches, codes))
            rows, batches, codes = [], [], []
    made.append(_table(rows, batches, codes))
    return pa.concat_tables(made).sort_by([("row", "ascending"), ("batch", "ascending")])


def _table(rows: list[int], batches: list[int], codes: list[Code]) -> pa.Table:
    cells = list(chain.from_iterable(map(astuple, codes)))
    columns = [legible(cells[place :: len(KINDS)], kind) for place, kind in enumerate(KINDS.values())]
    return pa.table([pa.array(rows, pa.int64()), *columns, pa.array(batches, pa.int64())], SCHEMA)


def codes_by_batch(journal: Path, source: Input | None) -> Iterator[Held]:
    """Yield the codes that the kept answers hold for rows, each code once."""
    advocates, told = advocates_of(source), set[str]()  # what was found on the server may stand in a first answer too
    with reading(journal) as db:
        for number, body in answers_by_batch(db):
            record = read_batch(db, number)
            apart = {line.row for start, stop in record.spans for line in read_lines(db, start, stop)}
            rows = [row for start, stop in record.spans for row in range(start, stop) if row not in apart]
            held = held_by(rows, body, advocates)
            yield number, {row: code for row, code in held.items() if code.code not in told}
            told.update(code.code for code in held.values())


def held_by(rows: Sequence[int], body: bytes, advocates: Mapping[int, str]) -> dict[int, Code]:
    """Return row → code, of the rows for which an answer has one; where no advocates are known, in its order."""
    try:
        if not advocates:
            return dict(zip(rows, codes_in(body), strict=False))
        found = match([advocates.get(row, "") for row in rows], body).found
    except ValueError:
        return {}
    return {row: code for row, code in zip(rows, found, strict=True) if code is not None}


def advocates_of(source: Input | None) -> dict[int, str]:
    """Return row number → advocate of a whole input."""
    found: dict[int, str] = {}
    for rows, ids in source.ids() if source is not None else ():
        found.update(zip(rows.tolist(), ids.to_pylist(), strict=True))
    return found
