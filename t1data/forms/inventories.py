"""The form by which one sees what customers hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from t1data.client import Client
from t1data.forms.fields import Ticks, column, of_file, text, tick, whole
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Goods, Job, Planned
from t1data.forms.reading import plan_reading
from t1data.inventories import Inventories, fetch_inventories
from t1data.inventories.columns import SECTIONS
from t1data.inventories.resume import folder_of
from t1data.journal.runs import Run
from t1data.plots import plot_balances, plot_coupons
from t1data.tables.choices import ID

if TYPE_CHECKING:
    import pandas as pd

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "ids": "section 1 of the form",
    "journal": "always a new one where runs are listed; Resume goes on with one",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
    "resume_old": "a box beside the runs that were left behind",
}
"""Parameters of the public functions that no field feeds, each with its reason."""


def inventories(client: ClientSource, ids: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that reads what customers hold, and shows it as tables.

    Parameters
    ----------
    client : Client or connection form
        Where to.
    ids : path, DataFrame, list of str, or anything else that `fetch_inventories` takes, optional
        The customers; a person chooses them on the page when they are left out.
    show_rows : bool
        Whether lines of the tables are shown: five at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run`` are the `Inventories`.

    Examples
    --------
    >>> form = inventories(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    job = Job(
        title="Inventories",
        about="Reads what customers hold: coupons, codes, points and more. Nothing is changed.",
        function="fetch_inventories",
        send=fetch_inventories,
        plan=_plan,
        parts=(
            column("id", "Column of customers"),
            Ticks("include", "What to read", SECTIONS),
            text("to", "Folder for the tables", hint="one Parquet file a table; left empty, they stay in this kernel"),
            tick("overwrite", "Replace tables of an earlier run in that folder", folded=True),
            *of_file(),
            tick("allow_suspect_ids", "Read ids that look as if a spreadsheet had damaged them", folded=True),
            whole("connections", "Requests at once", low=1, high=32, folded=True),
        ),
        command=("inventories", "fetch"),
        wants={"to": "inventories"},
        goods=[Goods(title, _frame(name), _PLOTS.get(name), rare=True) for name, title in _TITLES.items()],
        paste=True,
        remarks=_tables_of,
        again={"overwrite": True},  # the folder has by now what the run read before it was stopped
    )
    return JobForm(job, client, data=ids, show_rows=show_rows)


_TITLES = {
    "profiles": "Profiles",
    "audiences": "Audiences",
    "loyalty": "Points",
    "loyalty_cards": "Loyalty cards",
    "coupons": "Coupons",
    "coupon_limits": "Limits of coupons",
    "referrals": "Referral codes",
    "referred_customers": "Referred customers",
    "giveaways": "Giveaways",
    "achievements": "Achievements",
}
_PLOTS: Mapping[str, Callable[[pd.DataFrame], Any]] = {"loyalty": plot_balances, "coupons": plot_coupons}


def _frame(name: str) -> Callable[[Inventories | Run], pd.DataFrame]:
    """Return what reads a frame; of a run that was left behind only its journal is known."""
    return lambda found: found.frame(name) if isinstance(found, Inventories) else found.goods(name)


def _tables_of(run: Run) -> list[str]:
    folder = folder_of(run)
    return [] if folder is None else [f"Tables: {folder}"]


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    return plan_reading(
        client,
        data,
        arguments=arguments,
        usual=ID,
        parameter="id",
        noun="customer",
    )
