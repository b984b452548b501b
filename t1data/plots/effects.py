"""What campaigns did for customers' sessions."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from t1data.plots.bars import HEIGHT, MOST_BARS, Bar, amount, draw_bars, require_columns
from t1data.plots.canvas import COLOURS, INK, new_axes, number, say_instead, write_headline


def plot_effects(effects: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the discount that each campaign gave, and in how many sessions.

    Parameters
    ----------
    effects : DataFrame
        One row a campaign: ``campaign_id`` (a column or the index), ``campaign`` (its name), ``discount`` (in the
        currency of the Application) and ``sessions``; other columns are not looked at.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One horizontal bar a campaign, the largest discount first. Beyond twelve the rest is one bar.

    Raises
    ------
    InputError
        One of the columns is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"campaign_id": [7], "campaign": ["Summer"], "discount": [120.5], "sessions": [48]})
    >>> plot_effects(frame).get_title("left")
    '120.50 of discount from 1 campaign'
    """
    if "campaign_id" not in effects.columns and effects.index.name == "campaign_id":
        effects = effects.reset_index()
    require_columns(effects, "campaign_id", "campaign", "discount", "sessions")
    frame = effects.assign(
        discount=pd.to_numeric(effects["discount"]).fillna(0).astype(float),
        sessions=pd.to_numeric(effects["sessions"]).fillna(0).astype(int),
    ).sort_values(["discount", "sessions"], ascending=False, kind="stable")
    bars = _bars(frame)
    ax = ax or new_axes(height=1.1 + HEIGHT * max(len(bars), 1))
    headline = f"{amount(frame['discount'].sum())} of discount from {number(len(frame), 'campaign', 'campaigns')}"
    without = int((frame["discount"] == 0).sum())
    write_headline(ax, headline, [f"{number(without, 'campaign', 'campaigns')} gave none"] if without else [])
    if not bars:
        say_instead(ax, "No campaign had an effect.")
        return ax
    draw_bars(ax, bars)
    return ax


def _bars(frame: pd.DataFrame) -> list[Bar]:
    rows = list(frame[["campaign_id", "campaign", "discount", "sessions"]].itertuples(index=False, name=None))
    bars = [_bar(f"campaign {id_}" if pd.isna(name) else str(name), *numbers) for id_, name, *numbers in rows]
    if len(bars) <= MOST_BARS:
        return bars
    rest = frame.iloc[MOST_BARS - 1 :]
    others = f"{len(rest)} other campaigns"
    # One session can have effects of several campaigns, so their sessions do not add up.
    return [*bars[: MOST_BARS - 1], Bar(others, amount(rest["discount"].sum()), ((rest["discount"].sum(), INK),))]


def _bar(name: str, discount: float, sessions: int) -> Bar:
    said = f"{amount(discount)} in {number(sessions, 'session', 'sessions')}"
    return Bar(name, said, ((discount, COLOURS["accepted"]),))
