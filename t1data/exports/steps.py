"""Small steps by which a cell comes to the form that an ad platform hashes, a whole column at a time."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.strings import data_bytes, has_true

Step = Callable[[pa.StringArray], pa.StringArray]

_GMAIL = r"@(gmail|googlemail)\.com$"


def trim(cells: pa.StringArray) -> pa.StringArray:
    """Take blanks and line breaks of any kind from both ends."""
    return pc.utf8_trim_whitespace(cells)


def lower(cells: pa.StringArray) -> pa.StringArray:
    """Lower the case and compose the characters (NFC).

    Python's own rules apply beyond ASCII: Arrow's know nothing of a final sigma or a dotted capital I.
    """
    if _is_ascii(cells):
        return pc.ascii_lower(cells)
    return _each(cells, lambda cell: unicodedata.normalize("NFC", cell.lower()))


def upper(cells: pa.StringArray) -> pa.StringArray:
    """Raise the case of ASCII letters."""
    return pc.ascii_upper(cells)


def without_blanks(cells: pa.StringArray) -> pa.StringArray:
    """Take out blanks and line breaks of any kind, wherever they stand."""
    return pc.replace_substring_regex(cells, r"[\s\p{Z}\x{0B}\x{85}]+", "")


def letters(cells: pa.StringArray) -> pa.StringArray:
    """Keep letters alone, of any script, with their accents."""
    return pc.replace_substring_regex(cells, r"[^\p{L}\p{M}]+", "")


def short_gmail(cells: pa.StringArray) -> pa.StringArray:
    """Take the dots and what follows a plus from the user part of Gmail addresses, which Gmail does not look at.

    Examples
    --------
    >>> short_gmail(pa.array(["a.b.c+shop@gmail.com", "a.b+shop@example.com"])).to_pylist()
    ['abc@gmail.com', 'a.b+shop@example.com']
    """
    at_gmail = pc.match_substring_regex(cells, _GMAIL)
    if not has_true(at_gmail):
        return cells
    user = pc.replace_substring_regex(cells, r"(\+[^@]*)?@[^@]*$", "")
    host = pc.replace_substring_regex(cells, r"^.*@", "@")
    short = pc.binary_join_element_wise(pc.replace_substring(user, ".", ""), host, "")
    return pc.if_else(at_gmail, short, cells)


def without_plus(cells: pa.StringArray) -> pa.StringArray:
    """Take the plus from the beginning of a phone number."""
    return pc.replace_substring_regex(cells, r"^\+", "")


def short_zip(cells: pa.StringArray) -> pa.StringArray:
    """Keep the first five digits of a long ZIP code of the United States."""
    return pc.replace_substring_regex(cells, r"^([0-9]{5})-[0-9]{4}$", r"\1")


def date_digits(cells: pa.StringArray) -> pa.StringArray:
    """Write dates in ISO form, with or without a time of day, as eight digits."""
    return pc.replace_substring_regex(cells, r"^([0-9]{4})-([0-9]{2})-([0-9]{2})([T ].*)?$", r"\1\2\3")


def two_digits(cells: pa.StringArray) -> pa.StringArray:
    """Put a zero before a single digit."""
    return pc.replace_substring_regex(cells, r"^([0-9])$", r"0\1")


def one_letter(cells: pa.StringArray) -> pa.StringArray:
    """Write ``female`` and ``male`` as ``f`` and ``m``."""
    return pc.replace_substring_regex(cells, r"^(f|m)(emale|ale)$", r"\1")


def without_zero_id(cells: pa.StringArray) -> pa.StringArray:
    """Empty the device id of all zeros, which phones give when their owner does not want to be followed."""
    return pc.replace_substring_regex(cells, r"^[0-]+$", "")


def _is_ascii(cells: pa.StringArray) -> bool:
    data = data_bytes(cells)
    return not data.size or int(data.max()) < 128


def _each(cells: pa.StringArray, change: Callable[[str], str]) -> pa.StringArray:
    return pa.array([None if cell is None else change(cell) for cell in cells.to_pylist()], pa.string())
