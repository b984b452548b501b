"""``t1data audiences``: many customers in and out: apply a plan, sync with a file, take a run back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from t1data.cli.audience_calls import AUDIENCE
from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import finish
from t1data.cli.of_inputs import WORDS, of_inputs
from t1data.cli.options import READING, SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import Exit, folded, say, tell
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

    from t1data.client import Client
    from t1data.journal.runs import Run

_SUSPECT = next(row for row in READING if row.parameter == "allow_suspect_ids")
_FILE = tuple(row for row in READING if row.parameter in WORDS)
_MAX_REMOVED = Option(
    "--max-removed",
    "max_removed",
    "How many members may be taken out, when these are more than 1,000 or more than a tenth of the audience.",
    "N",
    kind=click.IntRange(min=0),
)
APPLYING = (
    Option(
        "--undoable/--not-undoable",
        "undoable",
        "Read the members first, so that `audiences undo` takes back only what the run has changed; where there is a"
        " management key when left out.",
        kind=bool,
    ),
    *_FILE,
    _SUSPECT,
    *SENDING,
)
_ONCE = tuple(row for row in SENDING if row.parameter != "resume_old")
SYNCING = (
    Option(
        "--mode",
        "mode",
        "Add who is missing and take out who is not in FILE; do one of the two; or take out only whom runs of this"
        " machine have added (default: mirror).",
        choices=("mirror", "add", "remove", "mirror-ours"),
    ),
    Option("--on", "on", "The column of the ids (default: integration_id).", "COLUMN"),
    _MAX_REMOVED,
    Option("--known", "known", "The ids that the account has; others that are added make empty profiles.", "FILE"),
    *of_inputs("after"),
    Option(
        "--plan-file",
        "plan_file",
        "Where the plan is written before anything is sent (.csv, .parquet), for `runs resume` and `audiences undo`.",
        "FILE",
    ),
    _SUSPECT,
    *_ONCE,
)
UNDOING = (
    Option("--data", "data", "The plan of the run, if it is no longer where it was.", "FILE"),
    Option("--before", "before", "The members before the run, if it could not read them.", "FILE"),
    *_FILE,
    _MAX_REMOVED,
    *_ONCE,
)

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "audience": "the argument AUDIENCE",
    "plan": "the argument PLAN",
    "run": "the argument RUN",
    "after": "the argument FILE",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}


_OF_PLAN = ("mode", "on", "max_removed", "known", *WORDS, "allow_suspect_ids")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would be done and stop: nothing is changed.")


@click.command()
@click.argument("plan", metavar="PLAN")
@_DRY_RUN
@connects(writes=True)
@collects("applying", APPLYING)
def apply(*, plan: str, dry_run: bool, connection: Connection, applying: dict[str, Any]) -> int:
    """Add customers to audiences and take them out, as a plan says, with one outcome for every row.

    PLAN has the columns integration_id, action (add or delete) and audience_id, as `audiences plan` writes them.
    """
    from t1data.audiences.actions import read_actions
    from t1data.audiences.apply import apply_audience, counts_of

    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    words = {word: applying.get(word) for word in WORDS}
    actions = read_actions(plan, words=words, allow_suspect_ids=applying.get("allow_suspect_ids", False))
    counts = counts_of(actions)
    _say_plan(plan, actions.rows, counts, client)
    if dry_run:
        return _tell_plan(actions.rows, counts)
    ask_for_live(client, connection)
    return _sent(connection, lambda control: apply_audience(client, plan, control=control, **applying))


@click.command()
@AUDIENCE
@click.argument("file", metavar="FILE")
@_DRY_RUN
@connects(writes=True)
@collects("syncing", SYNCING)
def sync(*, audience: int | str, file: str, dry_run: bool, connection: Connection, syncing: dict[str, Any]) -> int:
    """Make an audience what a file says: its members are read, and only the difference is sent.

    Taking out many members, or all, needs their number. After a stop, sync anew: the difference is then what is left.
    """
    from t1data.audiences.sync import plan_sync, sync_audience

    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    chosen = {name: value for name, value in syncing.items() if name in _OF_PLAN}
    plan = plan_sync(client, audience, file, **chosen)
    unknown = plan.attrs["unknown"]
    _say_plan(f"{audience} as in {file}", len(plan), _counts_of(plan), client)
    if unknown:
        say(
            folded(f"{unknown:,} of those to add are not known to the account: they become empty profiles", indent="  ")
        )
    if dry_run:
        return _tell_plan(len(plan), _counts_of(plan))
    ask_for_live(client, connection)
    return _sent(connection, lambda control: sync_audience(client, audience, file, control=control, **syncing))


@click.command()
@click.argument("run", metavar="RUN")
@_DRY_RUN
@connects(writes=True)
@collects("undoing", UNDOING)
def undo(*, run: str, dry_run: bool, connection: Connection, undoing: dict[str, Any]) -> int:
    """Take back a run on audiences: the inverse of what it has changed, and of nothing else.

    RUN is a run's id or the file of its journal.
    """
    from t1data.audiences.undo import plan_undo, undo_audience

    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    plan = plan_undo(client, run, **{name: undoing[name] for name in ("data", "before", *WORDS) if name in undoing})
    counts = _counts_of(plan)
    _say_plan(f"taking back {run}", len(plan), counts, client)
    if dry_run:
        return _tell_plan(len(plan), counts)
    ask_for_live(client, connection)
    return _sent(connection, lambda control: undo_audience(client, run, control=control, **undoing))


def _counts_of(plan: pd.DataFrame) -> dict[str, int]:
    words = plan["action"].value_counts()
    return {"add": int(words.get("add", 0)), "delete": int(words.get("delete", 0)), "invalid": 0, "collapsed": 0}


def _say_plan(name: str, rows: int, counts: dict[str, int], client: Client) -> None:
    say(folded(f"Plan: {name}: {many(rows, 'row')}, {counts['add']:,} to add, {counts['delete']:,} to take out"))
    for word, meaning in (("invalid", "cannot be sent"), ("collapsed", "more, of which others say the same")):
        if counts[word]:
            say(folded(f"{many(counts[word], 'row')} {meaning}", indent="  "))
    say(folded(f"at {client.base_url} (key {client.key_hint})", indent="  "))


def _tell_plan(rows: int, counts: dict[str, int]) -> int:
    rest = {
        "accepted": 0,
        "invalid": counts["invalid"],
        "refused": 0,
        "unsent": rows - counts["invalid"],
        "in_doubt": 0,
    }
    tell({"run": None, "rows": rows, **rest})
    return Exit.SOME_NOT_ACCEPTED if counts["invalid"] else Exit.ACCEPTED


def _sent(connection: Connection, send: Callable[[Any], Run]) -> int:
    with signals_stop_a_run() as stop:
        run = send(stop.control)
    return finish(run, {}, overwrite=False, go_on=connection.words, interrupted=stop.asked)


COMMANDS = (apply, sync, undo)
