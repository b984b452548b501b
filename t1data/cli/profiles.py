"""``t1data profiles``: check, plan and upsert customers from a file, and look before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from t1data.cli import profile_checks
from t1data.cli.connection import Connection, ask_for_live, check_live, client_at_hand, connects, open_client
from t1data.cli.goods import check_files, exit_of_plan, finish, plan_in_words, tell_plan
from t1data.cli.options import READING, UPSERTING, collects, in_flags
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import Exit, say, tell
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd


_MOST_PROBLEMS = 20

_FILE = click.argument("file", metavar="FILE")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")


@click.group()
def profiles() -> None:
    """Check, plan, upsert and verify customer profiles from a file.

    FILE is a CSV file (also gzip), an XLSX workbook, a Parquet file, or a folder or pattern of Parquet files.
    """


@profiles.command()
@_FILE
@click.option("--offline", is_flag=True, help="Do not ask the account for its attributes.")
@_JSON
@connects(writes=False)
@collects("reading", READING)
def check(*, file: str, connection: Connection, offline: bool, as_json: bool, reading: dict[str, Any]) -> int:
    """Show what would keep rows from being sent; nothing is sent.

    With T1DATA_BASE_URL, T1DATA_API_KEY and T1DATA_MANAGEMENT_KEY set, or with --env, names and types are held
    against the account's attributes.
    """
    from t1data.profiles import check_profiles

    client = None if offline else client_at_hand(connection)
    problems = check_profiles(file, client=client, **reading)
    if as_json:
        tell({"file": file, "problems": _records(problems)})
    else:
        _print_problems(problems, checked=client is not None and client.management is not None)
    return Exit.SOME_NOT_ACCEPTED if len(problems) else Exit.ACCEPTED


@profiles.command()
@_FILE
@_JSON
@connects(writes=False)
@collects("reading", READING)
def plan(*, file: str, connection: Connection, as_json: bool, reading: dict[str, Any]) -> int:
    """Show what an upsert would do; nothing is changed."""
    from t1data.profiles import plan_upsert

    planned = plan_upsert(open_client(connection), file, **reading)
    if as_json:
        tell(planned.to_dict())
    else:
        click.echo(plan_in_words(planned))
    return exit_of_plan(planned)


@profiles.command()
@_FILE
@click.option("--dry-run", is_flag=True, help="Show the plan and stop: nothing is changed.")
@click.option("--outcomes", metavar="FILE", help="Write the outcome of every row to this .csv or .parquet file.")
@click.option("--overwrite", is_flag=True, help="Replace the file that --outcomes names.")
@connects(writes=True)
@collects("sending", UPSERTING)
@collects("reading", READING)
def upsert(
    *,
    file: str,
    connection: Connection,
    dry_run: bool,
    outcomes: str | None,
    overwrite: bool,
    reading: dict[str, Any],
    sending: dict[str, Any],
) -> int:
    """Create or update customers, with one outcome for every row.

    The plan is shown first. A run that stopped early goes on with `t1data runs resume`, or with this command and
    the same --journal.
    """
    from t1data.profiles import plan_upsert, upsert_profiles

    files = {"outcomes": outcomes}
    check_files(files, overwrite=overwrite)
    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    planned = plan_upsert(client, file, **reading)
    say(plan_in_words(planned))
    if dry_run:
        return tell_plan(planned)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        run = upsert_profiles(client, file, control=stop.control, **reading, **sending)
    return finish(run, files, overwrite=overwrite, go_on=connection.words, interrupted=stop.asked)


def _records(problems: pd.DataFrame) -> list[dict[str, Any]]:
    columns = list(problems.columns)
    values = problems.astype(object).where(problems.notna(), None).itertuples(index=False)
    return [
        {"row": int(row), **dict(zip(columns, cells, strict=True))}
        for row, cells in zip(problems.index, values, strict=True)
    ]


def _print_problems(problems: pd.DataFrame, *, checked: bool) -> None:
    against = "held against the account's attributes" if checked else "not held against an account"
    if problems.empty:
        click.echo(f"Every row can be sent (names and types were {against}).")
        return
    rows = problems.index.nunique()
    click.echo(f"{many(rows, 'row')} cannot be sent (names and types were {against}):")
    for code, count in problems["code"].value_counts().items():
        click.echo(f"  {count:>9,}  {code}")
    for row, message in problems["message"].head(_MOST_PROBLEMS).items():
        click.echo(f"row {row}: {in_flags(message)}")
    if len(problems) > _MOST_PROBLEMS:
        click.echo(f"and {len(problems) - _MOST_PROBLEMS:,} more; --json lists them all")


for _command in profile_checks.COMMANDS:
    profiles.add_command(_command)
