"""What a job would read that asks the server about each row once: customers, coupons."""

from __future__ import annotations

from typing import Any

from t1data.bulk.named import name_rows
from t1data.client import Client
from t1data.forms.job import Planned
from t1data.forms.words import lasting, many


def plan_reading(
    client: Client, data: Any, *, column: str, parameter: str, allow_suspect_ids: bool, noun: str
) -> Planned:
    """Return how many would be read, and which rows name nobody.

    Parameters
    ----------
    client : Client
        Its pace gives the time.
    data : path, frame or table
        The rows.
    column : str
        The one that names what is read.
    parameter : str
        By what name the job says `column`, for messages.
    allow_suspect_ids : bool
        As for the job.
    noun : str
        What a row names: ``"customer"``.

    Raises
    ------
    InputError
        The input as a whole cannot be used.
    """
    named = name_rows(data, id=column, allow_suspect_ids=allow_suspect_ids, parameter=parameter)
    found = named.counted()
    time = f", about {lasting(found.ready / client.rate)}" if client.rate else ""
    requests = f"{many(found.ready, 'request')} to {client.base_url}, one a {noun}{time}; nothing is changed"
    lines = [f"{named.source.name}: {many(named.survey.rows, 'row')}, by the column {named.column!r}", requests]
    if again := named.survey.rows - found.ready - found.invalid:
        lines.append(f"{many(again, 'row')} more that name one of an earlier row")
    return Planned(
        ready=found.ready,
        said=f"Checked: {many(found.ready, noun)} would be read, {many(found.invalid, 'row')} cannot be.",
        lines=lines,
        reasons=found.reasons,
        problems=found.problems,
    )
