"""``t1data profiles``: a file held against the account before an upsert or after it, and an upsert taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import check_files, finish, write_frame
from t1data.cli.options import READING, READING_SENDING, SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import Exit, exit_of, say, tell

if TYPE_CHECKING:
    from t1data.profiles import Comparison

_DIFFERENT: Final = 1  # what diff(1) ends with

COMPARING = (
    *(row for row in READING if row.parameter not in ("run_rule_engine", "dry")),  # nothing is to happen
    Option(
        "--sample",
        "sample",
        "Read so many customers, drawn by --seed (all of them when left out).",
        "N",
        kind=click.IntRange(min=1),
    ),
    Option("--seed", "seed", "Of the draw (default: 0).", "N", kind=int),
    *(row for row in READING_SENDING if row.parameter != "resume_old"),
)
UNDOING = (
    Option("--data", "data", "The input of the upsert, if it is no longer where it was.", "FILE"),
    *(row for row in SENDING if row.parameter != "resume_old"),
)

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "data": "the argument FILE",
    "run": "the argument RUN",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}

_FILE = click.argument("file", metavar="FILE")
_TO = click.option("--to", metavar="FILE", help="Write each value that differs to this .csv, .parquet or .xlsx file.")
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace the file that --to names.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")


@click.command()
@_FILE
@_TO
@_OVERWRITE
@_JSON
@connects(writes=False)
@collects("comparing", COMPARING)
def diff(
    *, file: str, to: str | None, overwrite: bool, as_json: bool, connection: Connection, comparing: dict[str, Any]
) -> int:
    """Show which values an upsert of FILE would change.

    Every customer is read, and nothing is changed. It ends with 0 when the account has all of it already, with 1 when
    anything differs, and with 3 when nothing differs but some rows could not be compared.
    """
    from t1data.profiles import diff_profiles

    return _compared(diff_profiles, file, connection, comparing, to=to, overwrite=overwrite, as_json=as_json)


@click.command()
@_FILE
@_TO
@_OVERWRITE
@_JSON
@connects(writes=False)
@collects("comparing", COMPARING)
def verify(
    *, file: str, to: str | None, overwrite: bool, as_json: bool, connection: Connection, comparing: dict[str, Any]
) -> int:
    """Read back what an upsert of FILE has sent.

    Give the options of the upsert. Every value is held against the file, and nothing is changed. It ends with 0 when
    all is there, with 1 when anything differs, and with 3 when nothing differs but some rows could not be compared.
    """
    from t1data.profiles import verify_profiles

    return _compared(verify_profiles, file, connection, comparing, to=to, overwrite=overwrite, as_json=as_json)


@click.command()
@click.argument("run", metavar="RUN")
@connects(writes=True)
@collects("undoing", UNDOING)
def undo(*, run: str, connection: Connection, undoing: dict[str, Any]) -> int:
    """Take back an upsert that was made with --only-changed.

    Customers get the values that they had before it. RUN is the id of the upsert or the file of its journal. A
    customer whom somebody has changed since is left alone.
    """
    from t1data.profiles import undo_upsert

    client = open_client(connection)
    check_live(client, connection)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        done = undo_upsert(client, run, control=stop.control, **undoing)
    return finish(done, {}, overwrite=False, go_on=connection.words, interrupted=stop.asked)


def _compared(
    compare: Callable[..., Comparison],
    file: str,
    connection: Connection,
    comparing: dict[str, Any],
    *,
    to: str | None,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Hold a file against the account, show what was found, and return how the command ends."""
    check_files({"differences": to}, overwrite=overwrite)
    client = open_client(connection)
    with signals_stop_a_run() as stop:
        found = compare(client, file, control=stop.control, **comparing)
    _show(found, to=to, overwrite=overwrite, as_json=as_json)
    return _exit(found, interrupted=stop.asked)


def _show(found: Comparison, *, to: str | None, overwrite: bool, as_json: bool) -> None:
    """Write the differences to a file, and say how many there are: the values themselves may end up in no log."""
    if to:
        write_frame(found.differences, to, overwrite=overwrite)
    counts = {str(name): int(count) for name, count in found.differences["attribute"].value_counts().items()}
    if as_json:
        names = ("compared", "differing", "unknown", "unread", "invalid")
        tell({name: getattr(found, name) for name in names} | {"attributes": counts, "run": found.run.id, "to": to})
    else:
        click.echo(repr(found).removeprefix("<Comparison: ").removesuffix(">"))
        for name, count in counts.items():
            click.echo(f"  {count:>9,}  {name}")
    say(f"Journal   {found.run.journal} (with the customers' data; `t1data runs purge` deletes it)")


def _exit(found: Comparison, *, interrupted: bool) -> int:
    code = exit_of(found.run, interrupted=interrupted)
    if code in (Exit.INTERRUPTED, Exit.INCOMPLETE):
        return code
    if found.differing:
        return _DIFFERENT
    return Exit.SOME_NOT_ACCEPTED if found.unread or found.invalid else Exit.ACCEPTED


COMMANDS = (diff, verify, undo)
