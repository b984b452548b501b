"""When the batches of a run were sent, answered and held back: numbers, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

INTERRUPTION = 60.0  # seconds; shorter stretches without a request stay on the axis
FEWEST_STEPS, MOST_STEPS = 8, 120

Seconds = NDArray[np.float64]

_OUTCOME_OF_STATE = {"done": "accepted", "refused": "refused", "planned": "unsent"}


@dataclass(frozen=True)
class Timeline:
    """The batches of a run in the order they were sent, in seconds since the first, interruptions left out.

    Attributes
    ----------
    start : Timestamp
        When the first batch was sent.
    sent, ended : array of float
        When each batch was sent, and when its answer came.
    rows : array of float
        Rows of each batch that were accepted.
    outcome : array of str
        What became of each batch.
    waits : list of (float, float)
        Spans in which a batch waited to be sent again; they do not overlap.
    repeats : int
        How many batches waited to be sent again.
    interruptions : array of float
        Where on the axis a stretch without any request was left out.
    left_out : float
        Seconds that were left out.
    """

    start: pd.Timestamp
    sent: Seconds
    ended: Seconds
    rows: Seconds
    outcome: NDArray[np.object_]
    waits: list[tuple[float, float]]
    repeats: int
    interruptions: Seconds
    left_out: float

    @property
    def end(self) -> float:
        """When the last answer came; never zero, so that rates can be taken."""
        return max(float(self.ended.max()), 1e-3)

    @property
    def mean(self) -> float:
        """Rows accepted a second over the whole."""
        return float(self.rows.sum()) / self.end

    @property
    def waited(self) -> float:
        """Seconds in which at least one batch waited to be sent again."""
        return sum(stop - start for start, stop in self.waits)

    def speed(self) -> tuple[Seconds, Seconds]:
        """Return rows accepted a second in equal steps, and the edges of the steps.

        The running total is taken as a straight line from one answer to the next. That keeps an even pace flat:
        counting answers in steps would show one answer more or less as a jump.
        """
        order = np.argsort(self.ended, kind="stable")
        at, total = np.append(0.0, self.ended[order]), np.append(0.0, self.rows[order].cumsum())
        usual = float(np.quantile(np.diff(at), 0.9))  # nine in ten: answers that come in bursts, few that waited
        steps = int(np.clip(self.end / max(3 * usual, 1e-9), FEWEST_STEPS, MOST_STEPS))
        edges = np.linspace(0.0, self.end, steps + 1)
        reached = np.interp(edges, at, total)
        reached[0] = 0.0  # also where the first answer came at once
        return np.diff(reached) / (edges[1] - edges[0]), edges


def timeline(batches: pd.DataFrame) -> Timeline:
    """Read ``run.batches``; there must be at least one, and each must have been sent."""
    batches = batches.sort_values("started_at", kind="stable")
    waited = batches["waited"].fillna(0).to_numpy(float)
    attempts = batches["attempts"].fillna(0).to_numpy(int)
    sent, ended, cut = _without_interruptions(*_seconds(batches, waited))
    repeated = (attempts > 1) & (waited > 0)  # a first attempt waits only for its turn in the even pace
    outcome = batches["state"].map(_OUTCOME_OF_STATE).fillna("in_doubt").to_numpy(object)
    return Timeline(
        start=batches["started_at"].iloc[0],
        sent=sent,
        ended=ended,
        rows=np.where(outcome == "accepted", batches["rows"].to_numpy(float), 0.0),
        outcome=outcome,
        waits=_merged(_waits(sent, ended, waited, attempts)[repeated]),
        repeats=int(repeated.sum()),
        interruptions=sent[cut > 0],
        left_out=float(cut.sum()),
    )


def _seconds(batches: pd.DataFrame, waited: Seconds) -> tuple[Seconds, Seconds]:
    start = batches["started_at"].iloc[0]
    sent = (batches["started_at"] - start).dt.total_seconds().to_numpy(float)
    ended = (batches["answered_at"] - start).dt.total_seconds().to_numpy(float)
    return sent, np.where(np.isnan(ended), sent + waited, np.maximum(ended, sent))  # no answer: nobody knows when


def _without_interruptions(sent: Seconds, ended: Seconds) -> tuple[Seconds, Seconds, Seconds]:
    """Close the gaps in which no request was in flight, as between a run and its resume the day after."""
    usual = float(np.median(np.diff(sent))) if len(sent) > 1 else 0.0
    idle = np.append(0.0, sent[1:] - np.maximum.accumulate(ended)[:-1])
    cut = np.where(idle > max(INTERRUPTION, 10 * usual), idle - usual, 0.0)
    return sent - cut.cumsum(), ended - cut.cumsum(), cut


def _waits(sent: Seconds, ended: Seconds, waited: Seconds, attempts: NDArray[np.int_]) -> Seconds:
    """Place each wait before the last attempt: only its length is known, and that all attempts took the rest."""
    exchange = np.maximum(ended - sent - waited, 0.0) / np.maximum(attempts, 1)
    return np.column_stack([ended - exchange - waited, ended - exchange])


def _merged(spans: Seconds) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, stop in sorted((float(start), float(stop)) for start, stop in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
