"""Arrow tables and streams. A stream that can be read only once is spooled to a file that has no name."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import IO, Any, Protocol

import pyarrow as pa

from t1data.errors import InputError
from t1data.tables.arrow_types import readable_schema, to_readable
from t1data.tables.content import content_hash
from t1data.tables.records import Fingerprint, Slice, Source, check_names, cut


class Batches(Protocol):
    """Record batches that can be read from the beginning many times."""

    def __call__(self) -> Iterator[pa.RecordBatch]:
        """Begin anew."""


@dataclass(frozen=True)
class ArrowReader:
    """Reads record batches.

    Parameters
    ----------
    batches : callable
        Gives an iterator over all batches, each time it is called.
    columns : tuple of str
        All columns there are.
    """

    batches: Batches = field(repr=False)
    columns: tuple[str, ...]

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the first row."""
        row = 0
        for batch in self.batches():
            yield from cut(to_readable(batch.select(columns)), start=row)
            row += batch.num_rows

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the values, however they are cut into batches."""
        return {"sha256": self._sha256}

    @cached_property
    def _sha256(self) -> str:
        return content_hash(piece.batch for piece in self.slices(self.columns))

    def check_unchanged(self) -> None:
        """Arrow data cannot change."""


def open_table(table: pa.Table, *, name: str, allow_empty: bool = False) -> Source:
    """Open an Arrow table, which is read where it lies."""
    return _source(table.to_batches, table.schema, name=name, rows=table.num_rows, allow_empty=allow_empty)


def open_repeatable(data: Any, *, name: str, allow_empty: bool = False) -> Source:
    """Open an object whose Arrow stream can be asked for many times, such as a polars frame."""

    def batches() -> Iterator[pa.RecordBatch]:
        with _explained(name):
            yield from _stream(data, name)

    return _source(batches, _stream(data, name).schema, name=name, rows=len(data), allow_empty=allow_empty)


def open_stream(data: Any, *, name: str, allow_empty: bool = False) -> Source:
    """Open an Arrow stream that can be read once: it is copied, packed, to a file without a name.

    Raises
    ------
    InputError
        When it is no stream of rows, breaks off, or the disk is full.
    """
    reader = data if isinstance(data, pa.RecordBatchReader) else _stream(data, name)
    check_names(reader.schema.names, where=name)  # before a long copy
    with _explained(name):
        spool = Spool.of(reader)
    return _source(spool, reader.schema, name=name, rows=spool.rows, allow_empty=allow_empty)


def _source(batches: Batches, schema: pa.Schema, *, name: str, rows: int, allow_empty: bool) -> Source:
    check_names(schema.names, where=name)
    if not (rows or allow_empty):
        raise InputError(f"{name} has no rows.")
    return Source(name, "arrow", readable_schema(schema), ArrowReader(batches, tuple(schema.names)), rows=rows)


def _stream(data: Any, name: str) -> pa.RecordBatchReader:
    try:
        return pa.RecordBatchReader.from_stream(data)
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:  # a single column has a stream too
        said = str(error).splitlines()[0]
        raise InputError(f"{name} cannot be read as a stream of rows ({said}). Give a frame or a table.") from None


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} cannot be read as a stream of rows: {str(error).splitlines()[0]}") from None


@dataclass(frozen=True)
class Spool:
    """A copy of an Arrow stream on disk: packed, readable by its owner only, and gone with the last reference.

    Parameters
    ----------
    file : binary file
        Has no name from its birth on, so nothing is left behind even after a crash.
    rows : int
    """

    file: IO[bytes]
    rows: int
    lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def of(cls, reader: pa.RecordBatchReader) -> Spool:
        """Copy a stream, batch by batch."""
        with ExitStack() as failed:
            file = failed.enter_context(tempfile.TemporaryFile(prefix="t1data-"))
            spool = cls(file, _copy(reader, file))
            weakref.finalize(spool, failed.pop_all().close)
        return spool

    def __call__(self) -> Iterator[pa.RecordBatch]:
        """Read all batches from the beginning."""
        with pa.ipc.open_stream(pa.PythonFile(_Cursor(self.file, self.lock), mode="r")) as reader:
            yield from reader


def _copy(reader: pa.RecordBatchReader, file: IO[bytes]) -> int:
    rows, options = 0, pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(file, reader.schema, options=options) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


class _Cursor:
    """A reading position of its own in a file that several readers share."""

    def __init__(self, file: IO[bytes], lock: Lock) -> None:
        self._file, self._lock, self._at = file, lock, 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        with self._lock:
            self._file.seek(self._at)
            data = self._file.read(size)
        self._at += len(data)
        return data

    def close(self) -> None:
        self.closed = True
