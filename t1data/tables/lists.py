"""Arrow lists to JSON arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.strings import EMPTY, NONE, indices, mask, text, there
from t1data.tables.tokens import Flaw, Tokens, flaws_of

_COMMA = text(",")


def list_tokens(array: pa.Array, element_tokens: Callable[[pa.Array], Tokens]) -> Tokens:
    """Write each list as a JSON array.

    A list that holds a null, or an element with a flaw, is a flaw of its row: an element is never left out.

    Parameters
    ----------
    array : pyarrow.ListArray, pyarrow.LargeListArray or pyarrow.FixedSizeListArray
        Null is no value, an empty list is ``[]``.
    element_tokens : callable
        Turns all elements, end to end, into tokens.

    Examples
    --------
    >>> from t1data.tables.numbers import number_tokens
    >>> list_tokens(pa.array([[1, 2], [], None]), number_tokens).wrapped().to_pylist()
    ['[1,2]', '[]', None]
    """
    lists = array.cast(pa.list_(array.type.value_type))
    offsets = np.append(0, np.cumsum(_lengths(lists)))
    tokens = element_tokens(lists.flatten())
    cells = tokens.wrapped()
    rows = np.repeat(np.arange(len(lists)), np.diff(offsets))
    flaws = tuple(Flaw(flaw.code, np.unique(rows[flaw.at])) for flaw in tokens.flaws)
    empty = flaws_of(null_in_list=pc.and_(cells.is_null(), _unflawed(tokens, len(cells))))
    flaws += tuple(Flaw(flaw.code, np.unique(rows[flaw.at])) for flaw in empty)
    return Tokens(_joined(lists, cells, offsets), "[", "]", flaws=flaws)


def _lengths(lists: pa.ListArray) -> npt.NDArray[np.int64]:
    ends = np.frombuffer(lists.buffers()[1], np.int32, len(lists) + 1, lists.offset * 4) if len(lists) else np.zeros(1)
    return np.diff(ends).astype(np.int64) * there(lists)


def _unflawed(tokens: Tokens, count: int) -> pa.BooleanArray:
    clean = np.ones(count, bool)
    for flaw in tokens.flaws:
        clean[flaw.at] = False
    return mask(clean)


def _joined(lists: pa.ListArray, cells: pa.StringArray, offsets: np.ndarray) -> pa.StringArray:
    ends = indices(offsets).cast(pa.int32())
    filled = pa.ListArray.from_arrays(ends, pc.coalesce(cells, EMPTY))
    return pc.if_else(lists.is_valid(), pc.binary_join(filled, _COMMA), NONE)
