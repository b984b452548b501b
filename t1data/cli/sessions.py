"""``t1data sessions``: replay sessions and their carts from files, or ask what the campaigns would do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from t1data.cli import values
from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import check_files, finish, plan_in_words, tell_plan
from t1data.cli.options import READING, SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import say
from t1data.words import many

if TYPE_CHECKING:
    from t1data.journal.runs import Run

_SHARED = ("tz", "decimal", "encoding", "delimiter", "sheet", "truncate_times", "allow_suspect_ids", "ids_from_floats")
_TARGETS = "price, coupon_code, attributes.Genre and so on"
REPLAYING = (
    Option("--items", "items", "The file with one line an item of a cart.", "FILE"),
    Option("--id", "id", "The column of the sessions' ids, in both files (default: session_id).", "COLUMN"),
    Option(
        "--profile",
        "profile",
        "The column of the customers' ids (default: integration_id); '' when there is none.",
        "COLUMN",
    ),
    Option(
        "--column",
        "columns",
        f"A column of the sessions to send, and the field it goes to if that has another name: {_TARGETS}. Repeat it"
        " (all columns, by their names, when left out).",
        "COLUMN[=FIELD]",
        read=values.attributes,
        repeat=True,
    ),
    Option(
        "--item-column",
        "item_columns",
        "The same for the items.",
        "COLUMN[=FIELD]",
        read=values.attributes,
        repeat=True,
    ),
    Option(
        "--constant",
        "constants",
        "A field that all sessions get, such as state=closed. Repeat it.",
        "FIELD=VALUE",
        read=values.constants,
        repeat=True,
    ),
    Option(
        "--item-constant",
        "item_constants",
        "A field that all items get, such as quantity=1. Repeat it.",
        "FIELD=VALUE",
        read=values.constants,
        repeat=True,
    ),
    Option(
        "--type", "types", "The type of a column of attributes, in either file. Repeat it.", "COLUMN=TYPE",
        read=values.types, repeat=True,
    ),
    Option(
        "--same-items",
        "same_items",
        "Whether an item that its session has already, to the letter, keeps the session from being sent (default:"
        " reject).",
        choices=("reject", "keep"),
    ),
    Option("--dry", "dry", "A what-if run: ask what the campaigns would do, and change nothing.", kind=bool),
    Option("--now", "now", "With --dry: a time in the future that the campaigns are asked for.", "TIME"),
    Option("--item-sheet", "item_sheet", "The sheet of the items, in a workbook.", "NAME"),
    *(row for row in READING if row.parameter in _SHARED),
)  # fmt: skip

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "sessions": "the argument SESSIONS",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}


@click.group()
def sessions() -> None:
    """Replay customer sessions from files; with --dry as a what-if run that changes nothing."""


@sessions.command()
@click.argument("sessions", metavar="SESSIONS")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop: nothing is sent, not even a question.")
@click.option("--effects", metavar="FILE", help="Write the effects, one line each, to this .csv or .parquet file.")
@click.option("--totals", metavar="FILE", help="Write what each session came to.")
@click.option("--campaigns", metavar="FILE", help="Write what each campaign did for all sessions together.")
@click.option("--outcomes", metavar="FILE", help="Write the outcome of every line.")
@click.option("--overwrite", is_flag=True, help="Replace the files that are named.")
@connects(writes=True)
@collects("sending", SENDING)
@collects("replaying", REPLAYING)
def replay(
    *,
    sessions: str,
    connection: Connection,
    dry_run: bool,
    overwrite: bool,
    replaying: dict[str, Any],
    sending: dict[str, Any],
    **files: str | None,
) -> int:
    """Send the updates of SESSIONS in order, each with its cart.

    SESSIONS has a line an update: session_id, integration_id, state, coupon_code, attributes.… The items of the carts
    stand in a file of their own. With --dry nothing is changed: the campaigns of the account say what they would do.
    """
    from t1data.sessions import plan_sessions, update_sessions

    check_files(files, overwrite=overwrite)
    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    planned = plan_sessions(client, sessions, **replaying)
    say(plan_in_words(planned))
    if dry_run:
        return tell_plan(planned)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        run = update_sessions(client, sessions, control=stop.control, **replaying, **sending)
    _say_campaigns(run)
    return finish(run, files, overwrite=overwrite, go_on=connection.words, interrupted=stop.asked)


def _say_campaigns(run: Run) -> None:
    """Say what each campaign did, in a line each."""
    for number, line in run.goods("campaigns").iterrows():
        name = line["campaign"] if isinstance(line["campaign"], str) else "no name told"
        say(f"Campaign {number} ({name}): {many(line['sessions'], 'session')}, discount {line['discount']:,.2f}")
