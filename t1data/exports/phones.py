"""Phone numbers in the one form that all countries share, E.164."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

import pyarrow as pa

from t1data.errors import InputError


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


def to_e164(numbers: pa.StringArray, regions: pa.StringArray) -> pa.StringArray:
    """Write phone numbers as E.164, null where a number is not in use in its country.

    Parameters
    ----------
    numbers : pyarrow.StringArray
        As people write them.
    regions : pyarrow.StringArray
        For each the country whose habits of writing apply when it has no ``+``, null when none is known.

    Examples
    --------
    >>> to_e164(pa.array(["0151 23456789", "+44 20 7946 0958", "123"]), pa.array(["DE", None, None])).to_pylist()
    ['+4915123456789', '+442079460958', None]
    """
    pairs = zip(numbers.to_pylist(), regions.to_pylist(), strict=True)
    return pa.array([None if number is None else _e164(number, region) for number, region in pairs], pa.string())


def _e164(number: str, region: str | None) -> str | None:
    library = need_phonenumbers()
    try:
        parsed = library.parse(number, region)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(parsed):
        return None
    return str(library.format_number(parsed, library.PhoneNumberFormat.E164))
