"""The points of customers, by loyalty program and ledger."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy

from t1data.plots.bars import HEIGHT, MOST_BARS, Bar, amount, draw_bars, require_columns
from t1data.plots.canvas import COLOURS, INK, new_axes, number, say_instead, write_headline

_COLOURS = {
    "current": COLOURS["accepted"],
    "pending": COLOURS["in_doubt"],
    "spent": COLOURS["unsent"],
    "expired": COLOURS["refused"],
}
_BALANCES = [f"{kind}_balance" for kind in _COLOURS]


def plot_balances(loyalty: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the points that customers have, wait for, have spent and have lost, in each ledger.

    Parameters
    ----------
    loyalty : DataFrame
        ``loyalty`` of `fetch_inventories`, or any frame with ``program_id``, ``ledger`` (empty for the main one),
        ``current_balance``, ``pending_balance``, ``spent_balance`` and ``expired_balance`` (points; a missing one is
        none). One row a customer and ledger. With a column ``program`` programs are called by their names.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One horizontal bar a program and ledger, in parts, the longest first. Beyond twelve the rest is one bar. A
        sum below zero has no length, and is said in its number.

    Raises
    ------
    InputError
        One of the columns is missing.

    Examples
    --------
    >>> row = {"program_id": 5, "ledger": "", "current_balance": 120.0, "pending_balance": 10.0}
    >>> frame = pd.DataFrame([row | {"spent_balance": 80.0, "expired_balance": None}])
    >>> plot_balances(frame).get_title("left")
    '120 points to spend in 1 ledger'
    """
    require_columns(loyalty, "program_id", "ledger", *_BALANCES)
    sums = _sums(loyalty)
    bars = _bars(sums)
    ax = ax or new_axes(height=1.5 + HEIGHT * max(len(bars), 1))
    headline = f"{amount(sums['current_balance'].sum())} points to spend in {number(len(sums), 'ledger', 'ledgers')}"
    totals = [f"{kind} {amount(sums[f'{kind}_balance'].sum())}" for kind in _COLOURS]
    write_headline(ax, headline, totals)
    if not bars:
        say_instead(ax, "There are no balances.")
        return ax
    draw_bars(ax, bars)
    _draw_legend(ax)
    return ax


def _sums(loyalty: pd.DataFrame) -> pd.DataFrame:
    """Add up the balances of all customers for each ledger, the largest first."""
    numbers = loyalty[_BALANCES].apply(pd.to_numeric).fillna(0).astype(float)
    names = loyalty["program"] if "program" in loyalty.columns else pd.Series(pd.NA, index=loyalty.index)
    plain = "program " + loyalty["program_id"].astype("string").fillna("without a number")
    ledgers = loyalty["ledger"].astype("string").fillna("")
    name = names.astype("string").fillna(plain) + ledgers.where(ledgers == "", ", ledger " + ledgers)
    sums: pd.DataFrame = numbers.groupby(name.rename("name"), sort=True).sum()
    order = sums.clip(lower=0).sum(axis=1).sort_values(ascending=False, kind="stable").index
    return sums.reindex(order)


def _bars(sums: pd.DataFrame) -> list[Bar]:
    bars = [_bar(str(name), row) for name, row in sums.iterrows()]
    if len(bars) <= MOST_BARS:
        return bars
    rest = sums.iloc[MOST_BARS - 1 :]
    return [*bars[: MOST_BARS - 1], _bar(f"{len(rest)} other ledgers", rest.sum())]


def _bar(name: str, sums: pd.Series[float]) -> Bar:
    balances = {kind: float(sums[f"{kind}_balance"]) for kind in _COLOURS}
    said = "  ·  ".join(f"{amount(points)} {kind}" for kind, points in balances.items() if points)
    return Bar(
        name, said or "no points", tuple((max(points, 0.0), _COLOURS[kind]) for kind, points in balances.items())
    )


def _draw_legend(ax: Axes) -> None:
    below = offset_copy(ax.transAxes, fig=ax.get_figure(root=True), y=-4, units="points")
    ax.legend(
        [Patch(color=colour) for colour in _COLOURS.values()],
        list(_COLOURS),
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=below,
        ncols=len(_COLOURS),
        frameon=False,
        labelcolor=INK,
        fontsize=9,
        handlelength=1.2,
        borderpad=0,
    )
