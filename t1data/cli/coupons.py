"""``t1data coupons``: reserve coupons for customers, release them, and read who holds them."""

from __future__ import annotations

from typing import Any

import click

from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import check_files, finish, plan_in_words, tell_plan
from t1data.cli.options import FILES, READING, SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import say

_SUSPECT = next(row for row in READING if row.parameter == "allow_suspect_ids")
_COUPON = Option("--coupon", "coupon", "The column of the coupons' codes (default: coupon).", "COLUMN")

PAIRING = (
    _COUPON,
    Option("--id", "id", "The column of the customers' ids (default: integration_id).", "COLUMN"),
    *FILES,
    _SUSPECT,
)
NAMING = (_COUPON, *FILES, _SUSPECT)

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "data": "the argument FILE",
    "codes": "the arguments CODE, or --file",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}

_FILE = click.argument("file", metavar="FILE")
_DRY = click.option("--dry-run", is_flag=True, help="Show the plan and stop: nothing is changed.")
_OUTCOMES = click.option(
    "--outcomes", metavar="FILE", help="Write the outcome of every row to this .csv or .parquet file."
)
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace the file that is named.")


@click.group()
def coupons() -> None:
    """Reserve coupons for customers, release them, and read who holds them.

    FILE has one pair a row: a column coupon and a column integration_id. Codes are text, sent exactly as they stand.
    """


def _command(name: str, job: str, said: str) -> click.Command:
    """Return the command of one of the two jobs that send pairs of coupon and customer."""

    @coupons.command(name, help=said)
    @_FILE
    @_DRY
    @_OUTCOMES
    @_OVERWRITE
    @connects(writes=True)
    @collects("sending", SENDING)
    @collects("pairing", PAIRING)
    def change(
        *,
        file: str,
        connection: Connection,
        dry_run: bool,
        outcomes: str | None,
        overwrite: bool,
        pairing: dict[str, Any],
        sending: dict[str, Any],
    ) -> int:
        import t1data.coupons as jobs

        files = {"outcomes": outcomes}
        check_files(files, overwrite=overwrite)
        client = open_client(connection)
        if not dry_run:
            check_live(client, connection)
        planned = jobs.plan_reservations(client, file, **pairing)
        say(plan_in_words(planned))
        if dry_run:
            return tell_plan(planned)
        ask_for_live(client, connection)
        with signals_stop_a_run() as stop:
            run = getattr(jobs, job)(client, file, control=stop.control, **pairing, **sending)
        return finish(run, files, overwrite=overwrite, go_on=connection.words, interrupted=stop.asked)

    return change


_GOES_ON = "A run that stopped early goes on with `t1data runs resume`, or with this command and the same --journal."

reserve = _command(
    "reserve",
    "reserve_coupons",
    f"Reserve coupons for the customers of FILE; the plan is shown first.\n\n{_GOES_ON}",
)
release = _command(
    "release",
    "release_coupons",
    "Take the reservations of coupons from the customers of FILE; the plan is shown first. A customer who holds none is"
    f" passed over.\n\n{_GOES_ON}",
)


@coupons.command()
@click.argument("code", metavar="[CODE]...", nargs=-1)
@click.option("--file", metavar="FILE", help="A file with a column of codes, in place of codes that are typed.")
@click.option("--to", metavar="FILE", help="Write the holders, one line each, to this .csv, .parquet or .xlsx file.")
@_OVERWRITE
@connects(writes=False)
@collects("sending", SENDING)
@collects("naming", NAMING)
def holders(
    *,
    code: tuple[str, ...],
    file: str | None,
    to: str | None,
    overwrite: bool,
    connection: Connection,
    naming: dict[str, Any],
    sending: dict[str, Any],
) -> int:
    """Read who holds reservations of coupons. Nothing is changed.

    Without --to, only their number is shown: they are customers' data. The journal keeps the answers as they came;
    `t1data runs purge` deletes it.
    """
    from t1data.coupons import fetch_reservations

    if bool(code) == bool(file):
        raise click.UsageError("name coupons, or a file of them by --file FILE")
    files = {"holders": to}
    check_files(files, overwrite=overwrite)
    client = open_client(connection)
    with signals_stop_a_run() as stop:
        run = fetch_reservations(client, file or list(code), control=stop.control, **naming, **sending)
    for name, count in run.holders["coupon"].value_counts(sort=False).items():
        say(f"{count:>9,}  {name}")
    return finish(run, files, overwrite=overwrite, go_on=connection.words, interrupted=stop.asked)
