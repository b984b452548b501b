"""Reading what a caller sent: every fault is collected with a pointer, then one 400 names them all.

A reader never raises for a wrong value. It notes the fault and returns the default; `Faults.stop` raises at the
end, before anything is written. ``null`` counts as absent, as it does for Talon.One's own optional fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from t1data.sandbox.core import Account, Call, Refusal, dump, fault, invalid, invalid_all

LONGEST_ID = 1000
LARGEST_ID = 2**63 - 1
LARGEST_NUMBER = 1.7976931348623157e308
MOST_FAULTS_TOLD = 1000
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))\Z", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


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
            limits = f"at least {least}" if len(value) < least else f"at most {most}"
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


def text_fault(value: object, *, least: int = 0, most: int | None = None) -> str | None:
    """Return what is wrong with a string, or None."""
    if not isinstance(value, str):
        return "must be a string"
    if len(value) < least:
        return f"must have at least {least} characters"
    if most is not None and len(value) > most:
        return f"must have at most {most} characters"
    return None if is_text(value) else "must be valid Unicode"


def is_text(value: object) -> bool:
    """Return whether this is a string that UTF-8 can carry: a lone surrogate is none."""
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(value: object) -> bool:
    """Return whether this is a number that fits Talon.One's float64; NaN and infinities are none."""
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return value.is_finite() and -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    return isinstance(value, int | float) and -LARGEST_NUMBER <= value <= LARGEST_NUMBER


def as_integer(value: object) -> int | None:
    """Return the integer that a JSON value stands for, or None; ids must fit 64 bits."""
    if not is_number(value) or not -LARGEST_ID <= value <= LARGEST_ID:  # type: ignore[operator]
        return None
    whole = int(value)  # type: ignore[call-overload]
    return whole if whole == value else None


def is_time(value: object) -> bool:
    """Return whether this is an RFC 3339 time with a date, a time and an offset."""
    return isinstance(value, str) and _read_time(value) is not None


def moment(text: str) -> datetime:
    """Return the instant that an RFC 3339 time names, cut to microseconds."""
    instant = _read_time(text)
    if instant is None:
        raise ValueError("not a time by RFC 3339")
    return instant


def _read_time(text: str) -> datetime | None:
    found = _TIME.match(text)
    if found is None:
        return None
    date, clock, fraction, offset = found.groups()
    try:
        instant = datetime.fromisoformat(f"{date}T{clock}.{(fraction or '0')[:6].ljust(6, '0')}{offset or '+00:00'}")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def show(value: object) -> str:
    """Return a value as the literal texts show it, short."""
    if isinstance(value, list | dict):
        return "[...]" if isinstance(value, list) else "{...}"
    if not (value is None or isinstance(value, str | bool) or is_number(value)):
        return "a number out of range"  # its own text may be too long to write at all
    text = dump(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def flag(call: Call, name: str, *, default: bool = False) -> bool:
    """Return a boolean query value: true or false in any case, 1 or 0 (one SDK sends ``True``)."""
    text = call.query.get(name)
    if text is None:
        return default
    if text.lower() not in _BOOLEANS:
        raise bad_parameter(name, "must be true or false")
    return _BOOLEANS[text.lower()]


def word(call: Call, name: str) -> str | None:
    """Return a query value as it is."""
    text = call.query.get(name)
    if text is not None and not is_text(text):
        raise bad_parameter(name, "must be valid Unicode")
    return text


def silent(call: Call) -> bool:
    """Return the query value ``silent``: yes unless the caller says no."""
    text = call.query.get("silent", "yes")
    if text not in ("yes", "no"):
        raise bad_parameter("silent", 'must be "yes" or "no"')
    return text == "yes"


def whole(call: Call, name: str, *, default: int, least: int, most: int = LARGEST_ID) -> int:
    """Return an integer query value."""
    text = call.query.get(name)
    if text is None:
        return default
    number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
    if number is None or not least <= number <= most:
        raise bad_parameter(name, f"must be an integer from {least} to {most}")
    return number


def instant_of(call: Call, name: str) -> str | None:
    """Return a time of the query as RFC 3339 in UTC with microseconds, the form that the store compares."""
    text = call.query.get(name)
    if text is None:
        return None
    if not is_time(text):
        raise bad_parameter(name, "must be a time by RFC 3339")
    return moment(text).isoformat(timespec="microseconds").replace("+00:00", "Z")


def path_id(call: Call, name: str) -> int:
    """Return an integer of the path; anything else names nothing, so it is a 404."""
    text = call.path.get(name, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise not_found(f"{name} {show(text)}")
    return int(text)


def bad_parameter(name: str, details: str) -> Refusal:
    """Return the 400 for a query value."""
    error = {"title": "Invalid value", "details": f"{name} {details}", "source": {"parameter": name}}
    return invalid_all([error])


def not_found(what: str) -> Refusal:
    """Return the 404 for something that the account does not have."""
    return Refusal(404, f"{what} does not exist")
