"""Runs that were left behind: by a closed tab, a dead kernel, a cell that was run again."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets as W

from t1data.bulk.run import ONLY_FIRST
from t1data.forms import html
from t1data.forms.fields import LAYOUT, STYLE, offer
from t1data.forms.pieces import button, row, show
from t1data.forms.words import counted, many
from t1data.history import list_runs, read_head_of

MOST = 8
STOPPING = "Asking it to stop: what is on its way gets ten seconds."


@dataclass(frozen=True)
class Left:
    """A run with rows that are not settled.

    Attributes
    ----------
    id : str
        Of the run.
    journal : Path
        Its file.
    words : str
        When it began and how far it came.
    holder : str or None
        Which process works on it now.
    has_file : bool
        Whether its rows are in a file that is still there.
    only_first : bool
        Whether it stopped after its first row, as it was asked to.
    """

    id: str
    journal: Path
    words: str
    holder: str | None
    has_file: bool
    only_first: bool = False

    @property
    def state(self) -> str:
        """What it is doing, and what can be done, in words."""
        if self.holder is not None:
            return f"It is still going, {place_of(self.holder)}. Cancel stops it there, and it can be resumed."
        if self.only_first:
            return "Its first row was sent to see what becomes of it. Resume sends the others."
        return "It was cut off or stopped. Nothing is lost: Resume goes on with what is not settled."


def place_of(holder: str) -> str:
    """Say where a run is being sent.

    Examples
    --------
    >>> place_of("process 1 on shop since 2026-11-24T09:32:11+00:00")
    'in process 1 on shop since 2026-11-24T09:32:11+00:00'
    """
    return "in this notebook" if holder.startswith(f"process {os.getpid()} ") else f"in {holder}"


def find_left(*, operations: Collection[str], base_url: str | None = None) -> list[Left]:
    """Return the newest runs of some operations with rows that are not settled, of one account if it is named."""
    frame = list_runs()
    frame = frame[(frame["unsent"] > 0) | (frame["in_doubt"] > 0)]
    frame = frame[frame["operation"].isin(operations)]
    if base_url is not None:
        frame = frame[frame["base_url"] == base_url]
    return list(_lefts(frame.head(MOST)))


def _lefts(frame: Any) -> Iterator[Left]:
    for id_, line in frame.iterrows():
        journal = Path(line["journal"])
        began = f"{line['started_at']:%d %B %Y, %H:%M} UTC"
        said = f"{began}: {many(int(line['rows']), 'row')}, {counted(dict(line))}"
        yield Left(str(id_), journal, said, line["in_use"], has_file(journal), line["stopped"] == ONLY_FIRST)


def has_file(journal: Path) -> bool:
    """Return whether a run read its rows, and those of a second input, from files that are still there."""
    facts = read_head_of(journal).facts
    recipe, digests = facts.get("recipe", {}), facts.get("input", {}).get("sha256", "")
    paths = [recipe.get("path"), recipe.get("items_path")][: 1 + digests.count("+")]  # a digest for each input
    return all(path is not None and Path(path).exists() for path in paths)


class LeftBehind:
    """The section of a form that offers such runs.

    Parameters
    ----------
    show_run, resume, stop : callable
        Called with the run that a person picked; the second also with whether it may be older than a day.
    """

    def __init__(
        self,
        *,
        show_run: Callable[[Left], None],
        resume: Callable[[Left, bool], None],
        stop: Callable[[Left], None],
    ) -> None:
        self._found: dict[str, Left] = {}
        self._resume_run = resume
        self._pick = W.Dropdown(options=(), description="Unfinished run", style=STYLE, layout=LAYOUT)
        self._old = W.Checkbox(
            value=False, description="Also if it began more than a day ago", indent=False, layout=LAYOUT
        )
        self._said = W.HTML()
        self._show = button("Show", "Show how far this run came", lambda: self._with(show_run))
        self._resume = button("Resume this run", "Send what is not settled yet", self._go_on)
        self._cancel = button("Cancel this run", "Stop it where it is being sent", lambda: self._with(stop))
        self.widget = W.VBox(
            [
                W.HTML(html.heading("Left behind")),
                self._said,
                self._pick,
                self._old,
                row([self._show, self._resume, self._cancel]),
            ]
        )
        self._pick.observe(lambda _: self._describe(), "value")
        show(self.widget, False)

    def offer(self, found: list[Left]) -> None:
        """Offer these runs."""
        self._found = {left.id: left for left in found}
        offer(self._pick, [(left.words, left.id) for left in found])
        show(self.widget, bool(found))
        self._describe()

    def lock(self, locked: bool) -> None:
        """Let none be resumed while another run goes on."""
        self._resume.disabled = locked or not self._free()

    @property
    def is_going_on(self) -> bool:
        """Whether some process works on one of them at this moment."""
        return any(left.holder for left in self._found.values())

    def _picked(self) -> Left | None:
        return self._found.get(self._pick.value)

    def _free(self) -> bool:
        picked = self._picked()
        return picked is not None and picked.holder is None

    def _describe(self) -> None:
        picked = self._picked()
        self._resume.disabled = not self._free()
        self._cancel.disabled = picked is None or picked.holder is None
        if picked is not None:
            self._said.value = html.note(f"{picked.words}. {picked.state}")

    def _with(self, act: Callable[[Left], None]) -> None:
        if (picked := self._picked()) is not None:
            act(picked)

    def _go_on(self) -> None:
        self._with(lambda run: self._resume_run(run, self._old.value))
