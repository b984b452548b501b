"""``t1data events``: track custom events from a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from t1data.cli import values
from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import check_files, finish, plan_in_words, tell_plan
from t1data.cli.options import READING, SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import say

_SHARED = (
    "id", "types", "constants", "tz", "decimal", "encoding", "delimiter", "sheet", "truncate_times",
    "allow_suspect_ids", "ids_from_floats",
)  # fmt: skip
TRACKING = (
    Option(
        "--version",
        "version",
        "Of the operation (default: 2). Accounts of today have no other; events of version 1 belong to a session.",
        "1|2",
        kind=click.IntRange(1, 2),
    ),
    Option("--type", "type", "The type of all events; without it each has its own, in a column.", "NAME"),
    Option("--type-column", "type_column", "The column of the types (default: type).", "COLUMN"),
    Option("--session", "session", "The column of the sessions' ids, for version 1 (default: session_id).", "COLUMN"),
    Option(
        "--attribute",
        "attributes",
        "A column to send, and the attribute it goes to if that has another name. Repeat it (all columns but those of"
        " ids and type when left out).",
        "COLUMN[=ATTRIBUTE]",
        read=values.attributes,
        repeat=True,
    ),
    Option("--dry", "dry", "Have the server evaluate only: nothing is kept.", kind=bool),
    *(replace(row, flag="--types") if row.parameter == "types" else row for row in READING if row.parameter in _SHARED),
)

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "data": "the argument FILE",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
    "resend_in_doubt": "`t1data runs resume --resend-in-doubt`",
}


@click.group()
def events() -> None:
    """Track custom events of customers."""


@events.command()
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop: nothing is sent.")
@click.option("--effects", metavar="FILE", help="Write the effects, one line each, to this .csv or .parquet file.")
@click.option("--outcomes", metavar="FILE", help="Write the outcome of every row.")
@click.option("--overwrite", is_flag=True, help="Replace the files that are named.")
@connects(writes=True)
@collects("sending", SENDING)
@collects("tracking", TRACKING)
def track(
    *,
    file: str,
    connection: Connection,
    dry_run: bool,
    overwrite: bool,
    tracking: dict[str, Any],
    sending: dict[str, Any],
    **files: str | None,
) -> int:
    """Track an event for each row of FILE, with one outcome for every one.

    This cannot be repeated: an event whose answer was lost is in doubt, and is not sent again by itself.
    """
    from t1data.sessions import plan_events, track_events

    check_files(files, overwrite=overwrite)
    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    planned = plan_events(client, file, **tracking)
    say(plan_in_words(planned))
    if dry_run:
        return tell_plan(planned)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        run = track_events(client, file, control=stop.control, **tracking, **sending)
    return finish(run, files, overwrite=overwrite, go_on=connection.words, interrupted=stop.asked)
