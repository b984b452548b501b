"""Arrow streams to pandas frames and to files, without bending a value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyarrow.types as at

from t1data.errors import InputError
from t1data.writing import replacing

if TYPE_CHECKING:
    import pandas as pd

_WRITERS: Final[dict[str, Callable[[Any, pa.Schema], Any]]] = {
    ".csv": pyarrow.csv.CSVWriter,
    ".parquet": pyarrow.parquet.ParquetWriter,
}


def to_frame(rows: pa.RecordBatchReader) -> pd.DataFrame:
    """Return a frame whose whole numbers, truth values and texts can be missing without becoming something else."""
    frame: pd.DataFrame = rows.read_all().to_pandas(types_mapper=_nullable)
    return frame


def _nullable(kind: pa.DataType) -> Any:
    import pandas as pd

    if at.is_string(kind):
        return pd.StringDtype()
    if at.is_boolean(kind):
        return pd.BooleanDtype()
    return getattr(pd, f"{str(kind).replace('int', 'Int').replace('u', 'U')}Dtype")() if at.is_integer(kind) else None


def check_ending(path: Path) -> None:
    """Raise `InputError` when the name's ending is not that of a format in which rows are written."""
    if path.suffix not in _WRITERS:
        raise InputError(f"{path.name}: rows are written as {' or '.join(_WRITERS)}")


def write_rows(rows: pa.RecordBatchReader, path: Path, *, overwrite: bool = False) -> int:
    """Write a stream to a ``.csv`` or ``.parquet`` file, whole or not at all, and return how many rows it had."""
    check_ending(path)
    written = 0
    with replacing(path, overwrite=overwrite) as part, _WRITERS[path.suffix](str(part), rows.schema) as out:
        for batch in rows:
            out.write_batch(batch)
            written += batch.num_rows
    return written
