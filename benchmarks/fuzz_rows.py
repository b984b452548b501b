"""What may become of one row, in words that the package's results and the oracles' are both put into."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sent:
    """The row goes out, with these values."""

    id: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Invalid:
    """The row does not go out; each of these codes is a true reason."""

    codes: frozenset[str]


@dataclass(frozen=True)
class Same:
    """An equal row goes out in its place."""

    row: int


Due = Sent | Invalid | Same


def resolve_twins(rows: dict[int, Due]) -> dict[int, Due]:
    """Settle rows of one id: equal ones go out once, of those that contradict each other none does."""
    by_id: defaultdict[str, list[int]] = defaultdict(list)
    for row, due in rows.items():
        if isinstance(due, Sent):
            by_id[due.id].append(row)
    settled = dict(rows)
    for first, *others in by_id.values():
        equal = len({repr(sorted(_sent(rows[row]).attributes.items())) for row in (first, *others)}) == 1
        for row in others if equal else [first, *others] if others else []:
            settled[row] = Same(first) if equal else Invalid(frozenset({"duplicate_id"}))
    return settled


def agrees(found: Due | None, due: Due) -> bool:
    """Whether what the package made of a row is what is due; of several true reasons it may name any."""
    if isinstance(found, Invalid) and isinstance(due, Invalid):
        return bool(found.codes) and found.codes <= due.codes
    return found == due


def _sent(due: Due) -> Sent:
    assert isinstance(due, Sent)
    return due
