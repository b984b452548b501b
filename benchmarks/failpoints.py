"""Death at a chosen step of the journal: wraps what it does from outside, so that the package holds no fail point.

A point is ``(name, when, nth)``: die ``before`` or ``after`` the nth call of a method of `Journal`, or at the nth
``statement`` that SQLite executes, which is the finest grain there is.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from t1data.journal import store
from t1data.journal.store import Journal

STATEMENT = "statement"
STEPS = tuple(name for name, found in vars(Journal).items() if callable(found) and not name.startswith("_"))
POINTS = (*((name, when) for name in STEPS for when in ("before", "after")), (STATEMENT, "before"))

Point = tuple[str, str, int]


def arm(point: Point) -> None:
    """Let this process die at `point`."""
    name, when, nth = point
    if name == STATEMENT:
        _arm_statements(nth)
    else:
        setattr(Journal, name, _dying(getattr(Journal, name), when, nth))


def _dying(method: Callable[..., Any], when: str, nth: int) -> Callable[..., Any]:
    calls = 0

    @wraps(method)
    def counted(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        mine = calls == nth
        if mine and when == "before":
            die()
        result = method(*args, **options)
        if mine:
            die()
        return result

    return counted


def _arm_statements(nth: int) -> None:
    real, seen = store.connect, 0

    def note(statement: str) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            die()

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        db = real(*args, **options)
        db.set_trace_callback(note)
        return db

    store.connect = connect


def die() -> NoReturn:
    """End this process as a power switch would, but for what the system already holds."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process outlived SIGKILL")
