"""A slice whose rows are large is encoded in portions, and nothing of it is lost or moved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from t1data.tables.encode import Encoder
from t1data.tables.layout import resolve_layout
from t1data.tables.portions import LARGEST, portions
from t1data.tables.problems import Problem
from t1data.tables.records import Slice


@given(
    sizes=st.lists(st.none() | st.integers(0, 80), max_size=12),
    bad=st.sets(st.integers(0, 15)),
    encoded=st.booleans(),
    largest=st.integers(1, 200),
)
def test_portions_are_the_slice_in_order(sizes: list[int | None], bad: set[int], encoded: bool, largest: int) -> None:
    cells = pa.array([None if size is None else "x" * size for size in sizes], pa.string())
    batch = pa.RecordBatch.from_pydict({"note": cells.dictionary_encode() if encoded else cells})
    rows = np.array(sorted(set(range(len(sizes) + len(bad))) - bad)[: len(sizes)], np.int64)
    end = int(max([*rows.tolist(), *bad], default=-1)) + 1
    part = Slice(batch, rows, [Problem(row, "ragged_row") for row in sorted(bad)], end, blank_lines=2)
    found = list(portions(part, largest=largest))
    assert [cell for each in found for cell in each.batch["note"].to_pylist()] == cells.to_pylist()
    assert np.concatenate([each.rows for each in found]).tolist() == rows.tolist()
    assert [problem for each in found for problem in each.problems] == list(part.problems)
    assert all(problem.row < each.next_row for each in found for problem in each.problems)
    assert (found[-1].next_row, sum(each.blank_lines for each in found)) == (end, 2)
    assert [each.next_row for each in found] == sorted({each.next_row for each in found})
    assert all(sum(len(cell or "") for cell in each.batch["note"].to_pylist()) <= largest + 80 for each in found)


def test_a_small_dictionary_that_unfolds_to_gigabytes_is_encoded_a_few_rows_at_a_time() -> None:
    note = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, np.int32)), pa.array(["x" * 3_000_000]))
    batch = pa.RecordBatch.from_pydict({"integration_id": pa.array(map(str, range(1000))), "note": note})
    encoder = Encoder(resolve_layout(batch.schema, is_text=False))
    found = portions(Slice(batch, np.arange(1000), next_row=1000))
    first = encoder.encode(next(found))
    assert len(first.pieces[0].as_py()) > 3_000_000
    assert first.pieces.nbytes < LARGEST + 4_000_000
    assert len(first.rows) + sum(len(each.rows) for each in found) == 1000
