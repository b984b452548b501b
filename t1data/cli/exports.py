"""``t1data exports``: files for people, for machines and for ad platforms."""

from __future__ import annotations

from typing import Any

import click

from t1data.cli import values
from t1data.cli.options import Option, collects
from t1data.cli.talk import Exit, folded, say, tell
from t1data.words import many

_FILE = click.argument("file", metavar="FILE")
_TO = click.option("--to", required=True, metavar="FILE", help="The file to write.")

READING = (
    Option("--encoding", "encoding", "The encoding of a text file; UTF-8 when left out.", "NAME"),
    Option(
        "--delimiter",
        "delimiter",
        r"What separates the fields of a text file that is read, \t for a tab; found in the header when left out.",
        "CHARACTER",
        read=values.delimiter,
    ),
    Option(
        "--sheet", "sheet", "The sheet of a workbook that is read; the only one with anything in it by default.", "NAME"
    ),
    Option("--overwrite", "overwrite", "Replace the file if it is there.", kind=bool),
)
PEOPLE = (
    Option(
        "--separator",
        "separator",
        "What stands between the fields of a .csv file (default: ,); Excel in countries with a decimal comma wants ;.",
        choices=(",", ";"),
    ),
)
ADS = (
    Option(
        "--column",
        "columns",
        "A column and the platform's header that it goes to. Repeat it (default: the columns whose names say it).",
        "COLUMN=HEADER",
        read=values.attributes,
        repeat=True,
    ),
    Option(
        "--default-region",
        "default_region",
        "The country of phone numbers without country code, such as DE; they are dropped when left out.",
        "CODE",
    ),
    Option(
        "--shorten-gmail/--keep-gmail",
        "shorten_gmail",
        "Google only: take dots and suffixes from Gmail addresses (default), or keep them.",
        kind=bool,
    ),
)


@click.group()
def exports() -> None:
    """Write files that are safe for whom they are meant for.

    FILE is a CSV file (also gzip), an XLSX workbook, a Parquet file, or a folder or pattern of Parquet files.
    """


@exports.command()
@_FILE
@_TO
@collects("reading", (*READING, *PEOPLE))
def people(*, file: str, to: str, reading: dict[str, Any]) -> None:
    """Write a file for a spreadsheet: .xlsx, or .csv. No cell of it is a formula, and ids stay as they are."""
    from t1data.exports import export_for_people

    _say_written(export_for_people(file, to, **reading), to)


@exports.command()
@_FILE
@_TO
@collects("reading", READING)
def machine(*, file: str, to: str, reading: dict[str, Any]) -> None:
    """Write a file for another program: .csv or .parquet, every value exactly as it is."""
    from t1data.exports import export_for_machines

    _say_written(export_for_machines(file, to, **reading), to)


@exports.command()
@_FILE
@_TO
@click.option(
    "--platform",
    required=True,
    type=click.Choice(("google_customer_match", "meta_custom_audience")),
    help="Whose rules are followed.",
)
@collects("reading", (*READING, *ADS))
def ads(*, file: str, to: str, platform: Any, reading: dict[str, Any]) -> int:
    """Write a .csv file for an ad platform: normalised and hashed, with a report on its match keys.

    Exit code 3 says that rows were left out, because nothing in them could be used.
    """
    from t1data.exports import export_audience

    report = export_audience(file, to, platform=platform, **reading)
    for line in report.lines():
        say(folded(line))
    tell(report.to_dict())
    return Exit.ACCEPTED if report.written == report.rows else Exit.SOME_NOT_ACCEPTED


def _say_written(rows: int, to: str) -> None:
    say(f"{many(rows, 'row')} written to {to}")
    tell({"rows": rows, "to": to})
