"""What people type after an option → what the public functions take. A ValueError says what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NoReturn

_FIRST_SIGN = re.compile(r"((?:\\=|[^=])+?)(?<!\\)=(.*)", re.DOTALL)


def attributes(typed: Sequence[str]) -> dict[str, str]:
    """Read ``COLUMN`` and ``COLUMN=ATTRIBUTE``.

    Examples
    --------
    >>> attributes(["Age", "zip=PostalCode"])
    {'Age': 'Age', 'zip': 'PostalCode'}
    """
    return _unique((text.rpartition("=")[::2] if "=" in text else (text, text)) for text in typed)


def types(typed: Sequence[str]) -> dict[str, str]:
    """Read ``COLUMN=TYPE``."""
    return _unique(_parted_last(text, "COLUMN=TYPE") for text in typed)


def defaults(typed: Sequence[str]) -> dict[str, str]:
    r"""Read ``COLUMN=VALUE``; the value is text, as a cell is. A ``=`` in the column's name is written ``\=``.

    Examples
    --------
    >>> defaults([r"a\=b=c=d"])
    {'a=b': 'c=d'}
    """
    return _unique(_parted(text, "COLUMN=VALUE") for text in typed)


def constants(typed: Sequence[str]) -> dict[str, Any]:
    """Read ``ATTRIBUTE=VALUE``; the value as JSON if it is that, else as text.

    Examples
    --------
    >>> constants(["Tier=3", "Source=import 2026", 'Zip="01234"', "Old=01234"])
    {'Tier': 3, 'Source': 'import 2026', 'Zip': '01234', 'Old': '01234'}
    """
    pairs = _unique(_parted(text, "ATTRIBUTE=VALUE") for text in typed)
    return {name: _json_or_text(text) for name, text in pairs.items()}


def missing(typed: Sequence[str]) -> str | dict[str, str]:
    """Read one word for all columns, or ``COLUMN=WORD`` for some."""
    if len(typed) == 1 and "=" not in typed[0]:
        return _word(typed[0])
    if any("=" not in text for text in typed):
        raise ValueError("give one word for all columns, or COLUMN=omit and COLUMN=clear for some")
    pairs = _unique(text.rpartition("=")[::2] for text in typed)
    return {column: _word(word) for column, word in pairs.items()}


def delimiter(typed: str) -> str:
    r"""Read a delimiter, where ``\t`` is a tab: few shells let one type it."""
    return "\t" if typed == "\\t" else typed


def by_input(typed: Sequence[str]) -> str | dict[str, str]:
    """Read one word for all inputs, or ``INPUT=WORD`` for some.

    Examples
    --------
    >>> by_input(["cp1252"]), by_input(["before=cp1252", "after=utf-16"])
    ('cp1252', {'before': 'cp1252', 'after': 'utf-16'})
    """
    pairs = [text.partition("=") for text in typed]
    if len(pairs) == 1 and not (pairs[0][0] and pairs[0][1]):
        return typed[0]
    if not all(name and sign for name, sign, _ in pairs):
        raise ValueError("give one for all inputs, or INPUT=… for some")
    return _unique((name, word) for name, _, word in pairs)


def delimiter_by_input(typed: Sequence[str]) -> str | dict[str, str]:
    """Read one delimiter for all inputs, or ``INPUT=DELIMITER`` for some."""
    found = by_input(typed)
    return delimiter(found) if isinstance(found, str) else {name: delimiter(each) for name, each in found.items()}


def rate(typed: str) -> float | None:
    """Read requests a second, or ``none``."""
    if typed.lower() == "none":
        return None
    try:
        number = float(typed)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{typed!r} is no number above 0, and not 'none'")
    return number


def _word(text: str) -> str:
    if text not in ("omit", "clear"):
        raise ValueError(f"{text!r} is neither omit nor clear")
    return text


def _parted(text: str, form: str) -> tuple[str, str]:
    found = _FIRST_SIGN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form {form}")
    return found[1].replace("\\=", "="), found[2]


def _parted_last(text: str, form: str) -> tuple[str, str]:
    """Part at the last ``=``: a column's name may hold one, a type does not."""
    name, _, value = text.rpartition("=")
    if not name:
        raise ValueError(f"{text!r} is not of the form {form}")
    return name, value


def _unique(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is given twice")
        found[name] = value
    return found


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)  # NaN and Infinity, which Python's parser takes, are no JSON
