"""The coupons of customers, by the state that they are in."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from t1data.plots.bars import HEIGHT, MOST_BARS, Bar, draw_bars, require_columns
from t1data.plots.canvas import COLOURS, INK, new_axes, number, say_instead, shortened, write_headline

_COLOURS = {
    "active": COLOURS["accepted"],
    "used": COLOURS["unsent"],
    "expired": COLOURS["refused"],
    "disabled": COLOURS["invalid"],
    "pending": COLOURS["in_doubt"],
}


def plot_coupons(coupons: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many coupons are in each state.

    Parameters
    ----------
    coupons : DataFrame
        ``coupons`` of `fetch_inventories`, or any frame with a column ``state``; one row a coupon.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One horizontal bar a state, the longest first, with its number and its share.

    Raises
    ------
    InputError
        There is no column ``state``.

    Examples
    --------
    >>> from t1data.plots import describe
    >>> describe(plot_coupons(pd.DataFrame({"state": ["active", "active", "expired"]})))
    '3 coupons. Active 2, expired 1. Active, 2 (66.7%); expired, 1 (33.3%).'
    """
    require_columns(coupons, "state")
    states = coupons["state"].astype("object").where(coupons["state"].notna(), "no state").value_counts()
    bars = [_bar(str(state), int(count), len(coupons)) for state, count in states.items()]
    if len(bars) > MOST_BARS:
        rest = int(states.iloc[MOST_BARS - 1 :].sum())
        bars = [*bars[: MOST_BARS - 1], _bar(f"{len(bars) - MOST_BARS + 1} other states", rest, len(coupons))]
    ax = ax or new_axes(height=1.1 + HEIGHT * max(len(bars), 1))
    details = [f"{shortened(str(state), 16)} {count:,}" for state, count in list(states.items())[:5]]
    write_headline(ax, number(len(coupons), "coupon", "coupons"), details)
    if not bars:
        say_instead(ax, "There are no coupons.")
        return ax
    draw_bars(ax, bars)
    return ax


def _bar(state: str, count: int, of: int) -> Bar:
    return Bar(state, f"{count:,} ({count / of:.1%})", ((count, _COLOURS.get(state, INK)),))
