"""The form by which customers are erased, with evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t1data.client import Client
from t1data.erasure import erase_customers, plan_erasure, verify_evidence
from t1data.forms.fields import column, of_file, text, tick, whole, without
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Job, Planned
from t1data.forms.words import many
from t1data.journal.runs import Run

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "ids": "section 1 of the form",
    "confirm": "the number that is typed once it was counted",
    "journal": "always a new one where runs are listed; Resume goes on with one",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
    "resume_old": "a box beside the runs that were left behind",
}
"""Parameters of the public functions that no field feeds, each with its reason."""


def erasure(client: ClientSource, ids: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that erases the attributes of customers, for good, and names the evidence.

    Parameters
    ----------
    client : Client or connection form
        Where to; its key decides which environment it is.
    ids : path, DataFrame, list of str, or anything else that `erase_customers` takes, optional
        The customers; a person chooses them on the page when they are left out.
    show_rows : bool
        Whether cells are shown: five at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run`` is the run.

    Examples
    --------
    >>> form = erasure(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    job = Job(
        title="Erase customers",
        about="Erases the attributes of customers, for good, and proves it one by one. This cannot be undone.",
        function="erase_customers",
        send=erase_customers,
        plan=_plan,
        parts=(
            column("id", "Column of customers"),
            text("evidence", "Evidence file", hint="beside the journal when left empty; it names nobody"),
            text("operator", "Who does this", hint="for the evidence; the user of this server when left empty"),
            *of_file(),
            tick("allow_suspect_ids", "Take ids that look as if a spreadsheet had damaged them", folded=True),
            whole("connections", "Requests at once", low=1, high=32, folded=True),
        ),
        command=("customers", "erase"),
        remarks=_evidence_of,
        paste=True,
        one_first=False,  # of one customer, too, nothing comes back; what guards all of them is the typed number
    )
    return JobForm(job, client, data=ids, show_rows=show_rows)


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    plan = plan_erasure(client, data, **without(arguments, "evidence", "operator", "connections"))
    ready, invalid = many(plan.customers, "customer"), many(plan.invalid, "row")
    return Planned(
        ready=plan.customers,
        said=f"Checked: {ready} would be erased, {invalid} cannot be sent.",
        lines=plan.lines(),
        reasons={str(code): int(count) for code, count in plan.problems["code"].value_counts().items()},
        problems=plan.problems,
        words=f"erase {plan.customers:,}",
        settled={"confirm": plan.customers},
    )


def _evidence_of(run: Run) -> list[str]:
    report = verify_evidence(run)
    return [f"Evidence: {report.path}", *report.lines()]
