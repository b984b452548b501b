"""Customers as the server has them, held against the rows of the file they came from, field by field."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.words import many

if TYPE_CHECKING:
    from t1data.client import Client

_ID = "integration_id"
_SHOWN = 5


@dataclass(frozen=True)
class Comparison:
    """What was compared, and where file and server differ.

    Attributes
    ----------
    customers, fields, empty : int
        Customers read back; fields compared; how many of these have no value in the file and none on the server.
    differences : tuple of str
        A sentence for each field that is not the same.
    """

    customers: int
    fields: int
    empty: int
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether file and server say the same."""
        return not self.differences

    def lines(self) -> list[str]:
        """Return the comparison in words."""
        empty = f"{self.empty:,} of them empty on both sides"
        counts = f"{many(self.customers, 'customer')}, {many(self.fields, 'field')} ({empty})"
        if self.same:
            return [f"{counts}: every one is what the file says"]
        more = [f"and {len(self.differences) - _SHOWN} more"] if len(self.differences) > _SHOWN else []
        return [f"{counts}: {len(self.differences)} differ", *self.differences[:_SHOWN], *more]


def compare(client: Client, file: Path, *, customers: int) -> Comparison:
    """Read customers that are spread evenly over a CSV file back from the server, and compare each field.

    The file is read with the standard library's reader: what t1data's own reader would get wrong must show.
    """
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    number = min(customers, len(rows))
    chosen = [rows[place * (len(rows) - 1) // max(number - 1, 1)] for place in range(number)]
    differences: list[str] = []
    for row in chosen:
        profile = client.get_customer_inventory(row[_ID], profile=True)["profile"]
        differences += _differences(row, profile)
    cells = [value for row in chosen for value in row.values()]
    return Comparison(len(chosen), len(cells), cells.count(""), tuple(differences))


def _differences(row: Mapping[str, str], profile: Mapping[str, Any]) -> list[str]:
    found = {_ID: profile["integrationId"], **profile["attributes"]}
    return [
        f"{row[_ID]}: {name} is {cell!r} in the file and {found.get(name)!r} on the server"
        for name, cell in row.items()
        if not says_the_same(cell, found.get(name))
    ]


def says_the_same(cell: str, value: Any) -> bool:
    """Tell whether a cell and a value from the server mean the same.

    Examples
    --------
    >>> says_the_same("89.00", 89.0), says_the_same("00002", 2), says_the_same("", None)
    (True, False, True)
    """
    if value is None or isinstance(value, bool):
        return cell == {None: "", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _is_number(cell, value)
    return cell == value or _moment(cell) == _moment(value) is not None


def _is_number(cell: str, value: float) -> bool:
    if cell[:1] == "0" and cell[1:2].isdigit():
        return False  # an id that lost its zeros on the way
    try:
        return Decimal(cell) == Decimal(repr(value))
    except InvalidOperation:
        return False


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
