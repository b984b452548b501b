"""What applying a plan would do to an audience: who leaves, who stays, who joins."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any, Protocol

from matplotlib.axes import Axes

from t1data.errors import InputError
from t1data.plots.bars import HEIGHT, Bar, draw_bars
from t1data.plots.canvas import COLOURS, INK, new_axes, number, say_instead, write_headline

_NAMES = {"removed": "leave", "kept": "stay", "added": "join"}
_COLOURS = {"removed": COLOURS["refused"], "kept": INK, "added": COLOURS["accepted"]}


class Difference(Protocol):
    """What `plot_changes` reads of the difference of two audiences: counts, or the customers themselves."""

    @property
    def added(self) -> Any:
        """Who joins, or how many."""

    @property
    def removed(self) -> Any:
        """Who leaves, or how many."""

    @property
    def kept(self) -> Any:
        """Who stays, or how many."""


def plot_changes(diff: Difference | Mapping[str, int], *, ax: Axes | None = None) -> Axes:
    """Draw how many customers would leave, stay in and join an audience.

    Parameters
    ----------
    diff : AudienceDiff or mapping of str to int
        What `diff_audiences` returned, or counts by the names ``added, removed, kept``.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One horizontal bar each for those who leave, stay and join, all on one scale, with their numbers.

    Raises
    ------
    InputError
        A count is missing or no count.

    Examples
    --------
    >>> plot_changes({"removed": 30, "kept": 970, "added": 80}).get_title("left")
    '1,000 members become 1,050'
    """
    counts = _counts(diff)
    before, after = counts["removed"] + counts["kept"], counts["kept"] + counts["added"]
    ax = ax or new_axes(height=1.1 + 3 * HEIGHT)
    details = [f"{counts['removed']:,} leave", f"{counts['kept']:,} stay", f"{counts['added']:,} join"]
    write_headline(ax, f"{number(before, 'member becomes', 'members become')} {after:,}", details)
    if not before and not after:
        say_instead(ax, "Nobody leaves, stays or joins.")
        return ax
    draw_bars(ax, [_bar(name, counts[name], before) for name in _NAMES])
    return ax


def _bar(name: str, count: int, before: int) -> Bar:
    share = f" ({count / before:.1%} of {before:,})" if before else ""
    return Bar(_NAMES[name], f"{count:,}{share}", ((count, _COLOURS[name]),))


def _counts(diff: Difference | Mapping[str, int]) -> dict[str, int]:
    found = diff if isinstance(diff, Mapping) else getattr(diff, "counts", None)
    if not isinstance(found, Mapping):
        found = {name: getattr(diff, name, None) for name in _NAMES}
    counts = {name: _count(found.get(name)) for name in _NAMES}
    if wrong := [name for name, count in counts.items() if count is None or count < 0]:
        raise InputError(f"diff: {', '.join(wrong)} must be a count of customers; valid names are added, removed, kept")
    return {name: count or 0 for name, count in counts.items()}


def _count(value: Any) -> int | None:
    if isinstance(value, Sized) and not isinstance(value, str):
        return len(value)
    try:
        return None if value is None or int(value) != value else int(value)
    except (TypeError, ValueError):
        return None
