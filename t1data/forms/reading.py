"""What a job would read that asks the server about each row once: customers, coupons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t1data.bulk.named import name_rows
from t1data.client import Client
from t1data.forms.job import Planned
from t1data.forms.peek import READING
from t1data.forms.words import lasting, many
from t1data.tables.reading import Reading


def plan_reading(
    client: Client, data: Any, *, arguments: Mapping[str, Any], usual: str, parameter: str, noun: str
) -> Planned:
    """Return how many would be read, and which rows name nobody.

    Parameters
    ----------
    client : Client
        Its pace gives the time.
    data : path, frame or table
        The rows.
    arguments : mapping
        What the form says: the column that names what is read, how a file is read, and what is let pass.
    usual : str
        The column when none is said.
    parameter : str
        By what name the job says the column.
    noun : str
        What a row names: ``"customer"``.

    Raises
    ------
    InputError
        The input as a whole cannot be used.
    """
    said = {name: arguments[name] for name in READING if name in arguments}
    named = name_rows(
        data,
        id=arguments.get(parameter, usual),
        allow_suspect_ids=arguments.get("allow_suspect_ids", False),
        parameter=parameter,
        reading=Reading(**said),
    )
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
