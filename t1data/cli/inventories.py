"""``t1data inventories``: what many customers hold, as Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from t1data.cli.connection import Connection, connects, open_client
from t1data.cli.goods import finish
from t1data.cli.options import FILES, READING_SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import say, typed

if TYPE_CHECKING:
    from t1data.journal.runs import Run

FETCHING = (
    Option("--id", "id", "The column of the integration ids (default: integration_id).", "COLUMN"),
    Option(
        "--include",
        "include",
        "A section to read: profile, referrals, coupons, loyalty, giveaways or achievements. Repeat it (all of them"
        " when left out).",
        choices=("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements"),
        repeat=True,
    ),
    *FILES,
    Option("--to", "to", "The folder for one Parquet file a table.", "FOLDER"),
    Option("--overwrite", "overwrite", "Replace the files of an earlier run in that folder.", kind=bool),
    Option(
        "--allow-suspect-ids",
        "allow_suspect_ids",
        "Read ids that look as if a spreadsheet had damaged them.",
        kind=bool,
    ),
)


def say_tables(run: Run) -> None:
    """Say where the tables of a reading lie, or how to have them written."""
    from t1data.inventories.resume import folder_of

    if folder := folder_of(run):
        say(f"Tables    {folder}")
    else:
        words = ("inventories", "fetch", "FILE", "--journal", str(run.journal), "--to", "FOLDER")
        say(f"Tables    not written: the run was told no folder. To have them, read nothing anew: {typed(*words)}")


@click.group()
def inventories() -> None:
    """Read what customers hold: profile, coupons, referrals, points, giveaways, achievements."""


@inventories.command()
@click.argument("file", metavar="FILE")
@connects(writes=False)
@collects("sending", READING_SENDING)
@collects("fetching", FETCHING)
def fetch(*, file: str, connection: Connection, fetching: dict[str, Any], sending: dict[str, Any]) -> int:
    """Read one inventory a customer of FILE, and write the tables to a folder. Nothing is changed.

    The journal keeps the answers as they came, with the customers' data: `t1data runs purge` deletes it.
    """
    from t1data.inventories import fetch_inventories

    if "to" not in fetching:
        raise click.UsageError("name a folder for the tables: --to FOLDER")
    client = open_client(connection)
    with signals_stop_a_run() as stop:
        stock = fetch_inventories(client, file, control=stop.control, **fetching, **sending)
    return finish(stock.run, {}, overwrite=False, go_on=connection.words, interrupted=stop.asked)
