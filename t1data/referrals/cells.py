"""The cells of columns that are terms: each as JSON text, or as a flaw that keeps its row from being sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from t1data.referrals.terms import MOST_USES, PATTERN_LENGTHS, are_single
from t1data.tables.strings import NONE, text, texts, without
from t1data.tables.tokens import Flaw, flaws_of
from t1data.tables.values import Reading, tokens_of

Cells = tuple[pa.StringArray, tuple[Flaw, ...]]

_MOMENT = pa.timestamp("us")


def read_cells(array: pa.Array, reading: Reading, *, name: str) -> Cells:
    """Return the cells of a column as JSON text, null where there is no value or a flaw, and the flaws.

    Parameters
    ----------
    array : pyarrow.Array
        The column.
    reading : Reading
        What its cells are.
    name : str
        Of the term, which says what else must be true of them.

    Examples
    --------
    >>> cells, flaws = read_cells(texts(["5", "-1", None]), Reading("number"), name="usage_limit")
    >>> cells.to_pylist(), flaws[0].code
    (['5', None, None], 'bad_usage_limit')
    """
    tokens = tokens_of(array, reading)
    cells = tokens.wrapped()
    for flaw in tokens.flaws:
        cells = without(cells, flaw.at)
    if name not in _CHECKS:
        return cells, tokens.flaws
    code, check = _CHECKS[name]
    checked = _by_value(cells, check)
    return checked, (*tokens.flaws, *flaws_of(**{code: pc.and_(cells.is_valid(), checked.is_null())}))


def moments_of(cells: pa.StringArray) -> pa.TimestampArray:
    """Return times that are JSON text in UTC as times."""
    return pc.utf8_trim(cells, '"Z').cast(_MOMENT)


def moment_of(moment: datetime) -> pa.TimestampScalar:
    """Return one time as Arrow compares it with `moments_of`."""
    return text(moment.astimezone(UTC).replace(tzinfo=None).isoformat()).cast(_MOMENT)


def _by_value(cells: pa.StringArray, check: Callable[[str], str | None]) -> pa.StringArray:
    """Put in place of each cell what is made of its value, once for each distinct one; None for what cannot be."""
    coded = cells.dictionary_encode()
    made = texts([None if value is None else check(value) for value in coded.dictionary.to_pylist()])
    return made.take(coded.indices) if len(made) else pc.if_else(cells.is_null(), NONE, cells)


def _uses(number: str) -> str | None:
    uses = Decimal(number)
    whole = 0 <= uses <= MOST_USES and uses == uses.to_integral_value()
    return str(int(uses)) if whole else None


def _pattern(value: str) -> str | None:
    return value if len(json.loads(value)) in PATTERN_LENGTHS else None


def _characters(value: str) -> str | None:
    """Take single characters as a list, or as one text of them all."""
    given = json.loads(value)
    if isinstance(given, str) and given.startswith("["):  # a list as a text file holds it
        given = _loaded(given)
    characters = list(given) if isinstance(given, str | list) else []
    return json.dumps(characters, ensure_ascii=False) if are_single(characters) else None


def _object(value: str) -> str | None:
    return value if isinstance(_loaded(value), dict) else None


def _loaded(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return None


_CHECKS: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "usage_limit": ("bad_usage_limit", _uses),
    "pattern": ("bad_pattern", _pattern),
    "valid_characters": ("bad_characters", _characters),
    "attributes": ("not_an_object", _object),
}
