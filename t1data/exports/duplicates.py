"""How often values stand in a file more than once, counted from the file itself, whatever its size."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.csv

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A file of ten million hashes is counted with a quarter of this; beyond, DuckDB goes on in the folder.
_MEMORY = "400MB"


def count_duplicates(file: Path, *, keys: list[str]) -> dict[str, int]:
    """Return for each key how many of its values had stood in the file before.

    Parameters
    ----------
    file : Path
        CSV of unquoted fields with a header.
    keys : list of str
        The header; columns of the same name count together.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="t1data-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(":memory:", config=config) as db:
            return {key: _repeats(db, file, keys, key) for key in dict.fromkeys(keys)}


def _repeats(db: DuckDBPyConnection, file: Path, keys: list[str], key: str) -> int:
    wanted = [f"c{place}" for place, name in enumerate(keys) if name == key]
    db.register("cells", _read(file, width=len(keys), wanted=wanted))
    values = f"SELECT unnest([{', '.join(wanted)}]) AS value FROM cells"  # noqa: S608 - names of our own making
    times = f"SELECT count(*) AS times FROM ({values}) WHERE value IS NOT NULL GROUP BY value"  # noqa: S608
    [(repeats,)] = db.execute(f"SELECT coalesce(sum(times - 1), 0) FROM ({times})").fetchall()  # noqa: S608
    return int(repeats)


def _read(file: Path, *, width: int, wanted: list[str]) -> pyarrow.csv.CSVStreamingReader:
    names = [f"c{place}" for place in range(width)]
    return pyarrow.csv.open_csv(
        str(file),
        read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(quote_char=False),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(names, pyarrow.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
