"""A DuckDB of one's own for one comparison: out of core, offline, and gone when it is done."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.arrow_reader import Spool

MEMORY_LIMIT: Final = "1GB"
"""What DuckDB may hold: 10 M against 10 M rows with three columns then peak at about 1.1 GB, 50 M at 1.5 GB."""

_MOST_THREADS: Final = 8
_EACH_THREAD: Final = 64 << 20  # bytes: each has buffers of its own, and a small limit is soon nothing but buffers

_NO_SPACE: Final = "The temporary folder cannot be written to, or its disk is full. Name another one."
_OURS: Final = "t1data: "  # before the words of an error that a query of ours raises

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])(i?)B\s*", re.IGNORECASE)

_SETTINGS: Final[dict[str, Any]] = {
    # An extension that is missing would be downloaded, and what this needs is built in.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    # A name in a query means a table, never a variable of whoever called.
    "python_enable_replacements": "false",
    "preserve_insertion_order": "false",  # results are sorted where order matters; keeping it costs memory
}


@dataclass(frozen=True)
class Kept:
    """Rows of a query that can be read many times, in bounded memory.

    Attributes
    ----------
    schema : pyarrow.Schema
    spool : Spool
    """

    schema: pa.Schema
    spool: Spool

    def __call__(self) -> Iterator[pa.RecordBatch]:
        """Read all rows from the beginning."""
        return self.spool()


@dataclass(frozen=True)
class Engine:
    """A DuckDB in memory that spills into a private folder.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
    folder : Path
        Readable by its owner only; it and all that is in it are removed at the end.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def run(self, statement: str) -> None:
        """Run a statement that returns nothing of interest."""
        self.connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the few rows of a query."""
        found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    def numbers(self, query: str) -> tuple[int, ...]:
        """Return the one row of a query as whole numbers; a sum over nothing is 0."""
        return tuple(int(value or 0) for value in self.rows(query)[0])

    def stream(self, query: str) -> pa.RecordBatchReader:
        """Return the rows of a query as an Arrow stream."""
        return pa.RecordBatchReader.from_stream(self.connection.sql(query))

    def keep(self, query: str, schema: pa.Schema) -> Kept:
        """Copy the rows of a query to a file without a name, which outlives the engine."""
        batches = (_conform(batch, schema) for batch in self.stream(query))
        return Kept(schema, Spool.of(pa.RecordBatchReader.from_batches(schema, batches)))


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give the columns of a batch, by their places, the names and types of a schema; no value changes.

    DuckDB knows times with a zone only to the microsecond, so all of them pass through it as times in UTC.
    """
    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


@contextmanager
def open_engine(*, memory_limit: str = MEMORY_LIMIT, temp_folder: str | Path | None = None) -> Iterator[Engine]:
    """Open a DuckDB, and remove all that it leaves on disk at the end.

    Parameters
    ----------
    memory_limit : str
        Such as ``"1GB"`` or ``"500MB"``; beyond it, DuckDB writes to disk.
    temp_folder : path, optional
        Where the private folder is made; the system's by default.

    Raises
    ------
    InputError
        A limit that is none, or too small; a folder that cannot be written to, or a disk that is full.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_private_folder(temp_folder)))
        stack.enter_context(_explained(memory_limit))
        yield Engine(stack.enter_context(_connect(folder, memory_limit)), folder)


def _private_folder(parent: str | Path | None) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="t1data-", dir=parent)
    except OSError as error:
        raise InputError(f"temp_folder: no folder can be made in {parent}: {error.strerror}.") from None


def _connect(folder: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    limit = _bytes(memory_limit)
    threads = max(1, min(os.cpu_count() or 1, _MOST_THREADS, limit // _EACH_THREAD))
    place = {"temp_directory": str(folder / "spilled"), "memory_limit": f"{limit}B", "threads": str(threads)}
    connection = duckdb.connect(":memory:", config=_SETTINGS | place)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    return connection


def _bytes(size: str) -> int:
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        raise InputError(f"memory_limit={size!r} is no size, valid are such as '1GB' or '500MB'.")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** ("KMGT".index(unit.upper()) + 1))


@contextmanager
def _explained(memory_limit: str) -> Iterator[None]:
    """Say in a sentence what DuckDB could not do; its own words may hold a customer's data."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise InputError(
            f"memory_limit={memory_limit!r} does not suffice for this input. Give more, such as 1GB."
        ) from None
    except duckdb.IOException:
        raise InputError(_NO_SPACE) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(_NO_SPACE) from None
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        own = str(error).partition(_OURS)[2].partition("\n")[0]
        raise InputError(
            own
            or "A column cannot be compared: it holds text that is not UTF-8, or values too large for the other side."
            " Mend it, or leave it out by compare=."
        ) from None


def refusal(sentence: str) -> str:
    """Return the SQL that ends a query with an `InputError` of this sentence, which must hold no value."""
    return f"error({literal(_OURS + sentence)})"


def quoted(name: str) -> str:
    """Return a column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return a text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"
