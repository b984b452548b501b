"""The form by which advocates get referral codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t1data.client import Client
from t1data.forms.fields import choice, column, json_or_text, of_file, pairs, text, tick, whole, without
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Goods, Job, Planned
from t1data.forms.words import many
from t1data.referrals import create_referrals, plan_referrals

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "advocates": "section 1 of the form",
    "journal": "always a new one where runs are listed; Resume goes on with one",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
    "resend_in_doubt": "makes codes twice: said in code or in a shell only; the form of runs looks on the server first",
}
"""Parameters of the public functions that no field feeds, each with its reason."""


def referrals(client: ClientSource, advocates: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that creates a referral code for each advocate.

    Parameters
    ----------
    client : Client or connection form
        Where to.
    advocates : path, DataFrame, list of str, or anything else that `create_referrals` takes, optional
        The rows; a person chooses them on the page when they are left out.
    show_rows : bool
        Whether cells, and codes, are shown: five at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run.codes`` are the codes.

    Examples
    --------
    >>> form = referrals(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    job = Job(
        title="Create referral codes",
        about="Creates a code for each advocate. A second run makes second codes, so the number is to be typed first.",
        function="create_referrals",
        send=create_referrals,
        plan=_plan,
        parts=(
            column("advocate", "Column of advocates"),
            whole("campaign_id", "Campaign", low=1, high=10**12, required=True),
            whole("usage_limit", "Uses of each code", low=0, high=999_999),
            text("start_date", "Valid from", hint="now, or such as 2026-12-01T00:00:00+01:00"),
            text("expiry_date", "Valid until", hint="for ever, or such as 2027-01-31T23:59:59+01:00"),
            text("pattern", "Pattern", hint="such as FRIEND-######; each # becomes a random character"),
            text("valid_characters", "Random characters", hint="A-Z and 0-9 when left empty", folded=True),
            choice("duplicates", "Advocates in several rows", _DUPLICATES, default="each", folded=True),
            text("friend", "Column of friends", hint="friend_integration_id when left empty", folded=True),
            text("tz", "Zone of times", hint="such as Europe/Berlin, for times in columns that name none", folded=True),
            pairs("types", "Types of columns", hint="column = type, one a line", read=str, folded=True),
            pairs("attributes", "Attributes", hint="attribute = value, one a line", read=json_or_text, folded=True),
            *of_file(),
            tick("allow_suspect_ids", "Send ids that look as if a spreadsheet had damaged them", folded=True),
            whole("connections", "Requests at once", low=1, high=32, folded=True),
        ),
        command=("referrals", "create"),
        json_values=("attributes",),
        goods=[Goods("Codes", lambda run: run.codes)],
        paste=True,
    )
    return JobForm(job, client, data=advocates, show_rows=show_rows)


_DUPLICATES = [
    ("a code for each row", "each"),
    ("one code, by the first row", "first"),
    ("one code, by the last row", "last"),
    ("one code, none where rows contradict each other", "reject"),
]


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    plan = plan_referrals(client, data, **without(arguments, "connections"))
    return Planned(
        ready=plan.ready,
        said=f"Checked: {many(plan.ready, 'code')} would be created, {many(plan.invalid, 'row')} cannot be sent.",
        lines=plan.lines(),
        reasons=plan.reasons,
        problems=plan.problems,
        words=f"create {plan.ready:,}",
    )
