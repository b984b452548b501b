"""``t1data runs``: what this machine has sent, row by row, and going on with it."""

from __future__ import annotations

from typing import Any

import click

from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.customers import say_evidence
from t1data.cli.goods import check_files, finish
from t1data.cli.inventories import say_tables
from t1data.cli.options import in_flags
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.summary import counts_in_words, next_steps, reasons_of
from t1data.cli.talk import Exit, say, tell
from t1data.errors import InputError
from t1data.words import many

_RUN = click.argument("run", metavar="RUN")
_DATA = click.option("--data", metavar="FILE", help="The input, if it is no longer where it was.")
_MOST_FAILURES = 20
_PROGRESS = click.option(
    "--progress/--no-progress", default=None, help="Show a bar, or none; a bar where a person watches when left out."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")


@click.group()
def runs() -> None:
    """List runs, look into one, write its outcomes, stop it, go on with it.

    RUN is a run's id or the file of its journal.
    """


@runs.command("list")
@click.option("--folder", metavar="FOLDER", help="Where the journals lie, if not in the usual folder or T1DATA_RUNS.")
@_JSON
def list_(*, folder: str | None, as_json: bool) -> None:
    """List the runs of this machine, the newest first."""
    from t1data.history import list_runs

    found = list_runs(folder)
    columns = ["run", *found.columns]
    records = [dict(zip(columns, cells, strict=True)) for cells in found.itertuples(name=None)]
    if as_json:
        tell([{name: _plain(value) for name, value in record.items()} for record in records])
        return
    if not records:
        from t1data.journal.names import runs_folder

        say(f"There are no runs in {folder or runs_folder()}. A journal elsewhere is named by its file.")
    for record in records:
        click.echo(_run_line(record))


@runs.command()
@_RUN
@_JSON
def show(*, run: str, as_json: bool) -> None:
    """Show what became of the rows of a run, and why."""
    from t1data.history import open_run

    found = open_run(run)
    reasons = reasons_of(found.journal)
    if as_json:
        told = [{"outcome": r.outcome, "reason": r.code, "rows": r.rows, "first_row": r.first_row} for r in reasons]
        facts = {name: getattr(found, name) for name in ("operation", "stopped", "in_use")}
        tell(found.to_dict() | facts | {"journal": str(found.journal), "reasons": told})
        return
    click.echo(f"{found.id} ({found.operation})")
    click.echo(counts_in_words(found))
    for reason in reasons:
        click.echo(f"  {reason}")
    if found.stopped:
        click.echo(f"Stopped early: {in_flags(found.stopped)}")
    click.echo(f"Journal   {found.journal}")
    if found.in_use:
        click.echo(f"In use    by {found.in_use}; rows that are on their way are in doubt until they are answered")
        return
    for label, line in next_steps(found):
        click.echo(f"{label:<9} {line}")


@runs.command()
@_RUN
@click.option(
    "--timeout", type=float, default=15.0, metavar="SECONDS", help="How long to wait for its end (default: 15.0)."
)
@_JSON
def stop(*, run: str, timeout: float, as_json: bool) -> int:
    """Stop a run that another process is sending, as Ctrl-C there would; what was sent stays."""
    from t1data.bulk.stop import stop_run

    report = stop_run(run, timeout=timeout)
    if as_json:
        asked = {"asked": report.asked, "ended": report.ended, "seconds": round(report.seconds, 1)}
        tell(report.run.to_dict() | asked)
    else:
        click.echo(str(report))
        click.echo(counts_in_words(report.run))
        for label, line in next_steps(report.run) if report.ended else ():
            click.echo(f"{label:<9} {line}")
    return Exit.ACCEPTED if report.ended else Exit.INCOMPLETE


@runs.command()
@_RUN
@click.option("--to", required=True, metavar="FILE", help="A .csv or .parquet file.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@_DATA
@_JSON
def outcomes(*, run: str, to: str, overwrite: bool, data: str | None, as_json: bool) -> None:
    """Write the outcome of every row of a run to a file."""
    from t1data.history import open_run

    check_files({"outcomes": to}, overwrite=overwrite)
    found = open_run(run, data=data)
    found.write_outcomes(to, overwrite=overwrite)
    if not found.has_input:
        say("The input is no longer there as it was, so that the ids are missing; --data FILE gives it.")
    if as_json:
        tell(found.to_dict() | {"to": to})
    else:
        say(f"{many(found.rows, 'outcome')} written to {to}")


@runs.command()
@_RUN
@click.option("--to", metavar="FILE", help="Write the rows as they were to this .csv or .parquet file.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@_DATA
@_JSON
def failures(*, run: str, to: str | None, overwrite: bool, data: str | None, as_json: bool) -> None:
    """Show which rows are invalid or refused, and why; or write them as they were, to be mended and sent anew."""
    from t1data.history import open_run

    check_files({"outcomes": to}, overwrite=overwrite)
    found = open_run(run, data=data)
    if to:
        written = found.write_failed_rows(to, overwrite=overwrite)
        left = found.counts["invalid"] + found.counts["refused"] - written
        said = f"{many(written, 'row')} written to {to}"
        torn = f"; {left:,} could not be read into columns: mend {'it' if left == 1 else 'them'} in the input itself"
        told = {"run": found.id, "written": written, "left_out": left, "to": to}
        tell(told) if as_json else say(said + (torn if left else ""))
        return
    bad = found.failures.query("outcome in ('invalid', 'refused')")
    if as_json:
        tell([_without_id(cells) for cells in bad.reset_index().to_dict("records")])
        return
    for row, cells in bad.head(_MOST_FAILURES).iterrows():
        click.echo(f"row {row}  {cells['outcome']}  {cells['reason']}  {in_flags(cells['message'])}")
    if bad.empty:
        say("No row is invalid or refused. " + counts_in_words(found))
    if len(bad) > _MOST_FAILURES:
        say(f"… and {len(bad) - _MOST_FAILURES:,} more; --to FILE writes them all")


@runs.command()
@_RUN
@click.option("--to", required=True, metavar="FOLDER", help="A new folder, for one file an answer.")
def raw(*, run: str, to: str) -> None:
    """Write the answers that were kept, byte for byte: those of runs that create codes."""
    from pathlib import Path

    from t1data.history import open_run

    folder = Path(to)
    answers = open_run(run).raw_answers()
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise InputError(f"{to} cannot be made: {error.strerror}; name a folder that is not there yet") from None
    for at, (batch, body) in enumerate(answers, 1):
        target = folder / f"batch-{batch:05}-answer-{at:05}.bin"
        target.touch(mode=0o600)
        target.write_bytes(body)
    say(f"{many(len(answers), 'answer')} written to {to}")


@runs.command()
@_RUN
@_DATA
@click.option(
    "--application-id",
    type=int,
    metavar="N",
    help="List the codes of the campaign in this Application (needs T1DATA_MANAGEMENT_KEY) instead of reading one"
    " inventory an advocate.",
)
@_PROGRESS
@connects(writes=False)
def reconcile(
    *, run: str, data: str | None, application_id: int | None, progress: bool | None, connection: Connection
) -> int:
    """Look on the server what became of rows that are in doubt; nothing is changed there."""
    from t1data.history import reconcile as look

    client = open_client(connection)
    with signals_stop_a_run() as stop:
        done = look(client, run, data=data, application_id=application_id, progress=progress, control=stop.control)
    return finish(done, {}, overwrite=False, go_on=connection.words, interrupted=stop.asked)


@runs.command()
@click.argument("run", metavar="RUN...", nargs=-1, required=True)
@click.option("--incomplete", is_flag=True, help="Also a run with rows unsent or in doubt, which is then forgotten.")
def purge(*, run: tuple[str, ...], incomplete: bool) -> None:
    """Delete the journals of runs."""
    from t1data.history import purge_run

    for each in run:
        say(f"{purge_run(each, incomplete=incomplete)} deleted")


@runs.command()
@_RUN
@_DATA
@_PROGRESS
@click.option("--resume-old", is_flag=True, help="Go on though the run began more than 24 hours ago.")
@click.option(
    "--resend-in-doubt",
    is_flag=True,
    help="Send again what is in doubt, though it cannot be repeated: what was made will then exist twice."
    " `runs reconcile` finds out first.",
)
@connects(writes=True)
def resume(
    *,
    run: str,
    data: str | None,
    progress: bool | None,
    resume_old: bool,
    resend_in_doubt: bool,
    connection: Connection,
) -> int:
    """Go on with a run: send what is unsent, and what is in doubt if that does no harm."""
    from t1data.history import resume as go_on

    client = open_client(connection)
    check_live(client, connection)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        done = go_on(
            client,
            run,
            data=data,
            progress=progress,
            control=stop.control,
            resume_old=resume_old,
            resend_in_doubt=resend_in_doubt,
        )
    if done.operation == "erase_customers":
        say_evidence(done)
    elif done.operation == "fetch_inventories":
        say_tables(done)
    return finish(done, {}, overwrite=False, go_on=connection.words, interrupted=stop.asked)


def _without_id(cells: dict[Any, Any]) -> dict[str, Any]:
    """Return an outcome without the customer's id: what is printed may end up in a log."""
    return {str(name): _plain(value) for name, value in cells.items() if name != "integration_id"}


def _run_line(record: dict[str, Any]) -> str:
    names = ("accepted", "invalid", "refused", "unsent", "in_doubt")
    counts = ", ".join(f"{record[name]:,} {name.replace('_', ' ')}" for name in names if record[name])
    started = f"{record['started_at']:%Y-%m-%d %H:%M} UTC"
    in_use = f"  (in use by {record['in_use']})" if record["in_use"] else ""
    return (
        f"{record['run']}  {started}  {record['base_url']}  {many(record['rows'], 'row')}: {counts or 'none'}{in_use}"
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: times in ISO form, None for what is missing."""
    import pandas as pd

    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
