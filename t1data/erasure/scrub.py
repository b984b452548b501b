"""Answers, files and hashes without some people."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from t1data.body import encode_body
from t1data.bulk.refusals import MASK
from t1data.errors import InputError
from t1data.tables.choices import ID, choose_id
from t1data.tables.ids import read_ids
from t1data.writing import replacing

_TELLING = 8  # an id of fewer characters inside a longer text is too likely something else, such as part of a code
_GUEST = "friend"  # what begins so names somebody in a record that is another one's: the record stays
_GONE = object()


def scrubber(people: Collection[str]) -> Callable[[bytes], bytes]:
    """Return what takes some people out of an answer that was kept.

    What names one of them goes whole: a referral, a profile, an entry of a list. The rest stays as it is. An answer
    that cannot be read, and holds one of the ids, goes whole too.

    Examples
    --------
    >>> scrubber(["ada"])(b'{"data": [{"advocate": "ada", "code": "A1"}, {"advocate": "bob", "code": "B2"}]}')
    b'{"data":[{"advocate":"bob","code":"B2"}]}'
    """
    known, inside = frozenset(people), _inside(people)
    raw = [form for id_ in people for form in _forms(id_)]

    def scrub(body: bytes) -> bytes:
        try:
            answer = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
            left = _without(answer, known, inside)
            return body if left == answer else bytes(encode_body(left if isinstance(left, dict) else {}))
        except (ValueError, RecursionError):  # no JSON that could be written again as it was
            return b"" if any(form in body for form in raw) else body

    return scrub


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)  # NaN and Infinity, which Python's parser takes, are no JSON


def _without(value: Any, people: frozenset[str], inside: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return _GONE if value in people else _masked(value, inside)
    if isinstance(value, list):
        left = (_without(item, people, inside) for item in value)
        return [item for item in left if item is not _GONE]
    if not isinstance(value, dict):
        return value
    kept = {name: _without(item, people, inside) for name, item in value.items() if name not in people}
    guests = {name: MASK for name, item in kept.items() if item is _GONE and name.startswith(_GUEST)}
    return _GONE if any(item is _GONE for item in (kept | guests).values()) else kept | guests


def _masked(text: str, inside: re.Pattern[str] | None) -> str:
    return text if inside is None else inside.sub(MASK, text)


def _inside(people: Collection[str]) -> re.Pattern[str] | None:
    telling = [re.escape(id_) for id_ in people if len(id_) >= _TELLING]
    if not telling:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(telling, key=len, reverse=True))})(?!\w)")


def _forms(id_: str) -> Iterator[bytes]:
    yield id_.encode()
    yield json.dumps(id_)[1:-1].encode()
    yield json.dumps(id_, ensure_ascii=False)[1:-1].encode()


def scrub_file(path: Path, people: Collection[str], *, column: str = ID) -> int:
    """Take the rows of some people out of a file of outcomes or failed rows; return how many there were.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 or Parquet; it stays untouched when none of them is in it.
    people : collection of str
        Their ids.
    column : str
        The column of the ids; when it is not there, ``integration_id``.

    Raises
    ------
    InputError
        It has no such column, or cannot be read or written.
    """
    try:
        return (_scrub_csv if path.suffix == ".csv" else _scrub_parquet)(path, frozenset(people), column)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _scrub_csv(path: Path, people: frozenset[str], column: str) -> int:
    """Write the file anew without some rows; every other row keeps its bytes."""
    with path.open(encoding="utf-8", newline="") as file:
        records = _records(file)
        head = next(records, "")
        place = _place(_cells(head.removeprefix("\ufeff")), column)
        removed = sum(_is_of(record, place, people) for record in records)
    if removed:
        with (
            path.open(encoding="utf-8", newline="") as file,
            replacing(path, overwrite=True) as part,
            part.open("w", encoding="utf-8", newline="") as out,
        ):
            # The head's own cell is a name and no id of one of them.
            out.writelines(each for n, each in enumerate(_records(file)) if not n or not _is_of(each, place, people))
    return removed


def _records(file: Iterable[str]) -> Iterator[str]:
    """Yield each record with its line breaks as they are: a break inside quotes ends none."""
    record = ""
    for line in file:
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""
    if record:
        yield record


def _cells(record: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline="")), [])


def _is_of(record: str, place: int, people: frozenset[str]) -> bool:
    cells = _cells(record)
    return len(cells) > place and cells[place] in people


def _place(names: list[str], column: str) -> int:
    return names.index(column if column in names else choose_id(names))


def _scrub_parquet(path: Path, people: frozenset[str], column: str) -> int:
    place = _place(pq.read_schema(path).names, column)
    gone = pa.array(list(people), pa.string())

    def kept() -> Iterator[tuple[int, pa.RecordBatch]]:
        for batch in pq.ParquetFile(path).iter_batches():
            keep = pc.invert(pc.is_in(read_ids(batch.column(place)).text, value_set=gone))
            yield len(batch) - keep.true_count, batch.filter(keep)

    if removed := sum(count for count, _ in kept()):
        with replacing(path, overwrite=True) as part, pq.ParquetWriter(part, pq.read_schema(path)) as out:
            for _, batch in kept():
                out.write_batch(batch)
    return removed


def scrub_marks(path: Path, hashes: Collection[bytes]) -> int:
    """Take the hashes of some people out of what lies beside a journal; return how many there were."""
    try:
        table = pq.read_table(path)
        gone = pa.array(list(hashes), table.schema.field("hash").type)
        kept = table.filter(pc.invert(pc.is_in(table["hash"], value_set=gone)))
        if len(kept) < len(table):
            with replacing(path, overwrite=True) as part:
                pq.write_table(kept, part)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return len(table) - len(kept)
