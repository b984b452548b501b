"""The form by which carts are replayed: what would the campaigns do with them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from t1data.client import Client
from t1data.forms.fields import DECIMALS, DELIMITERS, choice, column, json_or_text, pairs, text, tick, whole, without
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Goods, Job, Planned
from t1data.forms.second import SecondInput
from t1data.forms.words import many
from t1data.plots import plot_effects
from t1data.sessions import plan_sessions, summarise_effects, update_sessions

if TYPE_CHECKING:
    import pandas as pd

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "sessions": "section 1 of the form",
    "journal": "always a new one where runs are listed; Resume goes on with one",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
    "resume_old": "a box beside the runs that were left behind",
}
"""Parameters of the public functions that no field feeds, each with its reason."""


def sessions(client: ClientSource, sessions: Any = None, items: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that asks what the campaigns would do with carts, or updates the sessions.

    Parameters
    ----------
    client : Client or connection form
        Where to.
    sessions : path, DataFrame, or anything else that `update_sessions` takes, optional
        One line an update; a person chooses them on the page when they are left out.
    items : the same, optional
        One line an item of a cart.
    show_rows : bool
        Whether lines of inputs and results are shown: five at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run.totals`` and ``form.run.effects`` are what the campaigns said.

    Examples
    --------
    >>> form = sessions(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    job = Job(
        title="Sessions",
        about="Replays carts: asks what the campaigns would do with them, and changes nothing unless it is told to.",
        function="update_sessions",
        send=update_sessions,
        plan=_plan,
        parts=(
            SecondInput("items", "Items", given=items),
            choice("dry", "What to do", _WAYS, default=False, first=True),
            column("id", "Column of sessions", usual="session_id"),
            column("profile", "Column of customers", none="there is none: sessions of nobody"),
            *_shapes(),
            *_ways(),
        ),
        command=("sessions", "replay"),
        json_values=("constants", "item_constants"),
        goods=[
            Goods("Campaigns", lambda run: summarise_effects(run).reset_index(), plot_effects),
            Goods("Totals", lambda run: run.totals),
            Goods("Effects", lambda run: run.effects),
        ],
        second="items",
    )
    return JobForm(job, client, data=sessions, show_rows=show_rows)


_WAYS = [("only ask what the campaigns would do", True), ("update the sessions", False)]
_SAME = [("do not send their session", "reject"), ("send them", "keep")]


def _shapes() -> list[Any]:
    """Return the fields that say where the columns go."""
    target = "column = field, one a line; others are not sent"
    constant = "field = value, one a line"
    return [
        pairs("constants", "For all sessions", hint=f"{constant}, such as state = closed", read=json_or_text),
        pairs("item_constants", "For all items", hint=f"{constant}, such as quantity = 1", read=json_or_text),
        pairs("columns", "Columns of sessions", hint=target, read=str, folded=True),
        pairs("item_columns", "Columns of items", hint=f"{target}, such as amount = price", read=str, folded=True),
        pairs("types", "Types of columns", hint="column = type, one a line", read=str, folded=True),
        choice("same_items", "Equal items of a cart", _SAME, default="reject", folded=True),
        text("now", "Ask for the time", hint="in the future, such as 2026-12-24T18:00:00+01:00", folded=True),
    ]


def _ways() -> list[Any]:
    """Return the fields that say how the inputs are read and sent."""
    return [
        text("tz", "Zone of times", hint="such as Europe/Berlin, for times that name none", folded=True),
        choice("decimal", "Decimal mark", DECIMALS, default=".", folded=True),
        text("encoding", "Encoding", hint="UTF-8 when left empty", folded=True),
        choice("delimiter", "Delimiter", DELIMITERS, default="", folded=True),
        text("sheet", "Sheet of sessions", hint="the only one that holds anything, when left empty", folded=True),
        text("item_sheet", "Sheet of items", hint="the same for the items", folded=True),
        tick("truncate_times", "Cut times to microseconds instead of refusing finer ones", folded=True),
        tick("allow_suspect_ids", "Send ids that look as if a spreadsheet had damaged them", folded=True),
        tick("ids_from_floats", "Take ids that are whole floating point numbers", folded=True),
        whole("connections", "Requests at once", low=1, high=32, folded=True),
    ]


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    plan = plan_sessions(client, data, **without(arguments, "connections"))
    deed = "asked about, and nothing changed" if plan.dry else "updated"
    return Planned(
        ready=plan.ready,
        said=f"Checked: {many(plan.ready, 'session')} would be {deed}, {many(plan.invalid, 'row')} cannot be sent.",
        lines=plan.lines(),
        reasons=plan.reasons,
        problems=_placed(plan.problems),
        words=None if plan.dry else f"update {plan.ready:,}",
    )


def _placed(problems: pd.DataFrame) -> pd.DataFrame:
    """Return problems on the rows of which input they are."""
    return problems.set_axis(problems["input"].astype(str) + " " + problems["row"].astype(str))
