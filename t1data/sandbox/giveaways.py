"""Giveaways: pools of codes, each given to one profile at most."""

from __future__ import annotations

import sqlite3
from typing import Any

from t1data.sandbox import campaigns
from t1data.sandbox.core import Account, parse, present


def giveaway_json(account: Account, row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's Giveaway."""
    owner = account.db.execute("SELECT integration_id FROM profile WHERE id = ?", (row["profile_id"],)).fetchone()
    return present(
        {
            "id": row["id"],
            "created": row["created"],
            "code": row["code"],
            "poolId": row["pool_id"],
            "startDate": row["start_date"],
            "endDate": row["end_date"],
            "attributes": parse(row["attributes"]),
            "used": row["profile_id"] is not None,
            "importId": row["import_id"],
            "profileIntegrationId": owner and owner["integration_id"],
            "profileId": row["profile_id"],
        }
    )


def award(account: Account, pool_id: int, profile_id: int, *, session_id: int | None = None) -> sqlite3.Row | None:
    """Give the pool's next valid code to a profile.

    Returns
    -------
    sqlite3.Row or None
        The giveaway; None when the pool is empty or unknown.
    """
    free = account.db.execute("SELECT * FROM giveaway WHERE pool_id = ? AND profile_id IS NULL ORDER BY id", (pool_id,))
    chosen = next((row for row in free.fetchall() if _is_valid(account, row)), None)
    if chosen is None:
        return None
    row: sqlite3.Row = account.db.execute(
        "UPDATE giveaway SET profile_id = ?, session_id = ? WHERE id = ? RETURNING *",
        (profile_id, session_id, chosen["id"]),
    ).fetchone()
    return row


def _is_valid(account: Account, row: sqlite3.Row) -> bool:
    return not campaigns.starts_later(row["start_date"], account) and not campaigns.is_over(row["end_date"], account)


def owned(account: Account, profile_id: int) -> list[dict[str, Any]]:
    """Return the giveaways of a profile in the order of their ids."""
    rows = account.db.execute("SELECT * FROM giveaway WHERE profile_id = ? ORDER BY id", (profile_id,)).fetchall()
    return [giveaway_json(account, row) for row in rows]
