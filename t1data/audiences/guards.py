"""What keeps an audience from being emptied by mistake: an empty file, or one that is suddenly small."""

from __future__ import annotations

from t1data.errors import InputError
from t1data.words import many

MOST = 1000  # members
SHARE = 0.1  # of an audience


def check_removals(removed: int, members: int | None, *, max_removed: int | None, what: str) -> None:
    """Raise unless it was said that so many members may be taken out.

    Parameters
    ----------
    removed : int
        How many would be.
    members : int, optional
        How many there are, if anybody knows.
    max_removed : int, optional
        How many may be; without it `MOST` of them, and a `SHARE` of the members.
    what : str
        What would take them out, for the message.

    Raises
    ------
    InputError
        With the number that is to be confirmed.

    Examples
    --------
    >>> check_removals(90, 1000, max_removed=None, what="the plan")
    >>> check_removals(90, 100, max_removed=90, what="the plan")
    """
    if max_removed is not None:
        if isinstance(max_removed, bool) or not isinstance(max_removed, int) or max_removed < 0:
            raise InputError(f"max_removed: got {max_removed!r}, valid is a number of members, 0 or more")
        fits = removed <= max_removed
    else:
        fits = removed <= MOST and (members is None or removed <= SHARE * members)
    if not fits:
        out = many(removed, "member") if members is None else f"{removed:,} of {many(members, 'member')}"
        raise InputError(f"{what} would take out {out}. If that is meant, say max_removed={removed}. Nothing was sent")
