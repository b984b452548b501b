"""A run under way, as a page follows it: how far it is, pause, cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from t1data.bulk.progress import Control, Progress
from t1data.forms.job import Launch, Result
from t1data.forms.words import line_of, percent
from t1data.forms.work import work


@dataclass(frozen=True)
class Tell:
    """Whom a run under way tells.

    Attributes
    ----------
    line : callable
        Gets how many per cent are done, and a line in words; ten times a second.
    quarter : callable
        Gets 25, 50, 75: for those who have the page read out.
    done : callable
        Gets what the function returned.
    failed : callable
        Gets the error, when there is no run to return.
    """

    line: Callable[[int, str], None]
    quarter: Callable[[int], None]
    done: Callable[[Result], None]
    failed: Callable[[BaseException], None]


class Flight:
    """Starts a run and follows it.

    Parameters
    ----------
    launch : callable
        Starts the run; given what takes its progress, and its control.
    tell : Tell
        Whom to tell.
    every : float
        Seconds between two looks.
    first : int, optional
        Send so many rows, and leave the others to a resume.
    """

    def __init__(self, launch: Launch, *, tell: Tell, every: float, first: int | None = None) -> None:
        self.cancelled = False
        self._control = Control(first=first)
        self._tell = tell
        self._latest: Progress | None = None
        self._quarter = 0
        self.thread: threading.Thread = work(
            lambda: launch(self._take, self._control),
            look=self._look,
            done=tell.done,
            failed=tell.failed,
            every=every,
        )

    def pause(self) -> None:
        """Let no new request start."""
        self._control.pause()

    def go_on(self) -> None:
        """End a pause."""
        self._control.go_on()

    def cancel(self) -> None:
        """Let no new request start and end every wait."""
        self.cancelled = True
        self._control.stop()

    def _take(self, progress: Progress) -> None:
        self._latest = progress  # from any thread of the run: one assignment, and no widget is touched

    def _look(self) -> None:
        latest = self._latest
        done = percent(latest)
        self._tell.line(done, line_of(latest, self._doing()))
        if done // 25 > self._quarter and done < 100:
            self._quarter = done // 25
            self._tell.quarter(self._quarter * 25)

    def _doing(self) -> str:
        if self.cancelled:
            return "cancelling"
        return "paused" if self._control.paused else "running"
