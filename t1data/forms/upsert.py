"""The form by which customers go from a file into Talon.One."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t1data.client import Client
from t1data.forms.fields import DECIMALS, choice, json_or_text, of_file, pairs, text, tick, whole, without
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Goods, Job, Planned
from t1data.forms.mapping import ColumnMapping
from t1data.forms.words import many
from t1data.profiles import plan_upsert, upsert_profiles

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "data": "section 1 of the form",
    "journal": "always a new one where runs are listed; Resume goes on with one",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
    "resume_old": "a box beside the runs that were left behind",
}
"""Parameters of the public functions that no field feeds, each with its reason."""

ONLY_SENT = ("connections", "only_changed")
"""Parameters that the plan does not take."""


def upsert(client: ClientSource, data: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that creates and updates customers.

    Parameters
    ----------
    client : Client or connection form
        Where to.
    data : path, DataFrame, or anything else that `upsert_profiles` takes, optional
        The rows; a person chooses them on the page when they are left out.
    show_rows : bool
        Whether cells are shown: the first of each column, and those that cannot be sent, five rows at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run`` is the run, ``form.code()`` the lines that do the same.

    Examples
    --------
    >>> form = upsert(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    job = Job(
        title="Upsert customers",
        about="Creates customers and updates their attributes; attributes that are not sent stay as they are.",
        function="upsert_profiles",
        send=upsert_profiles,
        plan=_plan,
        parts=(
            ColumnMapping(show_rows=show_rows),
            choice("duplicates", "Rows with one id", _DUPLICATES, default="reject", folded=True),
            text("tz", "Zone of times", hint="such as Europe/Berlin, for times that name none", folded=True),
            choice("decimal", "Decimal mark", DECIMALS, default=".", folded=True),
            *of_file(),
            pairs("defaults", "For empty cells", hint="column = value, one a line", read=str, folded=True),
            pairs("constants", "For all rows", hint="attribute = value, one a line", read=json_or_text, folded=True),
            tick("truncate_times", "Cut times to microseconds instead of refusing finer ones", folded=True),
            tick("allow_suspect_ids", "Send ids that look as if a spreadsheet had damaged them", folded=True),
            tick("ids_from_floats", "Take ids that are whole floating point numbers", folded=True),
            tick("run_rule_engine", "Let the campaigns react: a request for each customer", folded=True),
            tick("dry", "Let them react and change nothing", folded=True),
            tick("only_changed", "Read every customer first, and send only what differs", folded=True),
            whole("connections", "Requests at once", low=1, high=32, folded=True),
        ),
        command=("profiles", "upsert"),
        json_values=("constants",),
        goods=[Goods("Effects", lambda run: run.effects, rare=True)],
    )
    return JobForm(job, client, data=data, show_rows=show_rows)


_DUPLICATES = [
    ("send none that contradict each other", "reject"),
    ("send the first", "first"),
    ("send the last", "last"),
]


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    plan = plan_upsert(client, data, **without(arguments, *ONLY_SENT))
    requests = many(plan.requests, "request")
    return Planned(
        ready=plan.ready,
        said=f"Checked: {many(plan.ready, 'row')} would be sent in {requests}, {plan.invalid:,} cannot be sent.",
        lines=plan.lines(),
        reasons=plan.reasons,
        problems=plan.problems,
    )
