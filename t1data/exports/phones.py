"""Phone numbers in the one form that all countries share, E.164."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

import pyarrow as pa

from t1data.errors import InputError

_PLUS = ("+", "\uff0b")


@cache
def need_phonenumbers() -> ModuleType:
    """Return the package that knows the numbering of each country, or raise `InputError` saying how to get it."""
    try:
        return import_module("phonenumbers")
    except ImportError:
        raise InputError(
            "phone numbers need the package phonenumbers: pip install 't1data[ads]', or leave the column out"
        ) from None


def check_region(region: str | None) -> None:
    """Raise `InputError` for a region that has no phone numbers of its own."""
    known = need_phonenumbers().SUPPORTED_REGIONS
    if region is not None and region not in known:
        raise InputError(f"default_region: got {region!r}, valid are two-letter codes of countries such as 'DE'")


def to_e164(numbers: pa.StringArray, regions: pa.StringArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Write phone numbers as E.164, null where a number is not in use in its country or can be read in two ways.

    Parameters
    ----------
    numbers : pyarrow.StringArray
        As people write them.
    regions : pyarrow.StringArray
        For each the country whose habits of writing apply when it has no ``+``, null when none is known.

    Returns
    -------
    numbers : pyarrow.StringArray
        With a plus.
    unclear : pyarrow.BooleanArray
        Which could be numbers with or without their country code: to take one for the other would find somebody else.

    Examples
    --------
    >>> numbers = pa.array(["0151 23456789", "+44 20 7946 0958", "123", "4915123456789"])
    >>> found, unclear = to_e164(numbers, pa.array(["DE", None, None, "DE"]))
    >>> found.to_pylist(), unclear.to_pylist()
    (['+4915123456789', '+442079460958', None, None], [False, False, False, True])
    """
    pairs = zip(numbers.to_pylist(), regions.to_pylist(), strict=True)
    readings = [_readings(number, region) if number else set() for number, region in pairs]
    found = [next(iter(reading)) if len(reading) == 1 else None for reading in readings]
    return pa.array(found, pa.string()), pa.array([len(reading) > 1 for reading in readings], pa.bool_())


def _readings(number: str, region: str | None) -> set[str]:
    """Return the numbers that may be meant; ``4915…`` is one of Germany with its code, and one of a town there."""
    found = {_e164(number, region)}
    if region is not None and not number.lstrip().startswith(_PLUS) and _begins_with_code(number, region):
        found.add(_e164(f"+{number}", None))
    return {reading for reading in found if reading is not None}


def _begins_with_code(number: str, region: str) -> bool:
    code = need_phonenumbers().country_code_for_region(region)
    return bool(code) and "".join(filter(str.isdigit, number)).startswith(str(code))


def _e164(number: str, region: str | None) -> str | None:
    library = need_phonenumbers()
    try:
        parsed = library.parse(number, region)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(parsed):
        return None
    return str(library.format_number(parsed, library.PhoneNumberFormat.E164))
