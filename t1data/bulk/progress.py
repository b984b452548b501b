"""How far a run is, whether it should stop, and who is told."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from typing import Any

from t1data.errors import InputError


@dataclass(frozen=True)
class Progress:
    """How far a run is: given to the callback after each batch and before each wait."""

    done: int
    total: int | None
    counts: Mapping[str, int]
    requests: int
    seconds: float
    waiting: str | None = None

    @property
    def rate(self) -> float:
        """Rows a second since the start."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Expected time to the end, when the number of rows is known."""
        if self.total is None or self.rate == 0:
            return None
        return max(0.0, (self.total - self.done) / self.rate)


class Control:
    """A handle by which another thread stops or pauses a run: give it to the job, keep it, use it.

    Parameters
    ----------
    first : int, optional
        Stop by itself once the first so many rows that can be sent are settled: with 1, a run shows on one row what it
        would do to all. `t1data.resume` goes on with the others.

    Raises
    ------
    InputError
        That is no number of rows.

    Examples
    --------
    >>> control = Control()
    >>> control.pause()
    >>> control.paused
    True
    >>> control.stop()
    """

    def __init__(self, *, first: int | None = None) -> None:
        if first is not None and (isinstance(first, bool) or not isinstance(first, int) or first < 1):
            raise InputError(f"first: got {first!r}, valid is a whole number of rows, 1 or more")
        self.first = first
        self.stopping = threading.Event()
        self._may_go = threading.Event()
        self._may_go.set()

    def stop(self) -> None:
        """Let no new request start, and end every wait; the job then returns. It can be resumed."""
        self.stopping.set()
        self._may_go.set()

    def pause(self) -> None:
        """Let no new request start until `go_on`; those in flight end as they would."""
        self._may_go.clear()

    def go_on(self) -> None:
        """End a pause."""
        self._may_go.set()

    def without_first(self) -> Control:
        """Return the same handle for a part of the job that takes all rows, such as what is read ahead of it."""
        other = copy(self)
        other.first = None
        return other

    @property
    def paused(self) -> bool:
        """Whether the run waits for `go_on`."""
        return not self._may_go.is_set()

    def wait_while_paused(self) -> None:
        """Return when there is no pause, or no longer."""
        self._may_go.wait()


class Watch:
    """What all threads of a run share: the counts so far, the wish to stop, the callback.

    Parameters
    ----------
    total : int, optional
        Rows of the input.
    control : Control, optional
        The caller's handle.
    on_progress : callable, optional
        Called with a `Progress`, from any thread.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        total: int | None = None,
        *,
        control: Control | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.control = control or Control()
        self.stopping = self.control.stopping
        self._why: str | None = None
        self._total = total
        self._on_progress = on_progress
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(("accepted", "invalid", "refused", "unsent", "in_doubt", "collapsed"), 0)
        self._requests = 0

    def stop(self, why: str) -> None:
        """Let no new request start; the first reason stands."""
        with self._lock:
            self._why = self._why or why
        self.control.stop()

    @property
    def stopped(self) -> str | None:
        """Why the run was stopped, if it was."""
        return self._why or ("stopped on request" if self.stopping.is_set() else None)

    def count(self, outcome: str, rows: int, *, requests: int = 0) -> None:
        """Add rows that have an outcome now, and the requests that it took."""
        if not rows and not requests:
            return
        with self._lock:
            self._counts[outcome] += rows
            self._requests += requests
        self._tell(None)

    def counted(self, outcome: str) -> int:
        """Return how many rows have `outcome` so far."""
        with self._lock:
            return self._counts[outcome]

    @property
    def left(self) -> int:
        """How many rows have no outcome yet."""
        with self._lock:
            return (self._total or 0) - sum(self._counts.values())

    def waiting(self, why: str, seconds: float) -> None:
        """Tell that a request waits before it is tried again."""
        what, _, more = why.partition(", ")  # a line has few letters: what it waits for and how long come first
        again = f"{what}: again in {seconds:.{0 if seconds >= 10 else 1}f} s"
        self._tell(f"{again}, {more}" if more else again)

    def _tell(self, waiting: str | None) -> None:
        if self._on_progress is None:
            return
        with self._lock:
            counts, requests = dict(self._counts), self._requests
        done = sum(counts.values())
        self._on_progress(Progress(done, self._total, counts, requests, self._clock() - self._started, waiting))


@contextmanager
def watching(
    progress: bool | Callable[[Progress], None] | None, *, total: int, control: Control | None = None
) -> Iterator[Watch]:
    """Give a `Watch` whose progress goes to a bar, to a callback, or nowhere.

    Parameters
    ----------
    progress : bool or callable, optional
        True shows a bar, False nothing; by default a bar where a person watches: a terminal or a notebook.
    total : int
        Rows of the input.
    control : Control, optional
        The caller's handle.
    """
    if callable(progress):
        yield Watch(total, control=control, on_progress=progress)
    elif progress is False or (progress is None and not _watched()):
        yield Watch(total, control=control)
    else:
        with _bar(total) as show:
            yield Watch(total, control=control, on_progress=show)


def _watched() -> bool:
    return "ipykernel" in sys.modules or sys.stderr.isatty()


@contextmanager
def _bar(total: int) -> Iterator[Callable[[Progress], None]]:
    from tqdm.auto import tqdm

    lock = threading.Lock()  # the engine's threads tell their progress at the same time
    ncols, nrows = _size()
    with tqdm(total=total, unit=" rows", unit_scale=True, mininterval=0.2, ncols=ncols, nrows=nrows) as bar:

        def show(progress: Progress) -> None:
            with lock:
                bar.update(progress.done - bar.n)
                bar.set_postfix_str(_postfix(progress), refresh=progress.waiting is not None)

        yield show


def _size() -> tuple[int, int] | tuple[None, None]:
    """Return a size for a terminal that says it has none, as those of containers do: tqdm would draw nothing there."""
    with suppress(OSError):
        return (None, None) if all(os.get_terminal_size(sys.stderr.fileno())) else (80, 24)
    return None, None


def _postfix(progress: Progress) -> str:
    bad: dict[str, Any] = {
        name: count for name, count in progress.counts.items() if count and name not in ("accepted", "collapsed")
    }
    parts = [f"{count:,} {name.replace('_', ' ')}" for name, count in bad.items()]
    return ", ".join([*parts, progress.waiting] if progress.waiting else parts)
