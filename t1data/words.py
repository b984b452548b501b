"""Words for all that is said to people: numbers with their nouns, and plain text where pages want HTML."""

from __future__ import annotations

import html


def many(count: int, noun: str, *, plural: str = "") -> str:
    """Return a number and its noun.

    Examples
    --------
    >>> many(1, "row"), many(2000, "row"), many(0, "inventory", plural="inventories")
    ('1 row', '2,000 rows', '0 inventories')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def paragraph(text: str) -> str:
    """Return a text as HTML.

    Examples
    --------
    >>> paragraph("Client(<shop>)")
    '<p>Client(&lt;shop&gt;)</p>'
    """
    return f"<p>{html.escape(text)}</p>"
