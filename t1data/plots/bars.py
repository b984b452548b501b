"""Horizontal bars, each below a line with its name and its numbers: what most pictures of counts and sums need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from t1data.errors import InputError
from t1data.plots.canvas import INK, add_words, sentence, shortened

MOST_BARS = 12
_LONGEST_NAME = 44
HEIGHT = 0.44
"""Inches that each bar takes."""


@dataclass(frozen=True)
class Bar:
    """One bar of one or more parts.

    Attributes
    ----------
    name : str
        What it stands for.
    said : str
        Its numbers, in words.
    parts : tuple of (float, str)
        Length and colour of each part, from the left; lengths are not negative, or the bar has one part.
    """

    name: str
    said: str
    parts: tuple[tuple[float, str], ...]

    @property
    def words(self) -> str:
        """Name and numbers."""
        return f"{self.name}, {self.said}"


def draw_bars(ax: Axes, bars: Sequence[Bar]) -> None:
    """Draw bars from the top, and add their words to those of the picture."""
    for place, bar in enumerate(bars):
        _draw_parts(ax, place, bar)
        ax.text(0, place - 0.31, shortened(bar.name, _LONGEST_NAME), color=INK, fontsize=9.5, parse_math=False)
        line = ax.get_yaxis_transform()
        ax.text(1, place - 0.31, bar.said, color=INK, fontsize=9.5, ha="right", transform=line, parse_math=False)
    ax.set_ylim(len(bars) - 0.6, -0.9)
    ax.margins(x=0)
    ax.set_axis_off()
    add_words(ax, sentence("; ".join(bar.words for bar in bars)))


def _draw_parts(ax: Axes, place: int, bar: Bar) -> None:
    start = 0.0
    for length, colour in bar.parts:
        if length:  # with an edge, so that one among millions still leaves a line
            ax.barh(place, length, left=start, height=0.4, color=colour, edgecolor=colour)
        start += length


def require_columns(frame: pd.DataFrame, *names: str) -> None:
    """Raise `InputError` when a frame lacks a column that a picture is made of."""
    if missing := [name for name in names if name not in frame.columns]:
        there = ", ".join(map(repr, frame.columns)) or "none"
        raise InputError(f"the frame has no column {', '.join(map(repr, missing))}; it has {there}")


def amount(value: Any) -> str:
    """Write an amount with two decimals, or none when it is whole.

    Examples
    --------
    >>> amount(1234.5), amount(12.0)
    ('1,234.50', '12')
    """
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
