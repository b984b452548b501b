"""Loyalty programs: points as entries of ledgers, balances worked out when somebody asks.

An entry adds points (`amount` above 0) or takes them. Points count from `start_date` and until `expiry_date`;
tentative entries belong to an open session and count only in the tentative balances. Points are taken from
those that expire first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from t1data.sandbox import campaigns, checks, profiles, queries, values
from t1data.sandbox.core import Account, Call, Handler, Reply, invalid, not_found, parse, present

MOST_POINTS = 10**12


@dataclass(frozen=True)
class _Points:
    """Points of one entry that are still there."""

    start: datetime
    end: datetime | None
    left: Decimal

    def counts_at(self, time: datetime) -> bool:
        return self.start <= time and (self.end is None or time < self.end)


@dataclass(frozen=True)
class Balance:
    """What a ledger holds now."""

    current: Decimal
    pending: Decimal
    negative: Decimal


def programs(account: Account) -> list[sqlite3.Row]:
    """Return the account's loyalty programs in the order of their ids."""
    return account.db.execute("SELECT * FROM loyalty_program ORDER BY id").fetchall()


def find(account: Account, program_id: int) -> sqlite3.Row | None:
    """Return the program with this id, or None."""
    row: sqlite3.Row | None = account.db.execute("SELECT * FROM loyalty_program WHERE id = ?", (program_id,)).fetchone()
    return row


def add_points(
    account: Account,
    program_id: int,
    profile_id: int,
    amount: int | Decimal,
    *,
    ledger: str = "",
    session_id: int | None = None,
    tentative: bool = False,
    reason: str = "",
    start_date: str | None = None,
    expiry_date: str | None = None,
) -> int:
    """Add an entry to a ledger and return its id.

    Parameters
    ----------
    account : Account
        Where the program is.
    program_id, profile_id : int
        Internal ids.
    amount : int or Decimal
        Points; below 0 to take some.
    ledger : str
        The subledger; empty for the main one.
    session_id : int, optional
        The internal id of the session that earned them, for `settle` and `rollback`.
    tentative : bool
        True while that session is open.
    reason : str
        A text for the log.
    start_date, expiry_date : str, optional
        RFC 3339; None counts at once, and for ever.
    """
    done = account.db.execute(
        "INSERT INTO loyalty_entry (program_id, profile_id, ledger, amount, reason, start_date, expiry_date,"
        " tentative, session_id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            program_id,
            profile_id,
            ledger,
            str(amount),
            reason,
            start_date,
            expiry_date,
            tentative,
            session_id,
            account.now(),
        ),
    )
    return int(done.lastrowid or 0)


def rollback(account: Account, session_id: int) -> list[sqlite3.Row]:
    """Take back the points of a session: what its cancellation does.

    Returns
    -------
    list of sqlite3.Row
        The entries that went, in their order.
    """
    gone = account.db.execute("SELECT * FROM loyalty_entry WHERE session_id = ? ORDER BY id", (session_id,)).fetchall()
    account.db.execute("DELETE FROM loyalty_entry WHERE session_id = ?", (session_id,))
    return gone


def balance(entries: Iterable[sqlite3.Row], now: datetime) -> Balance:
    """Return what entries come to at a time; takings eat the points that expire first."""
    held: list[_Points] = []
    owed = Decimal(0)
    for entry in entries:
        amount = Decimal(entry["amount"])
        if amount > 0:
            held.append(_points(entry, amount))
        else:
            held, missing = _take(held, -amount, values.moment(entry["created"]))
            owed += missing
    current = sum((points.left for points in held if points.counts_at(now)), Decimal(0))
    pending = sum((points.left for points in held if points.start > now), Decimal(0))
    return Balance(max(current - owed, Decimal(0)), pending, max(owed - current, Decimal(0)))


def _points(entry: sqlite3.Row, amount: Decimal) -> _Points:
    end = entry["expiry_date"]
    return _Points(values.moment(entry["start_date"] or entry["created"]), end and values.moment(end), amount)


def _take(held: list[_Points], amount: Decimal, time: datetime) -> tuple[list[_Points], Decimal]:
    """Return the points that stay when some are taken at a time, and how many were not there to take."""
    stay = []
    for points in sorted(held, key=lambda points: (points.end is None, points.end or time)):
        taken = min(points.left, amount) if points.counts_at(time) else Decimal(0)
        stay.append(replace(points, left=points.left - taken))
        amount -= taken
    return stay, amount


def ledger_json(account: Account, program: sqlite3.Row, entries: Sequence[sqlite3.Row]) -> dict[str, Any]:
    """Return the API's LedgerInfo of one ledger.

    Parameters
    ----------
    account : Account
        Gives the time.
    program : sqlite3.Row
        From `find`: its tiers apply.
    entries : sequence of sqlite3.Row
        The entries of that ledger, in their order.
    """
    now = campaigns.now(account)
    real = balance([entry for entry in entries if not entry["tentative"]], now)
    all_of_it = balance(entries, now)
    return {
        "currentBalance": real.current,
        "pendingBalance": real.pending,
        "negativeBalance": real.negative,
        "expiredBalance": 0,  # today's API answers 0 here, always; the same below
        "spentBalance": 0,
        "tentativeCurrentBalance": all_of_it.current,
        "tentativePendingBalance": all_of_it.pending,
        "tentativeNegativeBalance": all_of_it.negative,
        **_tier_json(parse(program["tiers"]), real.current),
    }


def _tier_json(tiers: list[dict[str, Any]], points: Decimal) -> dict[str, Any]:
    reached = [tier for tier in tiers if tier["min_points"] <= points]
    ahead = next((tier for tier in tiers if tier["min_points"] > points), None)
    return present(
        {
            "currentTier": {"id": reached[-1]["id"], "name": reached[-1]["name"]} if reached else None,
            "pointsToNextTier": ahead and ahead["min_points"] - points,
            "nextTierName": ahead and ahead["name"],
        }
    )


def loyalty_json(account: Account, profile_id: int) -> dict[str, Any]:
    """Return the API's Loyalty of one profile: each program in which it has entries."""
    found = {program["id"]: _program_json(account, program, profile_id) for program in programs(account)}
    return {"programs": {str(key): value for key, value in found.items() if value}, "cards": []}


def _program_json(account: Account, program: sqlite3.Row, profile_id: int) -> dict[str, Any] | None:
    entries = account.db.execute(
        "SELECT * FROM loyalty_entry WHERE profile_id = ? AND program_id = ? ORDER BY id", (profile_id, program["id"])
    ).fetchall()
    if not entries:
        return None
    ledgers: dict[str, list[sqlite3.Row]] = {name: [] for name in ("", *parse(program["subledgers"]))}
    for entry in entries:
        ledgers.setdefault(entry["ledger"], []).append(entry)
    infos = {name: ledger_json(account, program, some) for name, some in ledgers.items()}
    return {
        "id": program["id"],
        "name": program["name"],
        "title": program["title"],
        "joinDate": entries[0]["created"],
        "ledger": infos.pop(""),
        "subLedgers": infos,
    }


def add_loyalty_points(account: Account, call: Call) -> Reply:
    """Add points to a profile: a Management call."""
    return _change_points(account, call, sign=1)


def remove_loyalty_points(account: Account, call: Call) -> Reply:
    """Take points from a profile, which must have them: a Management call."""
    return _change_points(account, call, sign=-1)


def _change_points(account: Account, call: Call, *, sign: int) -> Reply:
    program = find(account, queries.path_id(call, "loyaltyProgramId"))
    if program is None:
        raise not_found(f"Loyalty program {call.path['loyaltyProgramId']}")
    profile = profiles.get(account, call.path["integrationId"])
    body = checks.read_body(account, call)
    points = body.number("points", required=True, least=0, most=MOST_POINTS) or 0
    name, ledger = body.text("name") or "", body.text("subledgerId") or ""
    body.faults.stop()
    if ledger and ledger not in parse(program["subledgers"]):
        raise invalid("Invalid value", f"Subledger {values.show(ledger)} does not exist", "/subledgerId")
    if sign < 0 and points > current_balance(account, program["id"], profile["id"], ledger=ledger):
        raise invalid("Invalid value", "The profile does not have so many points", "/points")
    add_points(account, program["id"], profile["id"], sign * points, ledger=ledger, reason=name)
    return Reply(204)


def current_balance(account: Account, program_id: int, profile_id: int, *, ledger: str = "") -> Decimal:
    """Return the points that a profile can use now."""
    entries = account.db.execute(
        "SELECT * FROM loyalty_entry WHERE profile_id = ? AND program_id = ? AND ledger = ? AND NOT tentative"
        " ORDER BY id",
        (profile_id, program_id, ledger),
    )
    return balance(entries, campaigns.now(account)).current


HANDLERS: dict[str, Handler] = {
    "add_loyalty_points": add_loyalty_points,
    "remove_loyalty_points": remove_loyalty_points,
}
