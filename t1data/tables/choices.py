"""What a caller says about columns, held against the columns that are there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from t1data.errors import InputError

ID = "integration_id"
_ID_ELSEWHERE = ("integrationId", "integrationid", "profileintegrationid")
"""Names that Talon.One's own exports and answers give to the same column."""

_ATTRIBUTE = re.compile(r"[A-Za-z]\w*", re.ASCII)
_LISTED = 40


def listing(names: Iterable[str]) -> str:
    """Return names for a message, quoted, and no more than a person reads."""
    names = [repr(name) for name in names]
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "") if names else "none"


def require_known(what: str, given: Iterable[str], *, valid: Collection[str]) -> None:
    """Raise `InputError` when a name is not among the valid ones, naming all that are not.

    Examples
    --------
    >>> require_known("types", ["age"], valid=["age", "tier"])
    """
    known = set(valid)  # a table may have thousands of columns
    unknown = [name for name in given if not (isinstance(name, Hashable) and name in known)]
    if unknown:
        raise InputError(f"{what}: got {listing(unknown)}, valid are {listing(valid)}{_close(unknown, valid)}")


def _close(unknown: Iterable[str], valid: Collection[str]) -> str:
    pairs = [(name, get_close_matches(str(name), list(valid), n=1)) for name in unknown]
    hints = [f"{match[0]!r} for {name!r}" for name, match in pairs if match]
    return f"; did you mean {', '.join(hints[:5])}?" if hints else ""


def choose_id(names: Sequence[str], wanted: str = ID, *, parameter: str = "id") -> str:
    """Return the id column.

    When the default name is not there, one column named as Talon.One names it in its answers and exports is
    taken instead (``integrationId``, ``integrationid``, ``profileintegrationid``). `parameter` is what the caller of
    the job would name it by.

    Examples
    --------
    >>> choose_id(["profileintegrationid", "tier"])
    'profileintegrationid'
    """
    if wanted in names:
        return wanted
    others = [name for name in names if name in _ID_ELSEWHERE] if wanted == ID else []
    if len(others) == 1:
        return others[0]
    hint = "" if wanted != ID else f'; name the column that holds the customers\' ids: {parameter}="…"'
    raise InputError(f"{parameter}: there is no column {wanted!r}, the columns are {listing(names)}{hint}")


def choose_attributes(
    names: Sequence[str], id_column: str, attributes: Sequence[str] | Mapping[str, str] | None
) -> dict[str, str]:
    """Return column → attribute, in the order in which they are sent.

    Parameters
    ----------
    names : sequence of str
        The source's columns.
    id_column : str
        Sent as an attribute too only when `attributes` names it.
    attributes : sequence or mapping of str, optional
        Columns whose names are the attributes' names, or column → attribute; by default all columns but the id.

    Examples
    --------
    >>> choose_attributes(["id", "First Name"], "id", {"First Name": "FirstName"})
    {'First Name': 'FirstName'}
    """
    if isinstance(attributes, str):
        raise InputError(f"attributes: got {attributes!r}, valid are a list of columns or a mapping column → attribute")
    if attributes is None:
        attributes = [name for name in names if name != id_column]
    chosen = list(attributes)
    require_known("attributes", chosen, valid=names)
    _require_once("attributes: these columns are named twice", chosen)
    mapping = dict(attributes) if isinstance(attributes, Mapping) else {name: name for name in chosen}
    mend = 'map the columns to attributes: attributes={"First Name": "FirstName"}, or leave them out'
    check_names(mapping.values(), mend=mend)
    _require_once("attributes: two columns would be sent as one attribute", mapping.values())
    return mapping


def check_names(attributes: Iterable[str], *, mend: str = "") -> None:
    """Raise `InputError` when a name cannot be an attribute's; `mend` says what to do where that is a column's."""
    wrong = [name for name in attributes if not (isinstance(name, str) and _ATTRIBUTE.fullmatch(name))]
    if wrong:
        raise InputError(
            f"attributes: got {listing(wrong)}, valid are names of letters, digits and _ that begin with a letter"
            + (f"; {mend}" if mend else "")
        )


def _require_once(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{what}: {listing(twice)}")
