"""``t1data audiences``: who is in an audience, what would change, and changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from t1data.cli import audience_actions, audience_calls
from t1data.cli.audience_calls import number_or_name
from t1data.cli.connection import Connection, connects, open_client
from t1data.cli.of_inputs import apart, of_inputs
from t1data.cli.options import Option, collects
from t1data.cli.talk import Exit, say, tell
from t1data.errors import InputError
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

    from t1data.audiences.result import AudienceDiff

_DIFFERENT: Final = 1  # what diff(1) ends with

_WHERE = (
    Option(
        "--memory-limit", "memory_limit", "What may be held in memory (default: 1GB); the rest goes to disk.", "SIZE"
    ),
    Option("--temp-folder", "temp_folder", "Where that disk is (default: the system's folder).", "FOLDER"),
)
_ON = Option("--on", "on", "The column of the ids (default: integration_id).", "COLUMN")
_READING = (_ON, *of_inputs("before"), *_WHERE)
DIFFING = (
    Option(
        "--compare",
        "compare",
        "A column to compare. Repeat it for more columns (all that both have when left out).",
        "COLUMN",
        read=list,
        repeat=True,
    ),
    Option("--all-twins", "all_twins", "Look for ids that look alike among those on both sides too.", kind=bool),
    *_READING,
)
PLANNING = (
    Option("--audience-id", "audience_id", "The number of the audience.", "N", kind=click.IntRange(min=1)),
    Option(
        "--mode",
        "mode",
        "All actions, only those that add, or only those that take out (default: mirror).",
        choices=("mirror", "add", "remove"),
    ),
    Option(
        "--max-removed",
        "max_removed",
        "How many members may be taken out, when these are more than 1,000 or more than a tenth of BEFORE; exactly how"
        " many, when AFTER is empty.",
        "N",
        kind=click.IntRange(min=0),
    ),
    Option("--known", "known", "The ids that the account has, to find those that adding would make.", "FILE"),
)
FETCHING = (
    Option(
        "--method",
        "method",
        "One request for all ids, or a list of whole profiles (default: export).",
        choices=("export", "list"),
    ),
)
OVERLAPPING = (_ON, *of_inputs("NAME"), *_WHERE)
SNAPSHOTS = tuple(row for row in _READING if row.parameter == "on")

# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "before": "the argument BEFORE",
    "after": "the argument AFTER",
    "diff": "made of BEFORE and AFTER",
    "client": "made from the environment, --env, --base-url and --rate",
    "audience": "the argument AUDIENCE",
    "audiences": "the arguments NAME=FILE",
    "folder": "the argument FOLDER",
}

_BEFORE = click.argument("before", metavar="BEFORE")
_AFTER = click.argument("after", metavar="AFTER")
_IDS_ONLY = click.option("--ids-only", is_flag=True, help="Compare no column but the ids.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace files that are there.")


@click.group()
def audiences() -> None:
    """Compare, plan and change audiences.

    AUDIENCE is an audience's number, or its name when there is a management key.
    """


@audiences.command()
@_BEFORE
@_AFTER
@_IDS_ONLY
@click.option("--to", metavar="FOLDER", help="Write added, removed, changed, duplicates and twins to this folder.")
@click.option(
    "--format", "ending", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True, help="Of files."
)
@_OVERWRITE
@_JSON
@collects("diffing", DIFFING)
def diff(
    *,
    before: str,
    after: str,
    ids_only: bool,
    to: str | None,
    ending: str,
    overwrite: bool,
    as_json: bool,
    diffing: dict[str, Any],
) -> int:
    """Show who joined, who left and what changed between two files of an audience; nothing is sent.

    It ends with 0 when they are the same, and with 1 when they differ.
    """
    from t1data.audiences.result import TABLES

    if to and Path(to).exists() and not Path(to).is_dir():
        raise InputError(f"{to} is a file; name a folder for the tables")
    files = {name: Path(to, f"{name}.{ending}") for name in TABLES} if to else {}
    _check_free(files, overwrite=overwrite)
    found = _diff(before, after, diffing, ids_only=ids_only)
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        found.write(name, path, overwrite=overwrite)
    if as_json:
        tell(found.to_dict() | {"files": {name: str(path) for name, path in files.items()}})
    else:
        click.echo(str(found))
    return Exit.ACCEPTED if found.same else _DIFFERENT


@audiences.command()
@_BEFORE
@_AFTER
@click.option("--to", metavar="FILE", help="Write the actions to this .csv or .parquet file, for `audiences apply`.")
@_OVERWRITE
@_JSON
@collects("reading", _READING)
@collects("planning", PLANNING)
def plan(
    *,
    before: str,
    after: str,
    to: str | None,
    overwrite: bool,
    as_json: bool,
    reading: dict[str, Any],
    planning: dict[str, Any],
) -> None:
    """Plan the actions that make an audience of BEFORE one of AFTER; nothing is sent."""
    from t1data.audiences.plan import plan_audience

    if "audience_id" not in planning:
        raise click.UsageError("name the audience: --audience-id N")
    _check_free({"plan": Path(to)} if to else {}, overwrite=overwrite)
    inputs = {"before": before, "after": after, "known": planning.get("known")}
    comparing, words = apart(reading, {name: file for name, file in inputs.items() if file is not None})
    found = _diff(before, after, comparing, ids_only=True)
    planned = plan_audience(found, **planning, **words)
    if to:
        _write(planned, Path(to), overwrite=overwrite)
    if as_json:
        tell({"audience_id": planning["audience_id"], "actions": len(planned), **planned.attrs, "to": to})
        return
    click.echo(str(found))
    counts = planned.attrs
    click.echo(f"audience {planning['audience_id']}: {counts['added']:,} to add, {counts['removed']:,} to take out")
    if counts["unknown"]:
        click.echo(f"{counts['unknown']:,} of those to add are no customers yet: adding makes a profile of each id")


@audiences.command()
@click.argument("audience", metavar="AUDIENCE", callback=number_or_name)
@click.option("--to", required=True, metavar="FILE", help="Write the ids to this .csv or .parquet file.")
@_OVERWRITE
@_JSON
@connects(writes=False)
@collects("fetching", FETCHING)
def members(
    *, audience: int | str, to: str, overwrite: bool, as_json: bool, connection: Connection, fetching: dict[str, Any]
) -> None:
    """Write who is in an audience to a file."""
    from t1data.audiences.members import fetch_members

    _check_free({"members": Path(to)}, overwrite=overwrite)
    found = fetch_members(open_client(connection), audience, **fetching)
    _write(found, Path(to), overwrite=overwrite)
    if as_json:
        tell({"audience": audience, "members": len(found), "to": to})
    else:
        say(f"{many(len(found), 'member')} written to {to}")


@audiences.command()
@click.argument("files", metavar="[NAME=]FILE...", nargs=-1, required=True)
@_JSON
@collects("overlapping", OVERLAPPING)
def overlaps(*, files: tuple[str, ...], as_json: bool, overlapping: dict[str, Any]) -> None:
    """Count how audiences overlap: how many customers each two share, and how many are in exactly which.

    An audience without a NAME has that of its file.
    """
    from t1data.audiences.overlaps import overlaps as count

    found = count(_named(files), **overlapping)
    if as_json:
        tell(found.to_dict())
        return
    click.echo(str(found))
    click.echo(found.matrix.to_string())


@audiences.command()
@click.argument("folder", metavar="FOLDER")
@click.option("--to", metavar="FILE", help="Write the table to this .csv or .parquet file.")
@_OVERWRITE
@_JSON
@collects("reading", SNAPSHOTS)
def history(*, folder: str, to: str | None, overwrite: bool, as_json: bool, reading: dict[str, Any]) -> None:
    """Show how an audience grew and shrank, from snapshots.

    The size in each file of FOLDER, and how many joined and left since the one before. FOLDER holds one CSV or
    Parquet file a snapshot, in the order of their names: 2026-07-31.csv.
    """
    from t1data.audiences.history import audience_history

    _check_free({"history": Path(to)} if to else {}, overwrite=overwrite)
    found = audience_history(folder, **reading)
    if to:
        _write(found.reset_index(), Path(to), overwrite=overwrite)
    if as_json:
        lines = found.astype(object).where(found.notna(), None).reset_index()
        tell({"snapshots": lines.to_dict("records"), "to": to})
    else:
        click.echo(found.astype("string").fillna("-").to_string())


def _diff(before: str, after: str, given: dict[str, Any], *, ids_only: bool) -> AudienceDiff:
    from t1data.audiences.diff import diff_audiences

    if ids_only and "compare" in given:
        raise click.UsageError("--ids-only compares no column: leave out --compare.")
    return diff_audiences(before, after, **given | ({"compare": []} if ids_only else {}))


def _named(files: tuple[str, ...]) -> dict[str, str]:
    parts = [file.partition("=") for file in files]
    named = {name if equals else Path(name).name: path if equals else name for name, equals, path in parts}
    if len(named) < len(files):
        raise click.UsageError("two audiences have one name: give each its own, NAME=FILE.")
    return named


def _check_free(files: dict[str, Path], *, overwrite: bool) -> None:
    """Refuse a place for the result before the work, and not after."""
    from t1data.audiences.frames import check_ending

    for path in files.values():
        check_ending(path)
        if path.exists() and not overwrite:
            raise InputError(f"{path} is there already; name another, or say --overwrite")


def _write(frame: pd.DataFrame, path: Path, *, overwrite: bool) -> None:
    import pyarrow as pa

    from t1data.audiences.frames import write_rows

    write_rows(pa.Table.from_pandas(frame, preserve_index=False).to_reader(), path, overwrite=overwrite)


for _command in (*audience_calls.COMMANDS, *audience_actions.COMMANDS):
    audiences.add_command(_command)
