"""Plain numbers told by their bytes, a whole column at a time: a fifth of what an expression or a conversion takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.tables.strings import data_bytes, offsets_of

_MINUS, _ZERO = ord("-"), ord("0")

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]


def plain_width(cells: pa.StringArray, mark: str = ".") -> int | None:
    """Return a bound on the digits of the cells if each is a number as JSON writes it, without exponent; else None.

    Parameters
    ----------
    cells : pyarrow.StringArray
        Null is no value; an empty text is taken for one too.
    mark : {".", ","}
        The decimal mark.

    Examples
    --------
    >>> from t1data.tables.strings import texts
    >>> plain_width(texts(["-7", "1.50", None])), plain_width(texts(["007"]))
    (4, None)
    """
    data, ends = data_bytes(cells), offsets_of(cells)
    if not data.size:
        return 0
    starts, stops = _with_bytes(ends - ends[0])
    signed = data[starts] == _MINUS
    begins = starts + signed
    if not (_is_digit(data[stops - 1]).all() and _is_digit(data[begins]).all()):
        return None
    marks = np.flatnonzero(data == ord(mark))
    if np.count_nonzero(_is_digit(data)) + np.count_nonzero(signed) + len(marks) != data.size:
        return None
    if not _at_most_one(marks, starts, stops) or _has_leading_zero(data, begins, stops, mark):
        return None
    return int((stops - begins).max()) - (len(marks) == len(starts))


def _with_bytes(ends: Places) -> tuple[Places, Places]:
    """Return where each cell that is not empty begins and ends."""
    starts, stops = ends[:-1], ends[1:]
    full = stops > starts
    return (starts, stops) if full.all() else (starts[full], stops[full])


def _is_digit(data: Bytes) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = data - np.uint8(_ZERO) < 10
    return found


def _at_most_one(marks: npt.NDArray[np.int64], starts: Places, stops: Places) -> bool:
    """Tell whether no cell has two marks; where there are as many marks as cells, each has to have its own."""
    if len(marks) == len(starts):
        return bool(((marks >= starts) & (marks < stops)).all())
    cells = np.searchsorted(starts, marks, side="right")
    return bool((cells[1:] != cells[:-1]).all())


def _has_leading_zero(data: Bytes, begins: Places, stops: Places, mark: str) -> bool:
    zero = (data[begins] == _ZERO) & (stops - begins > 1)
    return bool((data[begins[zero] + 1] != ord(mark)).any())
