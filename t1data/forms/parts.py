"""The fields of a form, of one job or of several that share some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as W

from t1data.forms.fields import Part
from t1data.forms.job import Job
from t1data.forms.peek import READING, Peek
from t1data.forms.pieces import show


class Parts:
    """All parts of some jobs, each once.

    Parameters
    ----------
    jobs : sequence of Job
        Those of the form.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._all: list[Part] = list(dict.fromkeys(part for job in jobs for part in job.parts))
        self.labels = {name: label for part in self._all for name, label in part.labels.items()}

    def widgets(self, *, folded: bool) -> list[W.Widget]:
        """Return what is shown at once, or among further options."""
        return [part.widget for part in self._all if part.folded == folded]

    def show(self, job: Job) -> None:
        """Show the parts of one job."""
        for part in self._all:
            show(part.widget, part in job.parts)

    def look(self, peek: Peek) -> None:
        """Take notice of other rows."""
        for part in self._all:
            part.look(peek)

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell when anything changes."""
        for part in self._all:
            part.watch(changed)

    def lock(self, locked: bool) -> None:
        """Keep the person from changing anything, or no longer."""
        for part in self._all:
            part.lock(locked)

    def reading(self) -> dict[str, Any]:
        """Return how a file is to be read, as the page says it now."""
        parts = [part for part in self._all if part.labels.keys() & set(READING)]
        return {name: value for part in parts for name, value in part.arguments().items()}
