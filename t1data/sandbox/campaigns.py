"""Campaigns, as far as codes need them: which exist, which run, which may give referral codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from t1data.sandbox import checks
from t1data.sandbox.core import Account, parse


def find(account: Account, campaign_id: int) -> sqlite3.Row | None:
    """Return the campaign with this id, or None."""
    row: sqlite3.Row | None = account.db.execute("SELECT * FROM campaign WHERE id = ?", (campaign_id,)).fetchone()
    return row


def is_running(account: Account, campaign_id: int) -> bool:
    """Return whether the campaign is enabled and inside its own time."""
    row = find(account, campaign_id)
    if row is None or row["state"] != "enabled":
        return False
    return not starts_later(row["start_time"], account) and not is_over(row["end_time"], account)


def is_disabled(account: Account, campaign_id: int) -> bool:
    """Return whether the campaign is switched off or over; one that starts later is not disabled."""
    row = find(account, campaign_id)
    return row is None or row["state"] != "enabled" or is_over(row["end_time"], account)


def has_feature(row: sqlite3.Row, feature: str) -> bool:
    """Return whether the campaign has a feature such as ``referrals``."""
    return feature in parse(row["features"])


def now(account: Account) -> datetime:
    """Return the account's present time, to compare with stored times."""
    return checks.moment(account.now())


def starts_later(start: str | None, account: Account) -> bool:
    """Return whether a start is still to come; none means it began long ago."""
    return start is not None and checks.moment(start) > now(account)


def is_over(end: str | None, account: Account) -> bool:
    """Return whether an end has passed; none means never."""
    return end is not None and checks.moment(end) <= now(account)


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without those that have no value: the API leaves optional fields out."""
    return {name: value for name, value in fields.items() if value is not None}
