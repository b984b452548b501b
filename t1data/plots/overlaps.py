"""Which audiences share how many customers: one bar for each combination, with dots for its audiences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from matplotlib.axes import Axes

from t1data.errors import InputError
from t1data.plots.bars import MOST_BARS, require_columns
from t1data.plots.canvas import (
    COLOURS,
    INK,
    add_words,
    new_axes,
    number,
    say_instead,
    sentence,
    shortened,
    write_headline,
)

_MOST_AUDIENCES, _LONGEST_NAME = 12, 22
_MOST_DIGITS = 64  # of the numbers above the bars, while they stand side by side
_FAINT = 0.35


@dataclass(frozen=True)
class _Segment:
    audiences: tuple[str, ...]
    inside: tuple[bool, ...]
    size: int

    @property
    def words(self) -> str:
        named = " and ".join(name for name, is_in in zip(self.audiences, self.inside, strict=True) if is_in)
        only = " alone" if sum(self.inside) == 1 else ""
        return f"{self.size:,} in {named or 'none of them'}{only}"


class Overlapping(Protocol):
    """What `plot_overlaps` reads of the overlaps of audiences."""

    @property
    def segments(self) -> pd.DataFrame:
        """``members`` of each exclusive segment, indexed by one truth value for each audience."""


def plot_overlaps(segments: Overlapping | pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many customers are in each combination of audiences, and in no other.

    Parameters
    ----------
    segments : Overlaps or DataFrame
        What `overlaps` returned; or exclusive segments as a frame: one boolean column an audience, named as it, and
        ``size`` (customers). Each customer is counted in one row.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One bar a combination, the largest first, and below it full dots for the audiences that its customers are in.
        Beside the dots the audiences' names, with all their customers. Beyond twelve bars the rest is said in words.

    Raises
    ------
    InputError
        There is no column ``size``, no audience, more than twelve, or a column that is not boolean.

    Examples
    --------
    >>> frame = pd.DataFrame({"vip": [True, True], "app": [False, True], "size": [30, 12]})
    >>> plot_overlaps(frame).get_title("left")
    '42 customers in 2 audiences'
    """
    inside, sizes = _parted(segments)
    _check(inside)
    found, audiences = _segments(inside, sizes), [str(name) for name in inside.columns]
    shown = found[:MOST_BARS]
    ax = ax or new_axes(height=3.0 + 0.27 * len(audiences))
    customers = number(sum(segment.size for segment in found), "customer", "customers")
    shared = sum(segment.size for segment in found if sum(segment.inside) > 1)
    headline = f"{customers} in {number(len(audiences), 'audience', 'audiences')}"
    drawn = [f"{len(shown)} of {len(found)} combinations drawn"] if len(found) > len(shown) else []
    write_headline(ax, headline, [f"{shared:,} in more than one", *drawn])
    if not found:
        say_instead(ax, "Nobody is in any of the audiences.")
        return ax
    _draw_sizes(ax, shown)
    _draw_dots(ax, shown)
    _draw_names(ax, found, audiences)
    ax.set_xlim(-0.5, max(len(shown), 4) - 0.5)
    ax.set_ylim(_heights(len(audiences))[-1] - 0.1, 1.5 if _is_upright(shown) else 1.2)
    add_words(ax, _in_words(found))
    return ax


def _parted(given: Overlapping | pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return for each segment a truth value an audience, and its customers."""
    frame = given if isinstance(given, pd.DataFrame) else given.segments
    if "members" in frame.columns and frame.index.nlevels > 1:  # in the index an audience may have any name
        return frame.index.to_frame(index=False), frame["members"].reset_index(drop=True)
    require_columns(frame, "size")
    return frame.drop(columns="size"), frame["size"]


def _check(inside: pd.DataFrame) -> None:
    if not len(inside.columns):
        raise InputError("segments: there is no audience; give one boolean column for each")
    if len(inside.columns) > _MOST_AUDIENCES:
        raise InputError(
            f"segments: {len(inside.columns)} audiences are more than a picture can show; give up to {_MOST_AUDIENCES}"
        )
    for name in inside.columns if len(inside) else ():
        if not pd.api.types.is_bool_dtype(inside[name]):
            raise InputError(f"segments: column {name!r} is not boolean; say for each segment whether it is in it")


def _segments(inside: pd.DataFrame, sizes: pd.Series[Any]) -> list[_Segment]:
    names = tuple(map(str, inside.columns))
    rows = zip(inside.fillna(False).to_numpy(bool).tolist(), pd.to_numeric(sizes).fillna(0), strict=True)
    found = [_Segment(names, tuple(flags), int(size)) for flags, size in rows if size > 0]
    return sorted(found, key=lambda segment: -segment.size)


def _in_words(found: list[_Segment]) -> str:
    said, rest = [segment.words for segment in found[:MOST_BARS]], found[MOST_BARS:]
    if rest:
        said.append(f"{sum(segment.size for segment in rest):,} in {number(len(rest), 'other', 'others')}")
    return sentence("; ".join(said))


def _is_upright(shown: list[_Segment]) -> bool:
    return len(shown) * len(f"{shown[0].size:,}") > _MOST_DIGITS


def _heights(audiences: int) -> list[float]:
    """Return where the lines of dots lie below the bars, the longest of which is 1 high."""
    return [-0.14 * (place + 0.8) for place in range(audiences)]


def _draw_sizes(ax: Axes, shown: list[_Segment]) -> None:
    colour, longest = COLOURS["accepted"], shown[0].size
    rotation = 90 if _is_upright(shown) else 0
    for place, segment in enumerate(shown):
        height = segment.size / longest
        ax.bar(place, height, width=0.56, color=colour, edgecolor=colour)
        ax.text(
            place,
            height + 0.02,
            f"{segment.size:,}",
            color=INK,
            fontsize=9,
            rotation=rotation,
            ha="center",
            va="bottom",
        )


def _draw_dots(ax: Axes, shown: list[_Segment]) -> None:
    colour, heights = COLOURS["accepted"], _heights(len(shown[0].inside))
    for place, segment in enumerate(shown):
        full = [height for height, is_in in zip(heights, segment.inside, strict=True) if is_in]
        ax.scatter([place] * len(heights), heights, s=14, color=INK, alpha=_FAINT, linewidths=0)
        if full:
            ax.plot([place, place], [full[0], full[-1]], color=colour, linewidth=1.6)
            ax.scatter([place] * len(full), full, s=44, color=colour, linewidths=0, zorder=3)


def _draw_names(ax: Axes, found: list[_Segment], audiences: list[str]) -> None:
    sizes = [sum(segment.size for segment in found if segment.inside[at]) for at in range(len(audiences))]
    named = zip(audiences, sizes, strict=True)
    labels = [f"{shortened(name, _LONGEST_NAME)} ({size:,})" for name, size in named]
    ax.set_yticks(_heights(len(audiences)), labels, fontsize=9.5, parse_math=False)
    ax.tick_params(axis="y", length=0, pad=6)
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
