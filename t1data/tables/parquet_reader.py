"""Parquet files, one or a folder of them: typed columns, without pandas on the way, in flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from t1data.errors import InputError
from t1data.tables.arrow_types import readable_schema, to_readable
from t1data.tables.files import FileStamp, fingerprint_of, readable
from t1data.tables.records import SLICE_ROWS, Fingerprint, Slice, Source, check_names, cut


@dataclass(frozen=True)
class ParquetReader:
    """Reads Parquet files of one schema, one after the other.

    Parameters
    ----------
    stamps : tuple of FileStamp
        In the order in which their rows are numbered.
    """

    stamps: tuple[FileStamp, ...]

    def slices(self, columns: tuple[str, ...]) -> Iterator[Slice]:
        """Read from the first file's first row."""
        row = 0
        for stamp in self.stamps:
            for batch in _batches(stamp.path, columns):
                yield from cut(to_readable(batch.select(columns)), start=row)
                row += batch.num_rows

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the files' bytes."""
        return fingerprint_of(self.stamps)

    def check_unchanged(self) -> None:
        """Raise InputError when a file is no longer the one that was opened."""
        for stamp in self.stamps:
            stamp.check_unchanged()


def open_parquet(paths: Sequence[Path], *, name: str, allow_empty: bool = False) -> Source:
    """Open Parquet files of equal schema as one source.

    Raises
    ------
    InputError
        For a damaged, encrypted or cut-off file, for schemas that differ (naming file and column), for no rows.
    """
    stamps = tuple(FileStamp.of(path) for path in paths)
    heads = [_head(path) for path in paths]
    schema, rows = heads[0][0], sum(count for _, count in heads)
    check_names(schema.names, where=str(paths[0]))
    for path, (other, _) in zip(paths, heads, strict=True):
        _check_same(schema, other, first=paths[0], path=path)
    if not (rows or allow_empty):
        raise InputError(f"{name} has no rows. Check that it is the right file.")
    return Source(name, "parquet", readable_schema(schema), ParquetReader(stamps), rows=rows)


def _head(path: Path) -> tuple[pa.Schema, int]:
    with _opened(path) as file:
        return file.schema_arrow.remove_metadata(), file.metadata.num_rows


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    # A name selects the columns below it too ("a" also takes "a.b"), hence the select() of the caller.
    with _opened(path) as file:
        yield from file.iter_batches(batch_size=SLICE_ROWS, columns=list(columns), use_threads=False)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    # With pre_buffer memory grows with the file: 230 MB at 1 M rows, 359 MB at 4 M.
    with readable(path), _explained(path), pq.ParquetFile(path, pre_buffer=False) as file:
        yield file


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        first = str(error).splitlines()[0].rstrip(".")
        why = "is encrypted" if "encrypt" in first.lower() else "is damaged or cut off"
        raise InputError(f"{path} {why}, so it cannot be read as Parquet ({first}).") from None


def _check_same(schema: pa.Schema, other: pa.Schema, *, first: Path, path: Path) -> None:
    differing = [
        name for name in dict.fromkeys([*schema.names, *other.names]) if _type(schema, name) != _type(other, name)
    ]
    if differing:
        name = differing[0]
        raise InputError(
            f"{path} differs from {first} in column {name!r}: {_type(other, name)}, not {_type(schema, name)}. "
            "All files of a folder need the same columns."
        )


def _type(schema: pa.Schema, name: str) -> str:
    at = schema.get_all_field_indices(name)
    return str(schema.field(at[0]).type) if at else "missing"
