"""What a row costs between a Parquet file and ready JSON: ours, and merely reading the file, in one run.

python benchmarks/encode.py [rows]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from t1data.tables.encode import Encoder
from t1data.tables.layout import resolve_layout
from t1data.tables.records import SLICE_ROWS, Slice

ROUNDS = 5
NAMES = ["Anna", 'Bob "B"', "Żółć", "Müller", "李雷", "back\\slash", "Иван", "😀"]


def people(rows: int) -> pa.Table:
    """Ten attributes as real exports have them: low-cardinality text, escapes, blanks, and 1 % ids beyond ASCII."""
    random = np.random.default_rng(7)

    def blank(share: float) -> np.ndarray:
        return random.random(rows) < share

    def moments() -> pa.Array:
        return pa.array(random.integers(15 * 10**14, 17 * 10**14, rows)).cast(pa.timestamp("us", "UTC"))

    return pa.table(
        {
            "integration_id": [f"{'cust' if at % 100 else 'küst'}-{at:08d}" for at in range(rows)],
            "name": pa.array([f"{NAMES[at % 8]} {at % 9973}" for at in range(rows)], mask=blank(0.02)),
            "email": pa.array([f"user{at}@example.com" for at in range(rows)], mask=blank(0.05)),
            "tier": pa.array(np.array(["gold", "silver", "bronze"])[random.integers(0, 3, rows)], mask=blank(0.1)),
            "country": pa.array(np.array(["DE", "FR", "US", "JP"])[random.integers(0, 4, rows)]),
            "age": pa.array(random.integers(18, 99, rows), mask=blank(0.15)),
            "points": pa.array(random.integers(0, 10**6, rows)),
            "spend": pa.array(np.where(blank(0.001), np.nan, random.random(rows) * 1000)),
            "vip": pa.array(blank(0.2), mask=blank(0.02)),
            "created": moments(),
            "seen": moments(),
        }
    )


def read(path: Path) -> Iterator[Slice]:
    """Read the file as the readers do, in slices."""
    first = 0
    for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(SLICE_ROWS):
        yield Slice(batch, np.arange(first, first + len(batch)), next_row=first + len(batch))
        first += len(batch)


def only_read(path: Path) -> None:
    """Decode all columns and do nothing with them."""
    for _ in read(path):
        pass


def read_and_encode(path: Path) -> None:
    """Decode all columns and make a JSON object of each row."""
    encoder = Encoder(resolve_layout(pq.read_schema(path), is_text=False))
    for part in read(path):
        encoder.encode(part)


def seconds(work: Callable[[Path], None], path: Path) -> float:
    """Return the CPU time of one pass."""
    start = time.process_time()
    work(path)
    return time.process_time() - start


def main(rows: int) -> None:
    """Measure both by turns and print one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.parquet")
        pq.write_table(people(rows), path, row_group_size=131_072)
        rounds = [(seconds(only_read, path), seconds(read_and_encode, path)) for _ in range(ROUNDS)]
    bare, ours = (float(np.median(side)) / rows * 1e6 for side in zip(*rounds, strict=True))
    print(f"read {bare:.2f} us/row, read and encode {ours:.2f} us/row: {ours / bare:.1f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
