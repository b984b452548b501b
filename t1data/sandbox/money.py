"""Exact sums: enough digits that no total of a legal cart is ever rounded."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

LARGEST_PRICE = 10**15
MOST_DECIMALS = 30

# 15 digits before the point, 4 for a quantity, 30 after it, 12 more for a percentage: far below 120.
EXACT = Context(prec=120)


def exact(value: Any) -> Decimal:
    """Return a number as a decimal, with the digits that it was written with.

    Examples
    --------
    >>> exact(0.1)
    Decimal('0.1')
    """
    return value if isinstance(value, Decimal) else Decimal(str(value))


def add_up(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum, 0 for none."""
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


def times(value: Decimal, factor: int | Decimal) -> Decimal:
    """Return the exact product."""
    return EXACT.multiply(value, Decimal(factor))


def is_price(value: Any) -> bool:
    """Return whether a number is small and short enough to be summed exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    number = exact(value)
    if not number.is_finite() or abs(number) > LARGEST_PRICE:
        return False
    return int(number.as_tuple().exponent) >= -MOST_DECIMALS
