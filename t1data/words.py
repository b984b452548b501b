"""Numbers with their nouns, for all that is said to people."""

from __future__ import annotations


def many(count: int, noun: str, *, plural: str = "") -> str:
    """Return a number and its noun.

    Examples
    --------
    >>> many(1, "row"), many(2000, "row"), many(0, "inventory", plural="inventories")
    ('1 row', '2,000 rows', '0 inventories')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
