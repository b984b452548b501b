"""A run under way, as a page follows it: how far it is, pause, cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from t1data.bulk.progress import Control, Progress
from t1data.forms.job import Launch, Result
from t1data.forms.left import HERE, Going
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
    title : str
        What it is, for other forms that find it.
    launch : callable
        Starts the run; given what takes its progress, and its control.
    tell : Tell
        Whom to tell.
    every : float
        Seconds between two looks.
    """

    def __init__(self, title: str, launch: Launch, *, tell: Tell, every: float) -> None:
        self.cancelled = False
        self._control = Control()
        self._tell = tell
        self._latest: Progress | None = None
        self._quarter = 0
        self._going = Going(title, self._control)
        HERE.add(self._going)
        self.thread: threading.Thread = work(
            lambda: launch(self._take, self._control),
            look=self._look,
            done=self._done,
            failed=self._failed,
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

    def _done(self, result: Result) -> None:
        HERE.remove(self._going)
        self._tell.done(result)

    def _failed(self, error: BaseException) -> None:
        HERE.remove(self._going)
        self._tell.failed(error)
