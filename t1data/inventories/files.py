"""Tables that come in portions, each as a Parquet file in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from t1data.writing import replacing

ENOUGH = 1 << 20  # bytes of a row group: what a file says of each is held until its end, some KB


class TableFile:
    """A Parquet file in whose row groups several portions stand, where they are small.

    Parameters
    ----------
    writer : ParquetWriter
        Open; whoever opened it closes it, after `close`.
    """

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._bytes = 0

    def add(self, portion: pa.Table) -> None:
        """Add some rows."""
        if portion.num_rows:
            self._waiting.append(portion)
            self._bytes += portion.nbytes
        if self._bytes >= ENOUGH:
            self.close()

    def close(self) -> None:
        """Write what still waits."""
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting, self._bytes = [], 0


@contextmanager
def table_files(
    folder: Path, schemas: Mapping[str, pa.Schema], *, overwrite: bool
) -> Iterator[Mapping[str, TableFile]]:
    """Give a file for each table, which take their names together, whole, when the block ends well."""
    with ExitStack() as stack:
        parts = {
            name: stack.enter_context(replacing(folder / f"{name}.parquet", overwrite=overwrite)) for name in schemas
        }
        with ExitStack() as writers:
            files = {
                name: TableFile(writers.enter_context(pq.ParquetWriter(parts[name], schema)))
                for name, schema in schemas.items()
            }
            yield files
            for file in files.values():
                file.close()
