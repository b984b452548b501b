"""What became of the rows of a run: how many were not accepted, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes

from t1data.plots.canvas import COLOURS, INK, add_words, in_words, new_axes, say_instead, write_title

_MOST_BARS, _LONGEST_REASON = 12, 48


class Outcomes(Protocol):
    """What `plot_outcomes` reads of a run."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows had each of the five outcomes."""

    @property
    def failures(self) -> pd.DataFrame:
        """One row for each row of the input that was not accepted."""


@dataclass(frozen=True)
class _Bar:
    outcome: str
    reason: str
    rows: int

    @property
    def label(self) -> str:
        short = self.reason if len(self.reason) <= _LONGEST_REASON else f"{self.reason[: _LONGEST_REASON - 1]}…"
        return f"{in_words(self.outcome)}: {short}".removesuffix(": ")

    @property
    def colour(self) -> str:
        return COLOURS.get(self.outcome, INK)


def plot_outcomes(run: Outcomes, *, ax: Axes | None = None) -> Axes:
    """Draw how many rows were not accepted, for each outcome and reason.

    Parameters
    ----------
    run : Run
        What a bulk job returned. Read are ``run.counts`` and of ``run.failures`` the columns ``outcome`` and
        ``reason``.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One horizontal bar for each outcome and reason, the longest first, with its number of rows. Beyond twelve
        the rest is one bar. When every row was accepted, that is the one bar.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> from t1data.plots import describe
    >>> run = SimpleNamespace(
    ...     counts={"accepted": 998, "invalid": 2, "refused": 0, "unsent": 0, "in_doubt": 0},
    ...     failures=pd.DataFrame({"outcome": "invalid", "reason": ["empty_id", "empty_id"]}),
    ... )
    >>> describe(plot_outcomes(run)).rpartition(". ")[2]
    'Invalid: empty_id, 2.'
    """
    bars = _bars(run)
    ax = ax or new_axes(height=1.1 + 0.44 * max(len(bars), 1))
    write_title(ax, run.counts)
    if not bars:
        say_instead(ax, "No rows.")
        return ax
    colours = [bar.colour for bar in bars]  # as edges too, so that one row among millions still leaves a line
    drawn = ax.barh(range(len(bars)), [bar.rows for bar in bars], height=0.4, color=colours, edgecolor=colours)
    ax.bar_label(drawn, [f"{bar.rows:,}" for bar in bars], padding=4, color=INK, fontweight="bold")
    for place, bar in enumerate(bars):
        ax.text(0, place - 0.31, bar.label, color=INK, fontsize=9.5, parse_math=False)
    _leave_only_bars(ax, len(bars))
    words = "; ".join(f"{bar.label}, {bar.rows:,}" for bar in bars)
    add_words(ax, f"{words[0].upper()}{words[1:]}.")
    return ax


def _leave_only_bars(ax: Axes, bars: int) -> None:
    ax.set_ylim(bars - 0.6, -0.9)
    ax.margins(x=0.1)
    ax.set_axis_off()


def _bars(run: Outcomes) -> list[_Bar]:
    """Count the rows that were not accepted; those that `failures` does not list get a bar without a reason."""
    bars, failures = [], run.failures  # once: a run reads its journal each time
    for outcome in COLOURS.keys() - {"accepted"}:
        reasons = failures.loc[failures["outcome"] == outcome, "reason"].value_counts()
        bars += [_Bar(outcome, str(reason), int(rows)) for reason, rows in reasons.items()]
        bars.append(_Bar(outcome, "", run.counts[outcome] - int(reasons.sum())))
    bars = sorted((bar for bar in bars if bar.rows > 0), key=lambda bar: (-bar.rows, bar.label))
    if not bars and run.counts["accepted"]:
        return [_Bar("accepted", "", run.counts["accepted"])]
    return _shortened(bars)


def _shortened(bars: list[_Bar]) -> list[_Bar]:
    if len(bars) <= _MOST_BARS:
        return bars
    rest = bars[_MOST_BARS - 1 :]
    others = _Bar(f"{len(rest)} other reasons", "", sum(bar.rows for bar in rest))
    return [*bars[: _MOST_BARS - 1], others]
