"""``t1data audiences``: who is in an audience, what would change, and changing it."""

from __future__ import annotations

import click


@click.group()
def audiences() -> None:
    """Compare, plan and change audiences.

    AUDIENCE is an audience's number, or its name when there is a management key.
    """
