"""States of an audience as real ones are: ids missing, doubled or damaged, cells missing; and what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.diff_rows import SEED, TIERS, Numbers, changed_place, ids, mixed, numbers_of

Mask = npt.NDArray[np.bool_]

DAMAGES: Final = ("case", "space", "invisible characters", "leading zeros")
_OTHER_VISITS: Final = 5000  # what the second row of a customer has more where the two do not agree


@dataclass(frozen=True)
class Fates:
    """What befell customers in one state, as masks.

    Attributes
    ----------
    missing : ids that are not there, null or empty
    doubled : ids in two rows
    conflicting : of these, with other cells
    damage : 0 to 3, an index into `DAMAGES` for ids that stand in `after` in another form; else -1
    """

    missing: Mask
    doubled: Mask
    conflicting: Mask
    damage: npt.NDArray[np.int64]


def fates(numbers: Numbers, state: str) -> Fates:
    """Return what befell each customer."""
    drawn, shared = mixed(numbers, SEED + 3 + (state == "after")) % 1000, mixed(numbers, SEED + 5)
    damage = np.where(shared % 1000 < 4, shared // 1000 % len(DAMAGES), -1).astype(np.int64)
    return Fates(drawn == 0, (drawn > 0) & (drawn < 7), (drawn > 0) & (drawn < 4), damage)


@dataclass(frozen=True)
class Cells:
    """The three attributes, and where each is missing."""

    visits: npt.NDArray[np.int64]
    spend: npt.NDArray[np.float64]
    tier: npt.NDArray[np.int64]
    missing: tuple[Mask, Mask, Mask]


def cells(numbers: Numbers, state: str) -> Cells:
    """Return the attributes of each customer in a state; a change can make a cell missing, or one that was not."""
    drawn, chance = mixed(numbers, SEED + 1), mixed(numbers, SEED + 6)
    changed = changed_place(numbers) if state == "after" else np.full(len(numbers), -1)
    flips = chance % 4 == 0
    gaps = [chance // 4 % 20 == 0, chance // 80 % 20 < 2, chance // 1600 % 20 == 0]
    return Cells(
        (drawn % 1000).astype(np.int64) + (changed == 0),
        (drawn // 1000 % 100_000) / 100 + 0.01 * (changed == 1),
        ((drawn // 10**8 + (changed == 2)) % len(TIERS)).astype(np.int64),
        (_flipped(gaps, changed, flips, 0), _flipped(gaps, changed, flips, 1), _flipped(gaps, changed, flips, 2)),
    )


def _flipped(gaps: list[Mask], changed: npt.NDArray[np.int64], flips: Mask, place: int) -> Mask:
    return np.asarray(gaps[place] ^ ((changed == place) & flips))


def untidy(numbers: Numbers, state: str) -> pa.Table:
    """Make rows ``integration_id, visits, spend, tier``; second rows come at the end."""
    fate, own = fates(numbers, state), cells(numbers, state)
    again = np.flatnonzero(fate.doubled)
    rows = np.concatenate([np.arange(len(numbers)), again])
    second = np.arange(len(rows)) >= len(numbers)
    visits = own.visits[rows] + _OTHER_VISITS * (second & fate.conflicting[rows])
    # Before, half of the missing numbers are NaN, as pandas writes them; after, all are null.
    nan = own.missing[1] & (mixed(numbers, SEED + 7) % 2 == 0) & (state == "before")
    spend = np.where(nan, np.nan, own.spend)
    gaps = [own.missing[0] & ~fate.conflicting, own.missing[1] & ~nan, own.missing[2]]
    return pa.table(
        {
            "integration_id": _ids(numbers, fate, state).take(pa.array(rows)),
            "visits": pa.array(visits, mask=gaps[0][rows]),
            "spend": pa.array(spend[rows], mask=gaps[1][rows], from_pandas=False),
            "tier": pc.if_else(pa.array(gaps[2][rows]), None, TIERS.take(pa.array(own.tier[rows]))),
        }
    )


def _ids(numbers: Numbers, fate: Fates, state: str) -> pa.Array:
    found = ids(numbers)
    zeros = pc.binary_join_element_wise("000", pc.cast(pa.array(numbers + np.uint64(10**14)), pa.string()), "")
    found = pc.if_else(pa.array(fate.damage == DAMAGES.index("leading zeros")), zeros, found)
    if state == "after":
        forms = [pc.utf8_upper(found), _around(found), _within(found), pc.utf8_ltrim(found, "0")]
        for place, form in enumerate(forms):
            found = pc.if_else(pa.array(fate.damage == place), form, found)
    gone = pc.if_else(pa.array(mixed(numbers, SEED + 8) % 2 == 0), pa.scalar(None, pa.string()), "")
    return pc.if_else(pa.array(fate.missing), gone, found)


def _around(texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(" ", texts, "\u00a0", "")


def _within(texts: pa.Array) -> pa.Array:
    return pc.binary_replace_slice(texts, 3, 3, "\u200b")


def truth(rows: int) -> dict[str, int]:
    """Return the counts that a diff of both states must have, worked out from the numbers alone."""
    numbers, here, there = _present(rows)
    old, new = fates(numbers, "before"), fates(numbers, "after")
    met = here & there & (old.damage < 0)
    sure = met & ~old.conflicting & ~new.conflicting
    found = {
        "added": there & ~met,
        "removed": here & ~met,
        "kept": met,
        "changed": sure & _differ(cells(numbers, "before"), cells(numbers, "after")),
        "twins": here & there & ~met,
        "problems_before": (numbers < rows) & old.missing,
        "problems_after": (numbers >= len(numbers) - rows) & new.missing,
    }
    counts = {name: int(mask.sum()) for name, mask in found.items()}
    return counts | {"duplicates": int((here & old.doubled).sum() + (there & new.doubled).sum())}


def twins(rows: int) -> dict[str, int]:
    """Return how many ids were damaged in which way, of customers who are in both states."""
    numbers, here, there = _present(rows)
    damage = fates(numbers, "after").damage[here & there]
    return {name: count for place, name in enumerate(DAMAGES) if (count := int((damage == place).sum()))}


def _present(rows: int) -> tuple[Numbers, Mask, Mask]:
    """Return the numbers of all customers, and who is in each state with an id."""
    numbers = np.arange(int(numbers_of(rows)["after"][-1]) + 1, dtype=np.uint64)
    here = (numbers < rows) & ~fates(numbers, "before").missing
    return numbers, here, (numbers >= len(numbers) - rows) & ~fates(numbers, "after").missing


def _differ(old: Cells, new: Cells) -> Mask:
    pairs: list[tuple[Any, Any]] = [(old.visits, new.visits), (old.spend, new.spend), (old.tier, new.tier)]
    each = [
        np.where(was | now, was != now, a != b)
        for (a, b), was, now in zip(pairs, old.missing, new.missing, strict=True)
    ]
    return np.asarray(each[0] | each[1] | each[2])
