"""What reserving or releasing coupons would do, shown before anything is sent."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.cutting import gather
from t1data.client import Client
from t1data.coupons.pairs import Pairs
from t1data.coupons.send import OPERATION_OF, job_of
from t1data.tables.labels import problem_frame
from t1data.tables.problems import Problem
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

MOST_PROBLEMS = 100_000  # kept in a frame for people; the journal has a line for every row


@dataclass(frozen=True)
class ReservationPlan:
    """What `reserve_coupons` or `release_coupons` would do with the same arguments.

    Attributes
    ----------
    source : str
        Name of the input.
    base_url : str
        Where the requests would go.
    rows, ready, invalid, collapsed : int
        Rows of the input; pairs of coupon and customer that would be sent; rows that cannot be; rows whose pair stands
        in an earlier row.
    blank_lines : int
        Empty lines of a text file; they are no rows.
    coupons : int
        How many coupons they name.
    requests : int
        Requests that would be sent if none is refused: one a coupon for each 1000 customers.
    seconds : float or None
        How long they take at the client's pace; None without a limit.
    coupon_column, id_column : str
        The columns that are read.
    problems : DataFrame
        One line a reason why a row is not sent: ``integration_id, column, code, value, message``, indexed like the
        input (for a file: the row number, from 1).
    suspicions : tuple of str
        What to know of the input, each a sentence: hidden rows of a workbook, signs that a program changed ids or
        codes. All of it is sent as it is.
    """

    source: str
    base_url: str
    rows: int
    ready: int
    invalid: int
    collapsed: int
    blank_lines: int
    coupons: int
    requests: int
    seconds: float | None
    coupon_column: str
    id_column: str
    problems: pd.DataFrame = field(repr=False)
    suspicions: tuple[str, ...] = ()

    @property
    def reasons(self) -> dict[str, int]:
        """Rows that are not sent, by the code of their first reason."""
        first = self.problems[~self.problems.index.duplicated()] if len(self.problems) else self.problems
        return {str(code): int(count) for code, count in first["code"].value_counts().items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines; no values of customers are in it."""
        names = (
            "source", "base_url", "rows", "ready", "invalid", "collapsed", "blank_lines", "coupons", "requests",
            "seconds", "coupon_column", "id_column", "reasons",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def lines(self) -> list[str]:
        """Return the plan in words, a line for each thing to know."""
        pairs = f"{many(self.ready, 'pair')} of coupon and customer, {many(self.coupons, 'coupon')}"
        said = [
            f"{self.source}: {many(self.rows, 'row')}",
            f"to {self.base_url}, coupons by column {self.coupon_column!r}, customers by column {self.id_column!r}",
            f"{pairs}, would be sent in {many(self.requests, 'request')}" + _in_time(self.seconds),
        ]
        if self.collapsed:
            said.append(f"{many(self.collapsed, 'row')} more with the pair of another row: each pair goes out once")
        if self.invalid:
            why = ", ".join(f"{count:,} {code}" for code, count in self.reasons.items())
            said.append(f"{many(self.invalid, 'row')} cannot be sent: {why}")
        if self.blank_lines:
            said.append(f"{many(self.blank_lines, 'blank line')} left out")
        return [*said, *self.suspicions, "a coupon's own reservation limit does not count for this"]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return (
            f"<ReservationPlan {self.source}: {many(self.ready, 'pair')} of {many(self.coupons, 'coupon')}"
            f" in {many(self.requests, 'request')}, {self.invalid:,} invalid>"
        )

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Plan</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


@dataclass
class _Seen:
    """What is known after every row was prepared."""

    problems: list[Problem] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)
    collapsed: int = 0
    coupons: set[str | None] = field(default_factory=set)
    pairs: int = 0
    requests: int = 0

    def rows(self, pairs: Pairs) -> Iterator[EncodedRows]:
        """Yield the rows of an input, noting why others are not sent."""
        for part, found in pairs.parts():
            self.problems += found[: MOST_PROBLEMS - len(self.problems)]
            self.bad_rows.update(problem.row for problem in found)
            self.collapsed += sum(line.same_as is not None for line in part.lines)
            yield part

    def count(self, batch: Batch) -> None:
        """Count a request that would be sent."""
        self.requests += 1
        self.pairs += len(batch)
        self.coupons.add(batch.key)


def make_plan(client: Client, pairs: Pairs) -> ReservationPlan:
    """Return the plan of a prepared input."""
    job, seen = job_of(client, OPERATION_OF["reserve_coupons"], 1), _Seen()
    for batch in gather(seen.rows(pairs), limit=job.batch_limit, max_bytes=job.max_bytes):
        if isinstance(batch, Batch):
            seen.count(batch)
    return ReservationPlan(
        source=pairs.source.name,
        base_url=client.base_url,
        rows=pairs.rows,
        ready=seen.pairs,
        invalid=len(seen.bad_rows),
        collapsed=seen.collapsed,
        blank_lines=pairs.blank_lines,
        coupons=len(seen.coupons),
        requests=seen.requests,
        seconds=seen.requests / client.rate if client.rate else None,
        coupon_column=pairs.coupon,
        id_column=pairs.id,
        problems=problem_frame(seen.problems, pairs.source.labels),
        suspicions=(*pairs.source.notes, *pairs.suspicions),
    )


def _in_time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s" if seconds < 120 else f", about {seconds / 60:.0f} min"
