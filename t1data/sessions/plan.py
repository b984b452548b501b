"""What a job on sessions or events would do, shown before anything is sent."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from t1data.bulk.batches import EncodedRows
from t1data.client import Client
from t1data.tables.labels import Labels
from t1data.tables.problems import Problem
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

Found = tuple[str, Labels, Sequence[Problem]]
"""The name of an input, the labels of its rows, and its problems."""

MOST_PROBLEMS = 100_000  # kept in a frame for people; the journal has a line for every row
_COLUMNS = ("input", "row", "column", "code", "value", "message")


@dataclass(frozen=True)
class RowPlan:
    """What `update_sessions` or `track_events` would do with the same arguments.

    Attributes
    ----------
    source : str
        Name of the input.
    base_url : str
        Where the requests would go.
    what : str
        What a row is: ``"session"`` or ``"event"``.
    rows, ready, invalid, collapsed : int
        Rows of the input; those that would be sent, each in a request of its own; those that cannot be; those that an
        equal one stands for.
    items : int
        Items of carts.
    seconds : float or None
        How long it takes at the client's pace; None without a limit.
    found : sequence of tuples
        The problems of each input, with its name and the labels of its rows; `problems` shows them.
    reasons : mapping of str to int
        How many rows cannot be sent, by the code of their first problem.
    dry : bool
        Nothing would be changed.
    notes : tuple of str
        What else there is to know, each a sentence.
    """

    source: str
    base_url: str
    what: str
    rows: int
    ready: int
    invalid: int
    collapsed: int
    items: int
    seconds: float | None
    found: Sequence[Found] = field(repr=False)
    reasons: Mapping[str, int] = field(default_factory=dict)
    dry: bool = False
    notes: tuple[str, ...] = ()

    @cached_property
    def problems(self) -> pd.DataFrame:
        """One line a problem: ``input, row`` (its label in the frame, or from 1), ``column, code, value, message``."""
        return problem_frame(self.found)

    @property
    def requests(self) -> int:
        """Requests that would be sent if none is repeated."""
        return self.ready

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines; no values of customers are in it."""
        names = ("source", "base_url", "what", "rows", "ready", "invalid", "collapsed", "items", "requests", "seconds")
        return {name: getattr(self, name) for name in names} | {"reasons": dict(self.reasons), "dry": self.dry}

    def lines(self) -> list[str]:
        """Return the plan in words, a line for each thing to know."""
        items = f", {many(self.items, 'item')} in their carts" if self.items else ""
        time = "" if self.seconds is None else f", about {_duration(self.seconds)}"
        said = [
            f"{self.source}: {many(self.rows, self.what)}{items}, to {self.base_url}",
            f"{self.ready:,} would be sent, one in a request{time}",
        ]
        if self.dry:
            said.append("a what-if run: the rules are asked, and nothing is changed")
        if self.invalid:
            why = ", ".join(f"{count:,} {code}" for code, count in self.reasons.items())
            said.append(f"{many(self.invalid, 'row')} cannot be sent: {why}")
        if self.collapsed:
            said.append(f"{self.collapsed:,} more say the same as the line of the session before them")
        return [*said, *self.notes]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<RowPlan {self.source}: {self.ready:,} of {many(self.rows, self.what)}, {self.invalid:,} invalid>"

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Plan</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


@dataclass(frozen=True)
class Tally:
    """What a look at all rows of an input found."""

    ready: int
    collapsed: int
    invalid: int
    problems: list[Problem]
    reasons: Mapping[str, int]


def tally(parts: Iterable[tuple[EncodedRows, list[Problem]]]) -> Tally:
    """Count what would be sent and what not, and why."""
    ready = collapsed = 0
    reasons: Counter[str] = Counter()
    kept: list[Problem] = []
    for rows, problems in parts:
        ready += len(rows.rows)
        collapsed += sum(line.same_as is not None for line in rows.lines)
        reasons.update(line.reason for line in rows.lines if line.same_as is None)
        kept += problems[: MOST_PROBLEMS - len(kept)]
    return Tally(ready, collapsed, reasons.total(), kept, dict(reasons.most_common()))


def seconds_of(client: Client, requests: int) -> float | None:
    """Return how long so many requests take at the pace of a client."""
    return requests / client.rate if client.rate else None


def problem_frame(found: Sequence[Found]) -> pd.DataFrame:
    """Return the problems of one or two inputs as people read them."""
    import pandas as pd

    told = [(name, labels, problem.told(labels)) for name, labels, problems in found for problem in problems]
    records = [
        (name, labels.of(problem.row), problem.column, problem.code, problem.value, problem.message)
        for name, labels, problem in told
    ]
    frame = pd.DataFrame(records[:MOST_PROBLEMS], columns=list(_COLUMNS), dtype=object)
    return frame.astype({name: "string" for name in _COLUMNS if name != "row"})


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
