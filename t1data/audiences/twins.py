"""Ids that are not the same, and that a person takes for the same: most likely one customer, whose id was damaged.

A spreadsheet that drops leading zeros makes every customer leave and a stranger join. Counts alone do not show it.
"""

# ruff: noqa: S608 - the queries hold names that are made here or quoted, and no value of anybody's

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from t1data.audiences.engine import Engine
from t1data.audiences.join import ADDED, PAIRS, REMOVED

TWINS: Final = "twins"
"""Made by `find_twins`: ``before, after, differ_in``."""

_SPACE: Final = r"[\s\v\x{85}\p{Z}]+"
_INVISIBLE: Final = r"[\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}]"

_LOOKS: Final[dict[str, Callable[[str], str]]] = {
    "case": lambda text: f"lower({text})",
    "space": lambda text: f"regexp_replace({text}, '^{_SPACE}|{_SPACE}$', '', 'g')",
    "unicode form": lambda text: f"nfc_normalize({text})",
    "invisible characters": lambda text: f"regexp_replace({text}, '{_INVISIBLE}', '', 'g')",
    "leading zeros": lambda text: rf"regexp_replace({text}, '^0+([0-9]+)$', '\1')",
}
"""What a person looks past, and how SQL does."""


def find_twins(engine: Engine, *, everywhere: bool) -> int:
    """Make the table `TWINS` and count its rows.

    Each id that left is paired with one of the other side that looks like it, and each that joined likewise, so that
    a thousand ids that look alike make two thousand pairs and not a million.

    Parameters
    ----------
    engine : Engine
        After `t1data.audiences.join.join`.
    everywhere : bool
        Look among the ids on both sides too, and not only among those that left and joined.
    """
    for side, kind in (("before", REMOVED), ("after", ADDED)):
        engine.run(f"CREATE TABLE {side}_moved AS {_looks(f'{PAIRS} WHERE kind = {kind}')}")
    for side, other in (("before", "after"), ("after", "before")):
        among = f"({_looks(side)})" if everywhere else f"{side}_moved"
        alike = f"SELECT look, min(id) AS id FROM {among} WHERE look IN (SELECT look FROM {other}_moved) GROUP BY look"
        engine.run(f"CREATE TABLE {side}_like AS {alike}")
    engine.run(
        f"CREATE TABLE {TWINS} AS SELECT before, after, {_differ_in()} AS differ_in FROM ("
        "SELECT m.id AS before, l.id AS after FROM before_moved m JOIN after_like l USING (look)"
        " UNION SELECT l.id, m.id FROM after_moved m JOIN before_like l USING (look))"
    )
    return engine.numbers(f"SELECT count(*) FROM {TWINS}")[0]


def _looks(rows: str) -> str:
    """Return the SQL for ids and what a person sees of them."""
    # As many bytes as characters: plain ASCII, as nearly all ids are, which needs half of this.
    plain = _looking_past("id", "space", "case")
    other = _looking_past("id", "unicode form", "invisible characters", "space", "case")
    seen = f"SELECT id, CASE WHEN strlen(id) = length(id) THEN {plain} ELSE {other} END AS seen FROM {rows}"
    # Zeros lead only when the spaces before them are gone.
    short = f"CASE WHEN starts_with(seen, '0') THEN {_looking_past('seen', 'leading zeros')} ELSE seen END"
    return f"SELECT id, {short} AS look FROM ({seen})"


def _looking_past(text: str, *names: str) -> str:
    for name in names:
        text = _LOOKS[name](text)
    return text


def _differ_in() -> str:
    one = (f"WHEN {look('before')} = {look('after')} THEN '{name}'" for name, look in _LOOKS.items())
    return f"CASE {' '.join(one)} ELSE 'several' END"
