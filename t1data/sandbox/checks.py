"""Reading what a caller sent: every fault is collected with a pointer, then one 400 names them all.

A reader never raises for a wrong value. It notes the fault and returns the default; `Faults.stop` raises at the
end, before anything is written. ``null`` counts as absent, as it does for Talon.One's own optional fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from t1data.sandbox.core import Account, Call, fault, invalid, invalid_all
from t1data.sandbox.values import LARGEST_ID, as_integer, is_number, is_time, text_fault

MOST_FAULTS_TOLD = 1000


class Faults:
    """The faults found so far in one body.

    Parameters
    ----------
    pointed : bool
        False keeps the faults from the answer, as `Options.point_at_faults` asks.
    """

    def __init__(self, *, pointed: bool = True) -> None:
        self.items: list[dict[str, Any]] = []
        self._pointed = pointed

    def add(self, title: str, details: str, pointer: str) -> None:
        """Note one fault."""
        self.items.append(fault(title, details, pointer))

    def stop(self) -> None:
        """Raise the 400 for all the faults; do nothing when there are none."""
        if self.items:
            raise invalid_all(self.items[:MOST_FAULTS_TOLD] if self._pointed else [])


@dataclass(frozen=True)
class Body:
    """One JSON object of a body, the place where it stands, and where its faults go."""

    value: Mapping[str, Any]
    pointer: str = ""
    faults: Faults = field(default_factory=Faults)

    def at(self, name: str | int) -> str:
        """Return the JSON pointer of a member."""
        return step(self.pointer, name)

    def has(self, name: str) -> bool:
        """Return whether the member is there and not null."""
        return self.value.get(name) is not None

    def text(self, name: str, *, required: bool = False, least: int = 0, most: int | None = None) -> str | None:
        """Return a string member."""
        value = self._get(name, required)
        wrong = None if value is None else text_fault(value, least=least, most=most)
        if wrong is not None:
            self.faults.add("Invalid value", f"{name} {wrong}", self.at(name))
            return None
        return value if value is None else str(value)

    def choice(self, name: str, allowed: tuple[str, ...], *, required: bool = False) -> str | None:
        """Return a string member that must be one of a few words."""
        value = self._get(name, required)
        if value is None or (isinstance(value, str) and value in allowed):
            return value
        words = ", ".join(f'"{word}"' for word in allowed)
        self.faults.add("enum", f"{name} must be one of the following: {words}", self.at(name))
        return None

    def integer(
        self, name: str, *, required: bool = False, least: int = -LARGEST_ID, most: int = LARGEST_ID
    ) -> int | None:
        """Return an integer member; ``6.0`` counts as 6."""
        value = self._get(name, required)
        number = None if value is None else as_integer(value)
        if value is not None and (number is None or not least <= number <= most):
            limits = "" if least == -LARGEST_ID else f" from {least} to {most}"
            self.faults.add("Invalid value", f"{name} must be an integer{limits}", self.at(name))
            return None
        return number

    def number(
        self, name: str, *, required: bool = False, least: float | None = None, most: float | None = None
    ) -> int | Decimal | None:
        """Return a number member, exact."""
        value = self._get(name, required)
        if value is None:
            return None
        if not is_number(value):
            self.faults.add("Invalid value", f"{name} must be a number", self.at(name))
            return None
        if (least is not None and value < least) or (most is not None and value > most):
            self.faults.add("Invalid value", f"{name} is out of bounds", self.at(name))
            return None
        return Decimal(repr(value)) if isinstance(value, float) else value

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean member."""
        value = self.value.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.faults.add("Invalid value", f"{name} must be true or false", self.at(name))
        return default

    def time(self, name: str) -> str | None:
        """Return an RFC 3339 time as it was written."""
        value = self._get(name, False)
        if value is None or is_time(value):
            return None if value is None else str(value)
        self.faults.add("Invalid value", f"{name} must be a time by RFC 3339", self.at(name))
        return None

    def mapping(self, name: str, *, required: bool = False) -> dict[str, Any]:
        """Return an object member, empty when absent."""
        value = self._get(name, required)
        if value is None or isinstance(value, dict):
            return value or {}
        self.faults.add("Invalid value", f"{name} must be an object", self.at(name))
        return {}

    def part(self, name: str, *, required: bool = False) -> Body:
        """Return an object member as a body of its own."""
        return Body(self.mapping(name, required=required), self.at(name), self.faults)

    def array(self, name: str, *, required: bool = False, least: int = 0, most: int | None = None) -> list[Any]:
        """Return an array member, empty when absent."""
        value = self._get(name, required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.faults.add("Invalid value", f"{name} must be an array", self.at(name))
            return []
        if len(value) < least or (most is not None and len(value) > most):
            limits = f"from {least} to {most}" if most is not None else f"at least {least}"
            self.faults.add("Invalid value", f"{name} must have {limits} items", self.at(name))
            return []
        return value

    def texts(
        self,
        name: str,
        *,
        required: bool = False,
        least: int = 0,
        most: int | None = None,
        shortest: int = 0,
        longest: int | None = None,
    ) -> list[str]:
        """Return an array of strings; `shortest` and `longest` limit each string."""
        values = self.array(name, required=required, least=least, most=most)
        for index, value in enumerate(values):
            wrong = text_fault(value, least=shortest, most=longest)
            if wrong is not None:
                self.faults.add("Invalid value", f"Each of {name} {wrong}", step(self.at(name), index))
        return values

    def integers(self, name: str, *, required: bool = False, most: int | None = None) -> list[int]:
        """Return an array of integers."""
        values = self.array(name, required=required, most=most)
        numbers = [as_integer(value) for value in values]
        for index, number in enumerate(numbers):
            if number is None:
                self.faults.add("Invalid value", f"Each of {name} must be an integer", step(self.at(name), index))
        return [number for number in numbers if number is not None]

    def parts(self, name: str, *, required: bool = False, least: int = 0, most: int | None = None) -> Iterator[Body]:
        """Yield each object of an array as a body of its own; note the items that are no objects."""
        for index, value in enumerate(self.array(name, required=required, least=least, most=most)):
            pointer = step(self.at(name), index)
            if isinstance(value, dict):
                yield Body(value, pointer, self.faults)
            else:
                self.faults.add("Invalid value", f"Each of {name} must be an object", pointer)

    def _get(self, name: str, required: bool) -> Any:
        value = self.value.get(name)
        if value is None and required:
            self.faults.add("Missing value", f"{name} is required", self.at(name))
        return value


def read_body(account: Account, call: Call) -> Body:
    """Return the body of a call, which must be a JSON object."""
    if not isinstance(call.body, dict):
        raise invalid("Invalid value", "The body must be a JSON object", "")
    return Body(call.body, "", Faults(pointed=account.options.point_at_faults))


def step(pointer: str, name: str | int) -> str:
    """Return the JSON pointer one step further down (RFC 6901)."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
