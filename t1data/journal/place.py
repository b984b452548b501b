"""Where a journal lies: private to its owner, held by one process, with room kept for its last words."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from t1data.errors import JournalError
from t1data.journal.names import runs_folder
from t1data.journal.reads import check_version, check_whole, reading
from t1data.journal.records import SCHEMA

if os.name == "posix":
    import fcntl

RESERVE = 4 * 1024 * 1024  # bytes; room for the answers of all requests that are in flight when a disk fills up

BEFORE, UNCHANGED = ".before", ".unchanged"  # what an upsert of changed rows alone read first, and found
STOP = ".stop"  # suffix of a request to the process that sends a run
MARKS = ".marks"  # suffix of what a run on audiences leaves beside its journal: the hashes of its customers

# Kinds of file systems on which SQLite's write-ahead log is not safe, since its index is shared memory.
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "lustre", "gpfs", "ceph", "glusterfs", "9p", "beegfs")


class Reserve:
    """A file beside a journal that takes up room, and gives it back when the disk is full."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(f"{journal.name}.reserve")
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(handle, 0, RESERVE)
            finally:
                os.close(handle)
        except OSError as error:
            self.release()
            raise JournalError(
                f"there is no room for a journal at {journal}: {error.strerror} (it needs {RESERVE:,} bytes)"
            ) from None

    def release(self) -> bool:
        """Give the room back; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def connect(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open a journal for writing; a new file gets its tables."""
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    try:
        is_new = not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if not is_new:
            check_version(db, path)  # before anything is written: it may be somebody else's database
            check_whole(db, path)
        db.execute(f"PRAGMA journal_mode = {'DELETE' if on_network(path) else 'WAL'}")
        # WAL with NORMAL may lose the last commits with the power.
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        db.execute("PRAGMA secure_delete = ON")
        if is_new:
            db.executescript("BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        db.close()
        raise JournalError(f"{path} is not a journal of t1data, or is damaged: {error}") from error
    except BaseException:
        db.close()
        raise
    return db


def take_hold(path: Path) -> int:
    """Open `path` private to its owner and lock it for this process; the lock goes when the process does."""
    try:
        _make_usual_folder(path.parent)
        hold = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be opened: {error.strerror}") from error
    if os.name == "posix" and not _locked(hold):
        os.close(hold)
        raise JournalError(f"the run in {path} is in use by {_who_holds(path)}; wait for it or stop it")
    return hold


def _make_usual_folder(folder: Path) -> None:
    """Make the folder where journals lie by default. Another one that is not there is a slip of the pen."""
    if folder.absolute() == runs_folder().absolute():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not folder.is_dir():
        raise JournalError(f"there is no folder {folder} for a journal; make it, or name another. Nothing was sent")


def _locked(hold: int) -> bool:
    """Lock a journal; who only looks whether it is in use holds it for an instant, and is waited for."""
    for pause in (0.02, 0.1, 0.0):
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(pause)
    return False


def held_by(path: Path) -> str | None:
    """Say which process writes a journal at this moment, or None."""
    if os.name != "posix" or not path.is_file():
        return None
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # many may look at once
        except OSError:
            return _who_holds(path)
    return None


def is_still(hold: int, path: Path) -> bool:
    """Tell whether `path` is still the file that `take_hold` opened."""
    try:
        found, held = os.stat(path), os.fstat(hold)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)


def delete_journal(path: Path) -> None:
    """Delete a journal and the files beside it, unless another process holds it."""
    if (before := path.with_name(path.name + BEFORE)).is_file():
        delete_journal(before)
    hold = take_hold(path)
    try:
        for suffix in ("", "-wal", "-shm", "-journal", ".reserve", MARKS, UNCHANGED, STOP):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    finally:
        os.close(hold)


def holder() -> str:
    """Say which process this is, for others that find the journal locked."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {os.uname().nodename if os.name == 'posix' else 'this host'} since {started}"


def on_network(path: Path, *, mounts: str | None = None) -> bool:
    """Tell whether a path lies on a network file system, such as the home of a JupyterHub user.

    Parameters
    ----------
    path : Path
        Where the journal is to lie.
    mounts : str, optional
        The text of ``/proc/self/mountinfo``; read there by default. Where there is none, the answer is False.

    Examples
    --------
    >>> on_network(Path("/people/ada/run.sqlite"), mounts="36 25 0:32 / /people rw - nfs4 server:/people rw")
    True
    """
    if mounts is None:
        mounts = ""
        with suppress(OSError):
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    kinds: dict[str, str] = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) > 4 and right:
            kinds[fields[4].replace("\\040", " ")] = right.split()[0]
    place = path.absolute()
    kind = next((kinds[str(folder)] for folder in (place, *place.parents) if str(folder) in kinds), "")
    return kind in _NETWORK or kind.startswith("fuse.")


def _who_holds(path: Path) -> str:
    with suppress(JournalError), reading(path) as db:
        found = db.execute("SELECT holder FROM run").fetchone()
        if found and found[0]:
            return str(found[0])
    return "another process"
