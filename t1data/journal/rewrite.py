"""Journals whose kept answers are rewritten, so that somebody stands in them no more."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from t1data.errors import JournalError
from t1data.journal.outcomes import head_of
from t1data.journal.place import connect, take_hold
from t1data.journal.reads import check_whole, reading


def rewrite_answers(path: Path, change: Callable[[int, bytes], bytes]) -> int:
    """Replace the kept answers of a run by what `change` makes of them; outcomes and all else stay.

    All of it happens, or nothing. What was replaced is gone from the file, not only from its tables.

    Parameters
    ----------
    path : Path
        The journal.
    change : callable
        Takes a batch's number and its answer, and returns the answer or what is to stand in its place.

    Returns
    -------
    int
        How many answers were replaced.

    Raises
    ------
    JournalError
        There is no journal, another process holds it, it is damaged, or it cannot be written.
    """
    with reading(path) as db:
        head_of(db, path)
    hold = take_hold(path)
    try:
        db = connect(path)
        try:
            return _rewrite(db, path, change)
        except sqlite3.Error as error:
            raise JournalError(f"the journal {path} cannot be rewritten: {error}") from error
        finally:
            db.close()
    finally:
        os.close(hold)


def _rewrite(db: sqlite3.Connection, path: Path, change: Callable[[int, bytes], bytes]) -> int:
    replaced = 0
    db.execute("BEGIN IMMEDIATE")
    for id_, batch in db.execute("SELECT id, batch FROM answer ORDER BY id").fetchall():
        body = db.execute("SELECT body FROM answer WHERE id = ?", (id_,)).fetchone()[0]
        if (new := change(batch, body)) != body:
            db.execute("UPDATE answer SET body = ? WHERE id = ?", (new, id_))
            replaced += 1
    db.execute("COMMIT")
    if replaced:
        db.execute("VACUUM")  # the freed pages hold what was replaced, in a file made before secure_delete was on
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("PRAGMA journal_mode = DELETE")
    check_whole(db, path)
    return replaced
