"""Achievements: seeded goals and how far a profile is on the way to them."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

from t1data.sandbox import campaigns
from t1data.sandbox.core import Account, present

_WITH_PROGRESS = (
    "SELECT achievement.*, progress, start_date, completion_date FROM achievement"
    " LEFT JOIN achievement_progress ON achievement_id = id AND profile_id = ? ORDER BY id"
)


def progress(account: Account, profile_id: int) -> list[dict[str, Any]]:
    """Return the progress of one profile in every achievement, with its definition."""
    return [_json(account, row) for row in account.db.execute(_WITH_PROGRESS, (profile_id,)).fetchall()]


def _json(account: Account, row: sqlite3.Row) -> dict[str, Any]:
    return present(
        {
            "achievementId": row["id"],
            "name": row["name"],
            "title": row["title"],
            "description": row["description"],
            "campaignId": row["campaign_id"],
            "status": _status(account, row),
            "progress": Decimal(row["progress"] or 0),
            "target": Decimal(row["target"]),
            "startDate": row["start_date"],
            "completionDate": row["completion_date"],
            "endDate": row["end_date"],
            "achievementRecurrencePolicy": "no_recurrence",
            "achievementActivationPolicy": "user_action",
        }
    )


def _status(account: Account, row: sqlite3.Row) -> str:
    if row["completion_date"] is not None:
        return "completed"
    if campaigns.is_over(row["end_date"], account):
        return "expired"
    return "not_started" if row["progress"] is None else "inprogress"
