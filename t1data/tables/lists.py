"""Arrow lists to JSON arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.strings import EMPTY, NONE
from t1data.tables.tokens import Flaw, Tokens, flaws_of


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
    offsets = np.concatenate(([0], np.cumsum(pc.list_value_length(lists).fill_null(0).to_numpy())))
    tokens = element_tokens(lists.flatten())
    cells = tokens.wrapped()
    rows = np.repeat(np.arange(len(lists)), np.diff(offsets))
    flaws = tuple(Flaw(flaw.code, np.unique(rows[flaw.at])) for flaw in tokens.flaws)
    empty = flaws_of(null_in_list=pc.and_(cells.is_null(), _unflawed(tokens, len(cells))))
    flaws += tuple(Flaw(flaw.code, np.unique(rows[flaw.at])) for flaw in empty)
    return Tokens(_joined(lists, cells, offsets), "[", "]", flaws=flaws)


def _unflawed(tokens: Tokens, count: int) -> pa.BooleanArray:
    clean = np.ones(count, bool)
    for flaw in tokens.flaws:
        clean[flaw.at] = False
    return pa.array(clean)


def _joined(lists: pa.ListArray, cells: pa.StringArray, offsets: np.ndarray) -> pa.StringArray:
    filled = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pc.coalesce(cells, EMPTY))
    return pc.if_else(lists.is_valid(), pc.binary_join(filled, ","), NONE)
