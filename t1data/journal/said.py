"""What a journal says of some rows: what their batches came to, and what is noted of a row apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.journal.columns import Numbers, stretches
from t1data.journal.leaves import Leaves
from t1data.journal.reads import read_lines, read_words
from t1data.journal.records import STATES, UNCHANGED, Line, RunRecord, outcome_of
from t1data.tables.labels import Labels

Cells = dict[str, pa.Array]

TYPES = {
    "outcome": pa.string(),
    "http_status": pa.int16(),
    "reason": pa.string(),
    "field": pa.string(),
    "message": pa.string(),
    "batch": pa.int64(),
    "attempts": pa.int32(),
}

_OUTCOMES = [outcome_of(state) for state in STATES]
_PLANNED = STATES.index("planned")
_ON_ITS_WAY = [STATES.index(state) for state in ("intent", "resent")]

_NO_ANSWER = "sent, and no answer has been read"  # of a run that goes on, or was killed
_HELD = "waits for an earlier row of the same customer that has no clear answer; a resume sends them in order"
_NOT_TAKEN = ("the server did not take it (status ", "); a resume sends it again")


def said_of(db: sqlite3.Connection, leaves: Leaves, head: RunRecord, rows: Numbers, labels: Labels) -> Cells:
    """Return the columns of `TYPES` for consecutive rows.

    Parameters
    ----------
    db : sqlite3.Connection
        An open journal.
    leaves : Leaves
        Its batches.
    head : RunRecord
        Its head.
    rows : ndarray of int64
        0-based, at least one.
    labels : Labels
        What people call them.
    """
    start, stop = int(rows[0]), int(rows[-1]) + 1
    lines = read_lines(db, start, stop)
    return _with_lines(_of_leaves(leaves.of(_owners(rows, lines)), head, db), lines, start, labels)


def _owners(rows: Numbers, lines: list[Line]) -> Numbers:
    """Return the row whose batch decides for each: itself, or the equal row that was sent in its place."""
    owners = rows.copy()
    for line in lines:
        if line.same_as is not None:
            owners[line.row - rows[0]] = line.same_as
    return owners


def _of_leaves(leaf: pa.RecordBatch, head: RunRecord, db: sqlite3.Connection) -> Cells:
    """Return what the leaf of each row says of it; a row without one was not planned when the run stopped."""
    on_its_way = pc.is_in(leaf["state"], value_set=pa.array(_ON_ITS_WAY, pa.int8()))
    waits = pc.fill_null(pc.equal(leaf["state"], _PLANNED), True)
    field, message = _words(db, leaf)
    message = pc.if_else(waits, _why_waiting(leaf, head), message)
    reason = pc.if_else(waits, "stopped", leaf["reason"])
    return {
        "outcome": pc.fill_null(pa.array(_OUTCOMES).take(leaf["state"]), "unsent"),
        "http_status": leaf["status"],
        "reason": pc.if_else(on_its_way, "no_answer", reason),
        "field": field,
        "message": pc.if_else(on_its_way, _NO_ANSWER, message),
        "batch": leaf["number"],
        "attempts": pc.fill_null(leaf["attempts"], 0),
    }


def _words(db: sqlite3.Connection, leaf: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
    """Return field and message of each row's leaf, read now: those of a million batches are not held."""
    wanted = leaf["number"].filter(leaf["worded"]).to_numpy()
    found = [words for stretch in stretches(wanted) for words in read_words(db, *stretch)]
    numbers, fields, messages = zip(*found, strict=True) if found else ((), (), ())
    at = pc.index_in(leaf["number"], value_set=pa.array(numbers, pa.int64()))
    return pa.array(fields, pa.string()).take(at), pa.array(messages, pa.string()).take(at)


def _why_waiting(leaf: pa.RecordBatch, head: RunRecord) -> pa.Array:
    """Say why a row is not sent: what stopped the run, or what became of its batch in a run that came to its end."""
    stopped = pa.scalar(head.stopped, pa.string())
    if head.finished_at is None or head.stopped is not None:
        return pa.repeat(stopped, len(leaf))
    before, after = _NOT_TAKEN
    not_taken = pc.binary_join_element_wise(before, leaf["status"].cast(pa.string()), after, "")
    return pc.if_else(leaf["number"].is_null(), stopped, pc.fill_null(not_taken, _HELD))


def _with_lines(cells: Cells, lines: list[Line], start: int, labels: Labels) -> Cells:
    """Put in what is noted of a row apart: that an equal row stands for it, or that it was not sent at all."""
    same = [line for line in lines if line.same_as is not None]
    stand_ins = [f"the same as row {labels.of(line.same_as or 0)}, which stands for it" for line in same]
    cells = {**cells, "message": _replaced(cells["message"], same, start, stand_ins)}
    alone = [line for line in lines if line.same_as is None]
    instead: Mapping[str, Sequence[object]] = {
        "outcome": ["accepted" if line.reason == UNCHANGED else "invalid" for line in alone],
        "reason": [line.reason for line in alone],
        "field": [line.field for line in alone],
        "message": [labels.told(line.message) if line.message else None for line in alone],
        "attempts": [0] * len(alone),
    }
    return {name: _replaced(cell, alone, start, instead.get(name, [None] * len(alone))) for name, cell in cells.items()}


def _replaced(cells: pa.Array, lines: list[Line], start: int, values: Sequence[object]) -> pa.Array:
    mask = np.zeros(len(cells), dtype=bool)
    mask[[line.row - start for line in lines]] = True
    return pc.replace_with_mask(cells, pa.array(mask), pa.array(values, cells.type))
