"""``t1data customers``: erase personal data, prove it, and take people out of what older runs have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.goods import finish
from t1data.cli.numbers import typed_number
from t1data.cli.options import FILES, READING, SENDING, Option, collects
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.talk import Exit, folded, say, tell
from t1data.words import many

if TYPE_CHECKING:
    from t1data.journal.runs import Run

_BY_PARAMETER = {row.parameter: row for row in READING}

NAMED = (_BY_PARAMETER["id"], *FILES)
PEOPLE = (*NAMED, _BY_PARAMETER["allow_suspect_ids"])
ERASING = (
    Option(
        "--confirm",
        "confirm",
        "How many distinct customers that is, as --dry-run counts them; asked for when it is left out.",
        "N",
        kind=int,
    ),
    Option(
        "--evidence",
        "evidence",
        "Where the evidence is written (default: beside the journal, ….evidence.jsonl).",
        "FILE",
    ),
    Option("--operator", "operator", "Who does this, for the evidence (default: the user of this process).", "NAME"),
    *SENDING,
)

# Parameters of the public functions that no option feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "ids": "the argument FILE",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}

_FILE = click.argument("file", metavar="FILE")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")


@click.group()
def customers() -> None:
    """Erase the personal data of customers, with evidence, and verify it later.

    FILE holds one customer a row: CSV (also gzip), an XLSX workbook or Parquet.
    """


@customers.command()
@_FILE
@click.option("--dry-run", is_flag=True, help="Show what would be erased, and where, and stop: nothing is changed.")
@connects(writes=True)
@collects("erasing", ERASING)
@collects("people", PEOPLE)
def erase(*, file: str, dry_run: bool, connection: Connection, erasing: dict[str, Any], people: dict[str, Any]) -> int:
    """Erase the attributes of customers, for good, and prove it one by one.

    What would be erased is shown first: how many customers, where, in which environment, by which key. The number is
    then typed, or given by --confirm. A run that stopped early goes on with `t1data runs resume`.
    """
    from t1data.erasure import erase_customers, plan_erasure

    client = open_client(connection)
    if not dry_run:
        check_live(client, connection)
    plan = plan_erasure(client, file, **people)
    say("\n".join(folded(line) for line in plan.lines()))
    if dry_run:
        rest = {"accepted": 0, "invalid": plan.invalid, "refused": 0, "unsent": plan.rows - plan.invalid, "in_doubt": 0}
        tell({"run": None, "rows": plan.rows, **rest})
        return Exit.SOME_NOT_ACCEPTED if plan.invalid else Exit.ACCEPTED
    ask_for_live(client, connection)
    question = f"Type the number of customers ({plan.customers}) to erase them for good"
    number = typed_number(erasing.get("confirm"), question=question)
    with signals_stop_a_run() as stop:
        run = erase_customers(client, file, control=stop.control, **people, **erasing | {"confirm": number})
    say_evidence(erasing.get("evidence") or run)
    return finish(run, {}, overwrite=False, go_on=connection.words, interrupted=stop.asked)


def say_evidence(run: Run | str) -> None:
    """Say where the evidence of an erasure lies, and the seal by which a later change to it shows."""
    from t1data.erasure import verify_evidence

    evidence = verify_evidence(run)
    say(f"Evidence  {evidence.path}")
    say(f"Seal      {evidence.seal}")


@customers.command()
@click.argument("evidence", metavar="EVIDENCE")
@click.option("--ids", metavar="FILE", help="Whom to look for in it; one customer a row.")
@collects("named", NAMED)
@click.option("--seal", metavar="HEX", help="The seal that the erasure ended with.")
@_JSON
def verify(*, evidence: str, ids: str | None, named: dict[str, Any], seal: str | None, as_json: bool) -> int:
    """Tell whether evidence is whole, and whether customers are in it as erased; no network is needed.

    Exit code 0 says both of all of them.
    """
    from t1data.erasure import verify_evidence

    report = verify_evidence(evidence, ids=ids, **named, seal=seal)
    if as_json:
        tell(report.to_dict())
    else:
        click.echo("\n".join(report.lines()))
    return Exit.ACCEPTED if report.proves_all else Exit.SOME_NOT_ACCEPTED


@customers.command()
@_FILE
@collects("named", NAMED)
@click.option("--folder", metavar="FOLDER", help="Where the journals lie, if not in the usual folder or T1DATA_RUNS.")
@click.option(
    "--also", metavar="PATH", multiple=True, help="A journal, a file of outcomes, or a folder of them. Repeat it."
)
@_JSON
def purge(*, file: str, named: dict[str, Any], folder: str | None, also: tuple[str, ...], as_json: bool) -> int:
    """Take people out of older journals and outcome files of this machine; nothing is sent.

    Journals stay whole, and outcomes stay as they are; what names one of these people is gone.
    """
    from t1data.erasure import purge_people

    found = purge_people(file, **named, folder=folder, also=also)
    failed = found[found["note"].notna()]
    if as_json:
        tell({"looked_at": len(found), "removed": int(found["removed"].sum()), "failed": failed["file"].tolist()})
    else:
        for line in found[found["removed"] > 0].itertuples():
            click.echo(f"{line.removed:>9,}  {line.kind:<8} {line.file}")
        click.echo(f"{many(len(found), 'file')} looked at, {many(int(found['removed'].sum()), 'place')} rewritten")
    for line in failed.itertuples():
        say(f"{line.file}: {line.note}")
    return Exit.INCOMPLETE if len(failed) else Exit.ACCEPTED
