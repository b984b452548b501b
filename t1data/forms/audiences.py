"""The form by which an audience becomes what a file says, or empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from t1data.audiences.calls import empty_audience
from t1data.audiences.find import Audience, find_audience
from t1data.audiences.sync import plan_sync, sync_audience
from t1data.client import Client
from t1data.errors import InputError
from t1data.forms.fields import Field, choice, column, of_file, text, tick, whole, without
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Job, Planned
from t1data.forms.words import many
from t1data.plots import plot_changes

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "after": "section 1 of the form",
    "confirm": "the number that is typed once the members were counted",
    "journal": "always a new one where runs are listed; after a stop, a new check finds what is left",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
}
"""Parameters of the public functions that no field feeds, each with its reason."""

ANY = 10**12
"""Members that a check lets be taken out, so that it counts them: the number that is typed then allows it."""


def audiences(client: ClientSource, after: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that makes an audience what a file says, by sending who joins and who leaves, or that empties it.

    Parameters
    ----------
    client : Client or connection form
        Where to, with a management key, which reads the members.
    after : path, DataFrame, or anything else that `sync_audience` takes, optional
        Who shall be in it; a person chooses them on the page when they are left out.
    show_rows : bool
        Whether cells are shown: five at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run`` is the run, a row for each customer who joined or left; or the
        `Audience` as it was before it was emptied.

    Examples
    --------
    >>> form = audiences(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    audience = _audience()
    sync = Job(
        title="Audience",
        about="Makes an audience what a file says. An id that the account does not know becomes an empty profile.",
        choice="make it what the rows say",
        function="sync_audience",
        operation="apply_audience",
        send=sync_audience,
        plan=_plan,
        parts=(
            audience,
            column("on", "Column of customers"),
            choice("mode", "What to do", _MODES, default="mirror"),
            whole("max_removed", "Who may leave, at most", low=0, high=ANY, folded=True),
            text("known", "File of known ids", hint="to count those who would become empty profiles", folded=True),
            *of_file(),
            text("plan_file", "Write the plan to", hint="plan.csv or plan.parquet, to take the run back", folded=True),
            tick("allow_suspect_ids", "Send ids that look as if a spreadsheet had damaged them", folded=True),
            whole("connections", "Requests at once", low=1, high=32, folded=True),
        ),
        command=("audiences", "sync"),
        ahead=("audience",),
        paste=True,
        resumable=False,
    )
    return JobForm(sync, client, data=after, others=(_emptying(audience),), task="Task", show_rows=show_rows)


_MODES = [
    ("add who is missing, take out who is not in the rows", "mirror"),
    ("only add who is missing", "add"),
    ("only take out who is not in the rows", "remove"),
    ("add, and take out only whom runs of this machine added", "mirror-ours"),
]


def _emptying(audience: Field) -> Job:
    return Job(
        title="Audience",
        about="",
        choice="take everybody out of it, in one call",
        function="empty_audience",
        send=empty_audience,
        plan=_plan_emptying,
        parts=(audience,),
        command=("audiences", "empty"),
        ahead=("audience",),
        rows=False,
        one_first=False,
        resumable=False,
        remarks=lambda was: [f"{was} is empty. It had {many(was.members or 0, 'member')}; they stay customers."],
    )


def _audience() -> Field:
    """Return a field for an audience: digits are its number."""

    def read(typed: str) -> int | str:
        plain = typed.strip()
        if not plain:
            raise InputError("Audience is missing: give its number, or its name")
        return int(plain) if plain.isascii() and plain.isdigit() else plain

    return replace(text("audience", "Audience", hint="its number, or its name"), read=read)


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    mode = arguments.get("mode", "mirror")
    given = {"max_removed": ANY, **without(arguments, "audience", "plan_file", "connections")}
    plan = plan_sync(client, arguments["audience"], data, **given)
    counts = {str(name): count for name, count in plan.attrs.items()}
    joins, leaves, stay = (counts[name] for name in ("added", "removed", "kept"))
    lines = [f"{joins:,} join, {leaves:,} leave, {stay:,} stay, at {client.base_url}"]
    if counts["unknown"]:
        lines.append(f"{many(counts['unknown'], 'id')} of those who join would become empty profiles")
    if counts["twins"]:
        lines.append(f"{many(counts['twins'], 'pair')} of ids look alike and are not the same")
    return Planned(
        ready=len(plan),
        said=f"Checked: {many(joins, 'customer')} would be added, {leaves:,} taken out.",
        lines=lines,
        words=f"take out {leaves:,}" if leaves else None,
        settled={} if mode == "add" else {"max_removed": leaves},
        plot=lambda: plot_changes(counts),
    )


def _plan_emptying(client: Client, data: None, arguments: Mapping[str, Any]) -> Planned:
    found: Audience = find_audience(client, **arguments)
    members = found.members or 0
    return Planned(
        ready=members,
        said=f"Checked: {many(members, 'member')} would be taken out of {found}.",
        lines=[f"One call at {client.base_url}; audience and customers stay. Who joins until then is taken out too"],
        words=f"take out {members:,}",
        settled={"confirm": members},
    )
