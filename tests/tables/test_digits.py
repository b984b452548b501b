"""Numbers told by their bytes are those that the expression of the JSON standard tells."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from t1data.tables.digits import plain_width

_PLAIN = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?"


@given(st.lists(st.none() | st.text("-.,0123e ", max_size=6) | st.from_regex(_PLAIN, fullmatch=True), max_size=5))
@example(["-", "1"])
@example(["1", "."])
@example(["1.2.3", "4", "5.6"])
@example(["1.5", "2..5"])
@example(["1", "2.3.4", "5.6"])
def test_a_column_is_plain_when_each_cell_is(cells: list[str | None]) -> None:
    array = pa.array(cells, pa.string())
    present = [cell for cell in cells if cell]
    width = plain_width(array)

    assert (width is not None) == all(re.fullmatch(_PLAIN, cell, re.ASCII) for cell in present)
    if width is not None:
        assert width >= max((sum(map(str.isdigit, cell)) for cell in present), default=0)


@pytest.mark.parametrize("mark", [".", ","])
def test_only_the_mark_that_is_asked_for_divides_a_number(mark: str) -> None:
    array = pa.array(["1.5", "1,5"])

    assert [plain_width(array.slice(at, 1), mark) is not None for at in (0, 1)] == [mark == ".", mark == ","]


def test_a_slice_is_told_by_its_own_cells() -> None:
    array = pa.array(["x", "007", "-12.5", None, "3", "1e5"])

    assert plain_width(array.slice(2, 3)) == 4
    assert plain_width(array.slice(1, 4)) is None
