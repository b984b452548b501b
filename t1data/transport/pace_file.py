"""One pace for all processes of a user that talk to the same deployment: the course is kept in a small file.

A process that dies leaves nothing that others wait for, but the slots it was given. Monotonic time is the same
for all processes until the machine starts again; what was written later than now is from before that.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import platformdirs

from t1data.errors import ConfigError
from t1data.transport.address import parse_base_url
from t1data.transport.pace import Course, Pacer, Step

PaceName = Literal["own", "shared"]

_BUSY, _BUSY_AT_START = 0.2, 5.0  # seconds to wait for a locked file; a stop waits as long, a slot takes 0.2 ms
_BLIND = 5.0  # seconds without another look at a file that failed
_LONGEST = 86_400.0  # seconds; a slot or a hold further ahead is nonsense

# The rollback journal's file is kept, which halves the time of a slot, and a network home takes it as well. Nothing
# is synced: after a power cut the course is worth nothing anyway.
_SETTINGS = ("PRAGMA journal_mode = PERSIST", "PRAGMA synchronous = OFF")
_NAMES = [f'"{name}"' for name in ("written", *Course._fields)]
_TABLE = f"CREATE TABLE IF NOT EXISTS course (id INTEGER PRIMARY KEY, {' REAL, '.join(_NAMES)} REAL)"
_READ = f"SELECT {', '.join(_NAMES)} FROM course WHERE id = 1"  # noqa: S608
_WRITE = f"REPLACE INTO course (id, {', '.join(_NAMES)}) VALUES (1{', ?' * len(_NAMES)})"  # noqa: S608

logger = logging.getLogger("t1data.transport.pace")


class PaceFile:
    """Keeps a course in a file; any number of processes and threads may change it.

    A file that fails while it is in use stops no request: for some seconds the process goes on alone, with the
    course as it last saw it, and says so by a warning of the logger ``t1data.transport.pace``.

    Parameters
    ----------
    path : Path
        Made with mode 0600, its folder with 0700, when they are not there.
    clock : callable
        Monotonic seconds, the same for all processes.

    Raises
    ------
    ConfigError
        The file cannot be made, opened or written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        self._closing: weakref.finalize[..., PaceFile] | None = None
        self._last = Course()
        self._blind_until = -math.inf
        try:
            self._in_file(lambda course, now: course, busy=_BUSY_AT_START)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"The pace cannot be shared by {path} ({error}); one of its own needs no file.") from None
        finally:
            self._hang_up()

    def change(self, step: Step) -> Course:
        """Apply a step to the course while no other process does, and return the new one."""
        with self._lock:
            if self._clock() >= self._blind_until:
                try:
                    return self._in_file(step)
                except (OSError, sqlite3.Error) as error:
                    self._go_alone(error)
            self._last = step(self._last, self._clock())
            return self._last

    def _in_file(self, step: Step, *, busy: float = _BUSY) -> Course:
        with self._connection(busy) as db:  # an interrupt here must not leave the file locked
            db.execute("BEGIN IMMEDIATE")
            db.execute(_TABLE)
            now = self._clock()  # read behind the lock, so that no other process has written later
            found = _sane(db.execute(_READ).fetchone(), now)
            is_back = self._blind_until > -math.inf
            new = step(_stricter(found, self._last) if is_back else found, now)
            if new is not found:
                db.execute(_WRITE, (now, *new))
        self._last, self._blind_until = new, -math.inf
        return new

    def _connection(self, busy: float) -> sqlite3.Connection:
        """Give this process's connection. One that came over a fork is left as it is: closing it would write."""
        if self._db is None or self._pid != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
            db = sqlite3.connect(self._path, timeout=busy, check_same_thread=False, isolation_level=None)
            self._db, self._pid = db, os.getpid()
            self._closing = weakref.finalize(self, _close, db, self._pid)
            for setting in _SETTINGS:
                db.execute(setting)
        return self._db

    def _go_alone(self, error: Exception) -> None:
        if self._blind_until == -math.inf:
            logger.warning("The pace is not shared for the time being: %s: %s", self._path, error)
        self._blind_until = self._clock() + _BLIND
        self._hang_up()

    def _hang_up(self) -> None:
        if self._closing is not None:
            self._closing()
        self._db = self._closing = None


def _close(db: sqlite3.Connection, pid: int) -> None:
    if pid == os.getpid():
        with suppress(sqlite3.Error):
            db.close()


def _sane(found: Sequence[float] | None, now: float) -> Course:
    """Read what was written; from before the machine's last start, or from nobody of us, it is begun anew."""
    try:
        written, slot, held, era, limit, *others = map(float, found or ())
        is_sane = written <= now and max(slot, held) <= now + _LONGEST and limit > 0
        return Course(slot, held, int(era), limit, *others) if is_sane else Course()
    except (TypeError, ValueError, OverflowError):
        return Course()


def _stricter(course: Course, mine: Course) -> Course:
    """Join what the others and what this process learnt meanwhile."""
    slower = min(course, mine, key=lambda one: one.limit)
    slot, held, slowed = max(course.slot, mine.slot), max(course.held, mine.held), max(course.slowed, mine.slowed)
    return slower._replace(slot=slot, held=held, slowed=slowed, era=course.era + 1)


def make_pacer(rate: float | None, *, pace: PaceName, base_url: str) -> Pacer:
    """Make the pacer of a client.

    Parameters
    ----------
    rate : float or None
        Requests a second.
    pace : {"own", "shared"}
        Whose course it follows: this client's, or the one of all processes of this user on this machine that
        talk to the same base URL with a shared pace. Each of them keeps to its own rate in it.
    base_url : str
        As for `Client`.

    Raises
    ------
    ConfigError
        The rate or the name of the pace is none, or the file of the shared one cannot be used.
    """
    if pace == "own":
        return Pacer(rate)
    if pace != "shared":
        raise ConfigError(f'The pace is "own" or "shared", not {pace!r}.')
    return Pacer(rate, change=PaceFile(shared_file(base_url)).change)


def shared_file(base_url: str) -> Path:
    """Return where the pace for a deployment is shared: the limit is the deployment's, whatever the key."""
    digest = hashlib.sha256(parse_base_url(base_url).url.encode()).hexdigest()
    return platformdirs.user_state_path("t1data") / "pace" / f"{digest[:16]}.sqlite"
