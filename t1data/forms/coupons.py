"""The form by which customers get reservations of coupons, lose them, and are found by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from t1data.client import Client
from t1data.coupons import fetch_reservations, plan_reservations, release_coupons, reserve_coupons
from t1data.forms.fields import column, of_file, tick, whole, without
from t1data.forms.form import JobForm
from t1data.forms.job import ClientSource, Goods, Job, Planned
from t1data.forms.reading import plan_reading
from t1data.forms.words import many

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "data": "section 1 of the form",
    "codes": "section 1 of the form",
    "journal": "always a new one where runs are listed; Resume goes on with one",
    "progress": "the bar and the line of the form",
    "control": "the buttons Pause, Go on and Cancel",
    "resume_old": "a box beside the runs that were left behind",
}
"""Parameters of the public functions that no field feeds, each with its reason."""


def coupons(client: ClientSource, data: Any = None, *, show_rows: bool = True) -> JobForm:
    """Return a form that reserves coupons for customers, releases them, or reads who holds them.

    Parameters
    ----------
    client : Client or connection form
        Where to.
    data : path, DataFrame, or anything else that `reserve_coupons` takes, optional
        One row a pair of coupon and customer; a person chooses them on the page when they are left out.
    show_rows : bool
        Whether cells, and holders, are shown: five at most.

    Returns
    -------
    JobForm
        The last line of a cell shows it; ``form.run`` is the run, with ``form.run.holders`` when they were read.

    Examples
    --------
    >>> form = coupons(Client("https://shop.talon.one", "0123456789abcdef"))
    >>> form.state
    'empty'
    """
    coupon = column("coupon", "Column of coupons", usual="coupon")
    file = of_file()
    suspect = tick("allow_suspect_ids", "Send what looks as if a spreadsheet had damaged it", folded=True)
    at_once = whole("connections", "Requests at once", low=1, high=32, folded=True)
    reserve = Job(
        title="Coupons",
        about="Reserves coupons for customers, releases them, or reads who holds them. Codes are sent as they stand.",
        choice="reserve coupons for customers",
        function="reserve_coupons",
        send=reserve_coupons,
        plan=_plan,
        parts=(coupon, column("id", "Column of customers"), *file, suspect, at_once),
        command=("coupons", "reserve"),
    )
    release = replace(
        reserve,
        choice="release coupons of customers",
        function="release_coupons",
        send=release_coupons,
        plan=_plan_release,
        command=("coupons", "release"),
    )
    holders = replace(
        reserve,
        choice="read who holds coupons; changes nothing",
        function="fetch_reservations",
        send=fetch_reservations,
        plan=_plan_holders,
        parts=(coupon, *file, suspect, at_once),
        command=("coupons", "holders", "--file"),
        goods=[Goods("Holders", lambda run: run.holders)],
    )
    return JobForm(reserve, client, data=data, others=(release, holders), show_rows=show_rows)


def _plan(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    plan = plan_reservations(client, data, **without(arguments, "connections"))
    return Planned(
        ready=plan.ready,
        said=f"Checked: {many(plan.ready, 'pair')} of coupon and customer would be sent in"
        f" {many(plan.requests, 'request')}, {many(plan.invalid, 'row')} cannot be sent.",
        lines=plan.lines(),
        reasons=plan.reasons,
        problems=plan.problems,
    )


def _plan_release(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    plan = _plan(client, data, arguments)
    return replace(plan, words=f"release {plan.ready:,}")


def _plan_holders(client: Client, data: Any, arguments: Mapping[str, Any]) -> Planned:
    return plan_reading(
        client,
        data,
        arguments=arguments,
        usual="coupon",
        parameter="coupon",
        noun="coupon",
    )
