"""``t1data referrals``: plan and create referral codes for the advocates of a file."""

from __future__ import annotations

from typing import Any

import click

from t1data.cli import values
from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import check_files, exit_of_plan, finish, plan_in_words, tell_plan
from t1data.cli.options import READING, SENDING, Option, collects, in_flags
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import say, tell

_SHARED = ("tz", "encoding", "delimiter", "sheet", "allow_suspect_ids")

TERMS = (
    Option("--campaign-id", "campaign_id", "The campaign of the codes; it needs the referral feature.", "N", kind=int),
    Option(
        "--usage-limit",
        "usage_limit",
        "How often a code may be used, 0 for no limit (1 when left out, and no column usage_limit says it).",
        "N",
        kind=int,
    ),
    Option("--start-date", "start_date", "From when on, such as 2026-12-01T00:00:00+01:00.", "TIME"),
    Option("--expiry-date", "expiry_date", "Until when; a code never expires when it is left out.", "TIME"),
    Option(
        "--attribute",
        "attributes",
        "An attribute of each code; the value as JSON where it can be read as JSON. Repeat it.",
        "NAME=VALUE",
        read=values.constants,
        repeat=True,
    ),
    Option("--pattern", "pattern", "The form of the codes, 4 to 100 characters; each # becomes a random one.", "TEXT"),
    Option(
        "--valid-characters",
        "valid_characters",
        "From which the random ones are drawn, such as ABC123; A-Z and 0-9 when left out.",
        "TEXT",
    ),
    Option("--advocate", "advocate", "The column of the advocates' ids (default: integration_id).", "COLUMN"),
    Option(
        "--friend",
        "friend",
        "The column of the friends' ids, if there is one (default: friend_integration_id).",
        "COLUMN",
    ),
    Option(
        "--duplicates",
        "duplicates",
        "Whether an advocate in several rows gets a code for each of them, or one, and which row then counts where they"
        " contradict each other (default: each).",
        choices=("each", "first", "last", "reject"),
    ),
    Option(
        "--type",
        "types",
        "The type of a column attributes.NAME: string, number, boolean, time and so on. Repeat it.",
        "COLUMN=TYPE",
        read=values.types,
        repeat=True,
    ),
    *(row for row in READING if row.parameter in _SHARED),
)
SENDING_CODES = (
    *(row for row in SENDING if row.parameter != "resume_old"),
    Option(
        "--resend-in-doubt",
        "resend_in_doubt",
        "With the journal of an earlier run: send again what is in doubt there; what was made will then exist twice.",
        kind=bool,
    ),
)

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "advocates": "the argument FILE",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}

_FILE = click.argument("file", metavar="FILE")


@click.group()
def referrals() -> None:
    """Plan and create referral codes for the advocates of a file.

    FILE has one code a row. Columns usage_limit, start_date, expiry_date, pattern, valid_characters and
    attributes.NAME give rows terms of their own; friend_integration_id names the only friend who may use a code.
    """


@referrals.command()
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")
@connects(writes=False)
@collects("terms", TERMS)
def plan(*, file: str, connection: Connection, as_json: bool, terms: dict[str, Any]) -> int:
    """Show which codes would be made; none is."""
    from t1data.referrals import plan_referrals

    _need_campaign(terms)
    planned = plan_referrals(open_client(connection), file, **terms)
    if as_json:
        tell(planned.to_dict())
    else:
        click.echo("\n".join(map(in_flags, planned.lines())))
    return exit_of_plan(planned)


@referrals.command()
@_FILE
@click.option("--dry-run", is_flag=True, help="Show the plan and stop: no code is made.")
@click.option("--codes", metavar="FILE", help="Write the codes to this .csv, .parquet or .xlsx file.")
@click.option("--outcomes", metavar="FILE", help="Write the outcome of every row to this .csv or .parquet file.")
@click.option("--overwrite", is_flag=True, help="Replace the files that are named.")
@connects(writes=True)
@collects("sending", SENDING_CODES)
@collects("terms", TERMS)
def create(
    *,
    file: str,
    connection: Connection,
    dry_run: bool,
    codes: str | None,
    outcomes: str | None,
    overwrite: bool,
    terms: dict[str, Any],
    sending: dict[str, Any],
) -> int:
    """Create a referral code for each row of FILE; the plan is shown first.

    A second run makes second codes. A run that stopped early goes on with `t1data runs resume`; what is in doubt is
    looked for by `t1data runs reconcile`.
    """
    from t1data.referrals import create_referrals, plan_referrals

    _need_campaign(terms)
    files = {"outcomes": outcomes, "codes": codes}
    check_files(files, overwrite=overwrite)
    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    planned = plan_referrals(client, file, **terms)
    say(plan_in_words(planned))
    if dry_run:
        return tell_plan(planned)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        run = create_referrals(client, file, control=stop.control, **terms, **sending)
    return finish(run, files, overwrite=overwrite, go_on=connection.words, interrupted=stop.asked)


def _need_campaign(terms: dict[str, Any]) -> None:
    if "campaign_id" not in terms:
        raise click.UsageError("name the campaign of the codes: --campaign-id N")
