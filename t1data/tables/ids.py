"""Integration ids: always text, never repaired, and suspected when a program has damaged them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as at

from t1data.errors import InputError
from t1data.tables.labels import BY_NUMBER, Labels
from t1data.tables.numbers import number_tokens
from t1data.tables.strings import (
    blank_to_null,
    data_bytes,
    has_true,
    not_utf8,
    nulls,
    plain,
    positions,
    sizes,
    texts,
    without,
)
from t1data.tables.tokens import Flaw, flaws_of
from t1data.tables.types import is_json, kind_of
from t1data.words import many

LONGEST = 1000
"""Characters that Talon.One takes in an integration id."""

_EXACT = 2**53  # from here on neighbouring whole numbers share one float


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a slice as text, null where there is none, and the rows that cannot be addressed by theirs."""

    text: pa.StringArray
    flaws: tuple[Flaw, ...] = ()


def check_id_field(field: pa.Field, *, ids_from_floats: bool = False) -> None:
    """Raise `InputError` when a column of this type cannot hold ids.

    Parameters
    ----------
    field : pyarrow.Field
        The id column.
    ids_from_floats : bool
        The caller has declared that floating point numbers in it are whole.
    """
    if is_json(field):
        raise InputError(
            f"id: column {field.name!r} holds values of several kinds side by side, such as text and numbers. A"
            " number has lost its leading zeros, if it ever had any: read the column as text where it comes from"
            " (dtype=str), or make it text in the workbook"
        )
    kind = field.type.value_type if at.is_dictionary(field.type) else field.type
    if at.is_floating(kind) and ids_from_floats:
        return
    if at.is_floating(kind):
        raise InputError(
            f"id: column {field.name!r} holds floating point numbers ({kind}): an id 123 is now 123.0, and leading"
            " zeros and the digits of long ids may be lost. A workbook holds all numbers so; a blank cell turns"
            " integers into floats in pandas. Read the column as text (in a workbook: format it as text, and fill it"
            " anew), or say"
            " ids_from_floats=True when all ids were whole numbers below 2**53"
        )
    whole = at.is_integer(kind) or (at.is_decimal(kind) and kind.scale == 0)
    if not whole and kind_of(kind) not in ("string", "nothing"):
        raise InputError(f"id: column {field.name!r} ({field.type}) cannot hold ids, valid are text and whole numbers")


def read_ids(array: pa.Array) -> Ids:
    """Return an id column as text, exactly as it stands.

    Parameters
    ----------
    array : pyarrow.Array
        Text of any layout, integers, decimals, or floats that the caller has declared to be whole numbers.

    Examples
    --------
    >>> found = read_ids(pa.array(["007", " 8", None]))
    >>> found.text[0].as_py(), [(flaw.code, flaw.at.tolist()) for flaw in found.flaws]
    ('007', [('missing_id', [2]), ('id_whitespace', [1])])
    """
    if at.is_dictionary(array.type):
        array = array.dictionary_decode()
    if at.is_floating(array.type):
        return _from_floats(array)
    if at.is_integer(array.type) or at.is_decimal(array.type):
        return _checked(number_tokens(array).text)
    return _checked(blank_to_null(plain(array)))


def _from_floats(array: pa.Array) -> Ids:
    numbers = array.cast(pa.float64())
    unknown = nulls(1, pa.float64())[0]
    known = pc.if_else(pc.is_nan(numbers), unknown, numbers)
    inexact = pc.invert(pc.and_(pc.less(pc.abs(known), _EXACT), pc.equal(pc.floor(known), known)))
    whole = pc.if_else(inexact, unknown, known).cast(pa.int64()).cast(pa.string())
    return Ids(whole, flaws_of(missing_id=known.is_null(), id_not_whole=inexact))


def _checked(ids: pa.StringArray) -> Ids:
    broken = not_utf8(ids)
    found = flaws_of(missing_id=ids.is_null())
    ids = without(ids, broken)
    if broken.size:
        found += (Flaw("not_utf8", broken),)
    return Ids(ids, found + _too_long(ids) + _odd_characters(ids))


def not_addressable(ids: pa.StringArray) -> tuple[Flaw, ...]:
    """Return the ids that no address can name: every server and proxy on the way removes these segments."""
    return flaws_of(id_not_in_url=pc.is_in(ids, value_set=_DOTS))


_DOTS = texts([".", ".."])


def _too_long(ids: pa.StringArray) -> tuple[Flaw, ...]:
    if sizes(ids).max(initial=0) <= LONGEST:
        return ()
    return flaws_of(id_too_long=pc.greater(pc.utf8_length(ids), LONGEST))


def _odd_characters(ids: pa.StringArray) -> tuple[Flaw, ...]:
    if not _may_be_odd(data_bytes(ids)).any():
        return ()
    padded = pc.not_equal(pc.utf8_trim_whitespace(ids), ids)
    return flaws_of(id_whitespace=padded, id_control_character=pc.match_substring_regex(ids, r"\p{Cc}"))


def _may_be_odd(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Find bytes that a blank or a control character begins with in UTF-8: nearly all ids need no second look."""
    odd: npt.NDArray[np.bool_] = (data <= ord(" ")) | (data == 0x7F) | (data == 0xC2) | (data - np.uint8(0xE1) < 3)
    return odd


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sign that a program changed the ids before t1data saw them.

    Parameters
    ----------
    code : {"excel_exponent", "excel_error", "excel_digits", "float_text", "excel_zeros"}
        What was seen.
    count : int
        How many ids show it.
    rows : tuple of int
        The first rows that do, 0-based.
    labels : Labels
        What the rows are called.
    """

    code: str
    count: int
    rows: tuple[int, ...]
    labels: Labels = field(default=BY_NUMBER, repr=False, compare=False)

    @property
    def blocks(self) -> bool:
        """Whether ids are lost for certain, so that nothing is sent; else it is only said."""
        return self.code != "excel_error"  # somebody may really be called so, as others are called NA or null

    @property
    def message(self) -> str:
        """What was seen and what it means, as a sentence without ids."""
        rows = self.labels.listed(self.rows, more=self.count > len(self.rows))
        one, several = SUSPICIONS[self.code]
        said = (one if self.count == 1 else several).format(ids=many(self.count, "id"))
        return f"{said} ({'row' if self.count == 1 else 'rows'} {rows})"


SUSPICIONS = {
    "excel_exponent": (
        "{ids} looks like 1.23E+10: a spreadsheet has shortened it, its digits are gone from this file",
        "{ids} look like 1.23E+10: a spreadsheet has shortened them, their digits are gone from this file",
    ),
    "float_text": (
        "the only id ends in .0: a program has turned a whole number into a floating point number",
        "all {ids} end in .0: a program has turned whole numbers into floating point numbers",
    ),
    "excel_error": (
        "{ids} reads like an error of a spreadsheet, such as #N/A or #REF!; it is sent as it is",
        "{ids} read like errors of a spreadsheet, such as #N/A or #REF!; they are sent as they are",
    ),
    "excel_digits": (
        "{ids} is a number of more than 15 digits in a workbook, which keeps 15: the others are gone",
        "{ids} are numbers of more than 15 digits in a workbook, which keeps 15: the others are gone",
    ),
    "excel_zeros": (
        "the only id of 16 and more digits has zeros after the 15th: a spreadsheet keeps 15 digits",
        "all {ids} of 16 and more digits have zeros after the 15th: a spreadsheet keeps 15 digits, the others are gone"
        " from this file",
    ),
}
"""What each sign means, for one id and for several."""

_SHOWN = 5


class _Sighting:
    """Counts the ids of one kind and keeps the first rows."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: tuple[int, ...] = ()

    def add(self, mask: pa.BooleanArray, rows: npt.NDArray[np.int64]) -> None:
        found = positions(mask)
        self.count += len(found)
        self.rows += tuple(rows[found[: _SHOWN - len(self.rows)]].tolist())


class IdScan:
    """Looks for ids that a program has damaged, over a whole source, slice by slice.

    Parameters
    ----------
    are_excel_numbers : bool
        The ids are numbers of a workbook, which keeps 15 of their digits.
    labels : Labels
        What the rows are called.

    Examples
    --------
    >>> scan = IdScan()
    >>> scan.see(pa.array(["1.23E+10", "17"]), np.array([0, 1]))
    >>> [(suspect.code, suspect.count, suspect.rows) for suspect in scan.suspects()]
    [('excel_exponent', 1, (0,))]
    """

    def __init__(self, *, are_excel_numbers: bool = False, labels: Labels = BY_NUMBER) -> None:
        self._labels = labels
        self._are_excel_numbers = are_excel_numbers
        self._seen = 0
        self._long = 0
        self._sightings = {code: _Sighting() for code in SUSPICIONS}

    def see(self, ids: pa.StringArray, rows: npt.NDArray[np.int64]) -> None:
        """Look at the ids of some rows; null is no id."""
        before = self._seen
        self._seen += len(ids) - ids.null_count
        data = data_bytes(ids)  # a look at the bytes costs a twentieth of a look at each id
        if (data == ord("+")).any() and has_true(pc.match_substring(ids, "E+")):
            self._add("excel_exponent", pc.match_substring_regex(ids, r"^[0-9](\.[0-9]+)?E\+[0-9]+$"), rows)
        if (data == ord("#")).any() and has_true(pc.starts_with(ids, "#")):
            self._add(
                "excel_error", pc.match_substring_regex(ids, r"^#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)$"), rows
            )
        if self._sightings["float_text"].count == before:
            self._add("float_text", pc.match_substring_regex(ids, r"^-?[0-9]+\.0$"), rows)
        if self._are_excel_numbers:
            self._add("excel_digits", pc.match_substring_regex(ids, "^-?[0-9]{16,}$"), rows)
        elif self._sightings["excel_zeros"].count == self._long:
            self._see_long(ids, rows)

    def _see_long(self, ids: pa.StringArray, rows: npt.NDArray[np.int64]) -> None:
        longest = pc.max(pc.binary_length(ids)).as_py()
        if longest is not None and longest >= 16:
            self._long += pc.match_substring_regex(ids, "^[0-9]{16,}$").true_count
            self._add("excel_zeros", pc.match_substring_regex(ids, "^[0-9]{15}0+$"), rows)

    def _add(self, code: str, mask: pa.BooleanArray, rows: npt.NDArray[np.int64]) -> None:
        self._sightings[code].add(mask, rows)

    def suspects(self) -> list[Suspect]:
        """Return what was seen so far."""
        needed = {
            "excel_exponent": 1,
            "excel_error": 1,
            "excel_digits": 1,
            "float_text": self._seen or 1,
            "excel_zeros": max(self._long, 2),
        }
        seen = {code: sighting for code, sighting in self._sightings.items() if sighting.count >= needed[code]}
        return [Suspect(code, sighting.count, sighting.rows, self._labels) for code, sighting in seen.items()]
