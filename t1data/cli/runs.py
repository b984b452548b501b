"""``t1data runs``: what this machine has sent, row by row, and going on with it."""

from __future__ import annotations

from typing import Any

import click

from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.profiles import check_outcomes_file, last_line
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.summary import counts_in_words, name_of, reasons_of, say_run
from t1data.cli.talk import exit_of, say, tell, tell_at_last, typed

_RUN = click.argument("run", metavar="RUN")
_DATA = click.option("--data", metavar="FILE", help="The input, if it is no longer where it was.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")


@click.group()
def runs() -> None:
    """List runs, look into one, write its outcomes, go on with it.

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
        say("There are no runs yet.")
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
        more = {"operation": found.operation, "stopped": found.stopped, "journal": str(found.journal), "reasons": told}
        tell(found.to_dict() | more)
        return
    click.echo(f"{found.id} ({found.operation})")
    click.echo(counts_in_words(found))
    for reason in reasons:
        click.echo(f"  {reason}")
    if found.stopped:
        click.echo(f"Stopped early: {found.stopped}")
    click.echo(f"Journal   {found.journal}")
    if not found.complete:
        click.echo(f"Go on     {typed('runs', 'resume', name_of(found))}")


@runs.command()
@_RUN
@click.option("--to", required=True, metavar="FILE", help="A .csv or .parquet file.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@_DATA
@_JSON
def outcomes(*, run: str, to: str, overwrite: bool, data: str | None, as_json: bool) -> None:
    """Write the outcome of every row of a run to a file."""
    from t1data.history import open_run

    check_outcomes_file(to, overwrite=overwrite)
    found = open_run(run, data=data)
    found.write_outcomes(to, overwrite=overwrite)
    if as_json:
        tell(found.to_dict() | {"to": to})
    else:
        say(f"{found.rows:,} outcomes written to {to}")


@runs.command("failed-rows")
@_RUN
@click.option("--to", required=True, metavar="FILE", help="A .csv or .parquet file.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@_DATA
@_JSON
def failed_rows(*, run: str, to: str, overwrite: bool, data: str | None, as_json: bool) -> None:
    """Write the invalid and refused rows as they were, to be mended and sent as a new run."""
    from t1data.history import open_run

    check_outcomes_file(to, overwrite=overwrite)
    found = open_run(run, data=data)
    written = found.write_failed_rows(to, overwrite=overwrite)
    if as_json:
        tell({"run": found.id, "written": written, "to": to})
    else:
        say(f"{written:,} {'row' if written == 1 else 'rows'} written to {to}")


@runs.command()
@_RUN
@_DATA
@click.option(
    "--progress/--no-progress", default=None, help="Show a bar, or none; a bar where a person watches when left out."
)
@click.option("--resume-old", is_flag=True, help="Go on though the run began more than 24 hours ago.")
@connects(writes=True)
def resume(*, run: str, data: str | None, progress: bool | None, resume_old: bool, connection: Connection) -> int:
    """Go on with a run: send what is unsent, and what is in doubt if that does no harm."""
    from t1data.history import resume as go_on

    client = open_client(connection)
    check_live(client, connection)
    ask_for_live(client, connection)
    with signals_stop_a_run() as stop:
        done = go_on(client, run, data=data, progress=progress, control=stop.control, resume_old=resume_old)
    say_run(done, go_on=connection.words, interrupted=stop.asked)
    tell_at_last(last_line(done))
    return exit_of(done, interrupted=stop.asked)


def _run_line(record: dict[str, Any]) -> str:
    names = ("accepted", "invalid", "refused", "unsent", "in_doubt")
    counts = ", ".join(f"{record[name]:,} {name.replace('_', ' ')}" for name in names if record[name])
    started = f"{record['started_at']:%Y-%m-%d %H:%M} UTC"
    return f"{record['run']}  {started}  {record['base_url']}  {record['rows']:,} rows: {counts}"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: times in ISO form, None for what is missing."""
    import pandas as pd

    if value is None or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
