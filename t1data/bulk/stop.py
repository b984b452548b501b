"""A run is stopped by another process than the one that sends it: by a file beside its journal.

Who wants it to stop makes the file, private to its owner; who sends the run looks for it twice a second, stops as on
any other request, and removes it. A file that an earlier request has left behind stops nobody.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from t1data.bulk.progress import Watch
from t1data.errors import InputError, JournalError
from t1data.journal.names import find_journal
from t1data.journal.place import STOP, held_by
from t1data.journal.runs import Run, read_run
from t1data.words import paragraph

LOOK = 0.5  # seconds between two looks of the sender
PATIENCE = 15.0  # seconds; more than a sender gives to requests that are out
WHY = "stopped on request from elsewhere"
_TICK = 0.05


@dataclass(frozen=True)
class StopReport:
    """What became of the request to stop a run.

    Attributes
    ----------
    run : Run
        As it is now; ``run.in_use`` names who sends it still.
    asked : str or None
        Which process was asked; None when nobody was sending the run.
    seconds : float
        How long it took, or how long was waited.
    """

    run: Run
    asked: str | None
    seconds: float = field(default=0.0, compare=False)

    @property
    def ended(self) -> bool:
        """Whether nobody sends the run now."""
        return self.run.in_use is None

    def __str__(self) -> str:
        name = f"run {self.run.id}"
        if self.asked is None:
            return f"Nobody is sending {name}, so there is nothing to stop."
        if not self.ended:
            return (
                f"Asked {self.asked} to stop {name}; after {self.seconds:.0f} s it has not stopped yet. It stops when"
                " what is on its way is answered, or given up."
            )
        ended = f"stopped after {self.seconds:.1f} s" if self.run.stopped else "had come to its end"
        return f"Asked {self.asked} to stop {name}: it {ended}."

    def _repr_html_(self) -> str:
        return paragraph(str(self))


def stop_run(
    run: Run | str | Path,
    *,
    timeout: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> StopReport:
    """Stop a run that any process of this machine is sending: a notebook whose page is gone, a command, this one.

    It ends as by Ctrl-C in its own process: no new request starts, what is out gets ten seconds, and it can be resumed.

    Parameters
    ----------
    run : Run, str or path
        The run, its id, or its journal.
    timeout : float
        Seconds to wait for its end; with 0 it is asked, and not waited for.
    clock, wait : callable
        Monotonic seconds, and what lets some of them pass.

    Returns
    -------
    StopReport
        Printed, it says what happened: asked and stopped, asked and not stopped yet, or nobody was sending it.

    Raises
    ------
    InputError
        The time is no number of seconds.
    JournalError
        There is no such run, or no request can be left beside its journal.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     people = pd.DataFrame({"integration_id": ["001"], "Name": ["Ada"]})
    ...     run = t1.upsert_profiles(client, people, progress=False)
    >>> t1.stop_run(run).asked is None
    True
    """
    if not (isinstance(timeout, int | float) and timeout >= 0):
        raise InputError(f"timeout: got {timeout!r}, valid are seconds, 0 or more")
    journal = run.journal if isinstance(run, Run) else find_journal(run)
    read_run(journal)  # nothing is laid beside a file that is no journal
    asked, began = held_by(journal), clock()
    holder = asked
    while holder is not None:
        _ask(journal)
        if clock() - began >= timeout:
            break
        wait(_TICK)
        holder = held_by(journal)
    if holder is None:
        _withdraw(journal)  # it may have ended before it saw the request
    return StopReport(read_run(journal), asked, clock() - began)


@contextmanager
def heeding(journal: Path, watch: Watch, *, every: float = LOOK) -> Iterator[None]:
    """Let a run stop when it is asked to from elsewhere; what was asked of an earlier one counts no more.

    Parameters
    ----------
    journal : Path
        Of the run; this process holds it.
    watch : Watch
        Is stopped.
    every : float
        Seconds between two looks.
    """
    _withdraw(journal)
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(every):
            if _is_asked(journal):
                watch.stop(WHY)
                return

    looker = threading.Thread(target=look, name="t1data-stop", daemon=True)
    looker.start()
    try:
        yield
    finally:
        ended.set()
        looker.join()
        _withdraw(journal)


def _request(journal: Path) -> Path:
    return journal.with_name(journal.name + STOP)


def _ask(journal: Path) -> None:
    try:
        os.close(os.open(_request(journal), os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError as error:
        raise JournalError(f"no request to stop can be left beside {journal}: {error.strerror}") from None


def _is_asked(journal: Path) -> bool:
    """Tell whether the owner of a journal asks; in a shared folder anybody can make a file."""
    try:
        found = _request(journal).lstat()
        return stat.S_ISREG(found.st_mode) and found.st_uid == journal.stat().st_uid
    except OSError:
        return False


def _withdraw(journal: Path) -> None:
    with suppress(OSError):
        _request(journal).unlink()
