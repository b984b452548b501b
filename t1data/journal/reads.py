"""How a journal is read: never disturbing a run that writes, and never trusting a file that is damaged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from t1data.errors import JournalError
from t1data.journal.records import SCHEMA_VERSION, STATES, UNCHANGED, BatchRecord, Line, RunRecord, Span

_Record = TypeVar("_Record")

PORTION = 4096  # lines that are read at a time

NARROWED = "(SELECT parent FROM batch NOT INDEXED WHERE parent IS NOT NULL)"
"""The batches whose rows others have taken over. By the table: no check of a file holds an index against it."""

_BATCHES = (
    "SELECT number, parent, spans, rows, state, attempts, status, reason, field, message, started_at, answered_at,"
    " waited FROM batch"
)
_DAMAGED = "so what it says about rows cannot be trusted; its answers may still be had by `t1data runs raw`"


def read_head(db: sqlite3.Connection) -> RunRecord | None:
    """Return the head of the run in an open journal, None while it is new."""
    query = "SELECT id, operation, base_url, facts, rows, started_at, finished_at, stopped FROM run"
    return next(_read(db, query, _head), None)


def read_open(db: sqlite3.Connection, states: Collection[str]) -> Iterator[BatchRecord]:
    """Yield the batches in some states that were not narrowed further, in the order of their numbers."""
    among = ", ".join("?" * len(states))
    query = f"{_BATCHES} WHERE state IN ({among}) AND number NOT IN {NARROWED} ORDER BY number"
    return _read(db, query, _batch, tuple(states))


def read_batch(db: sqlite3.Connection, number: int) -> BatchRecord:
    """Return one batch.

    Raises
    ------
    JournalError
        The journal is damaged: it has not the batch that something else in it names.
    """
    for found in _read(db, f"{_BATCHES} WHERE number = ?", _batch, (number,)):
        return found
    raise JournalError(f"{_path_of(db)} is damaged (there is no batch {number}), {_DAMAGED}")


def read_words(db: sqlite3.Connection, first: int, last: int) -> Iterator[tuple[int, str | None, str | None]]:
    """Yield number, field and message of the batches from `first` to `last`."""
    query = "SELECT number, field, message FROM batch WHERE number BETWEEN ? AND ? ORDER BY number"
    return _read(db, query, lambda *found: found, (first, last))


def read_portions(
    db: sqlite3.Connection, query: str, make: Callable[[list[tuple[Any, ...]]], _Record]
) -> Iterator[_Record]:
    """Yield what is made of each `PORTION` lines that a query finds; what cannot be made is damage."""
    with _damage_in_words(db):
        cursor = db.execute(query)
        while found := cursor.fetchmany(PORTION):
            yield make(found)


def read_answer_places(db: sqlite3.Connection) -> Iterator[npt.NDArray[np.int64]]:
    """Yield batch and id of the answers that were kept, in the order in which they came: arrays of shape (n, 2)."""
    query = "SELECT batch, id FROM answer ORDER BY id"
    return read_portions(db, query, lambda found: np.array(found, dtype=np.int64))


def read_answers(db: sqlite3.Connection, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield id and body of the answers from one id to another, as they came."""
    query = "SELECT id, body FROM answer WHERE id BETWEEN ? AND ?"
    return _read(db, query, lambda id_, body: (id_, bytes(body)), (first, last))


def read_lines(db: sqlite3.Connection, start: int, stop: int) -> list[Line]:
    """Return the lines of the rows from `start` to before `stop`."""
    query = "SELECT row, reason, field, message, same_as FROM line WHERE row >= ? AND row < ? ORDER BY row"
    return list(_read(db, query, Line, (start, stop)))


def count_batches(db: sqlite3.Connection) -> int:
    """Return how many batches there are."""
    return next(_read(db, "SELECT count(*) FROM batch", int))


def count_invalid(db: sqlite3.Connection) -> int:
    """Return how many rows were found invalid."""
    query = "SELECT count(*) FROM line WHERE same_as IS NULL AND reason != ?"
    return next(_read(db, query, int, (UNCHANGED,)))


def count_unchanged(db: sqlite3.Connection) -> int:
    """Return how many rows were not sent because the account holds them already."""
    return next(_read(db, "SELECT count(*) FROM line WHERE reason = ?", int, (UNCHANGED,)))


def read_stand_ins(db: sqlite3.Connection) -> list[int]:
    """Return, for each row that another one stands for, that other row."""
    return list(_read(db, "SELECT same_as FROM line WHERE same_as IS NOT NULL", int))


@contextmanager
def reading(path: Path, *, whole: bool = True) -> Iterator[sqlite3.Connection]:
    """Open a journal only to read it; a run that is still writing is not disturbed.

    Parameters
    ----------
    path : Path
        The file.
    whole : bool
        Refuse a damaged file. Without it, what can still be read of one is read.

    Raises
    ------
    JournalError
        When the file is missing, damaged, or not a journal of a version that this t1data knows.
    """
    if not path.is_file():
        raise JournalError(f"there is no journal at {path}")
    _undo_half_a_step(path)
    db = _open(path, "ro")
    try:
        check_version(db, path)
        if whole:
            check_whole(db, path)
        yield db
    finally:
        db.close()


def check_version(db: sqlite3.Connection, path: Path) -> None:
    """Raise unless the open file is a whole journal of this version."""
    try:
        found = db.execute("SELECT schema_version FROM run").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise JournalError(f"{path} is not a journal of t1data, or is damaged: {error}") from error
    if found and found[0] != SCHEMA_VERSION:
        raise JournalError(
            f"{path} was written by another version of t1data (journal {found[0]}, this one reads"
            f" {SCHEMA_VERSION}); resume it with that version"
        )


def check_whole(db: sqlite3.Connection, path: Path) -> None:
    """Raise when the file is damaged."""
    said = next(_read(db, "PRAGMA quick_check(1)", str))
    if said != "ok":
        raise JournalError(f"{path} is damaged ({said}), {_DAMAGED}")


def _read(
    db: sqlite3.Connection, query: str, make: Callable[..., _Record], values: Sequence[object] = ()
) -> Iterator[_Record]:
    """Yield a record for each line that a query finds; what cannot be one is damage."""
    with _damage_in_words(db):
        for found in db.execute(query, values):
            yield make(*found)


@contextmanager
def _damage_in_words(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, ValueError, TypeError, AttributeError) as error:
        raise JournalError(f"{_path_of(db)} is damaged ({error}), {_DAMAGED}") from error


def _head(*found: Any) -> RunRecord:
    id_, operation, base_url, facts, rows, started_at, finished_at, stopped = found
    return RunRecord(id_, operation, base_url, json.loads(facts), rows, started_at, finished_at, stopped)


def _batch(number: int, parent: int | None, spans: str, *rest: Any) -> BatchRecord:
    record = BatchRecord(number, parent, _spans(spans), *rest)
    if record.state not in STATES:
        raise ValueError(f"state {record.state!r}")
    if record.rows > sum(stop - start for start, stop in record.spans):
        raise ValueError(f"batch {number} has more rows than its spans")
    return record


def _spans(text: str) -> tuple[Span, ...]:
    spans = tuple((int(start), int(stop)) for start, stop in (part.split(":") for part in text.split()))
    if not spans or any(start >= stop for start, stop in spans):
        raise ValueError(f"spans {text!r}")
    return spans


def _path_of(db: sqlite3.Connection) -> str:
    with suppress(sqlite3.DatabaseError):
        return str(db.execute("PRAGMA database_list").fetchone()[2])
    return "the journal"


def _undo_half_a_step(path: Path) -> None:
    """Take back the step in which a writer without a log was killed: SQLite does so when it may write, else refuses."""
    if path.with_name(f"{path.name}-journal").exists():
        with suppress(sqlite3.Error), closing(_open(path, "rw")) as db:
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def _open(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
