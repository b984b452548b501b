"""Campaigns, as far as codes need them: which exist, which run, which may give referral codes."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from t1data.sandbox import values
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
    return values.moment(account.now())


def starts_later(start: str | None, account: Account) -> bool:
    """Return whether a start is still to come; none means it began long ago."""
    return start is not None and values.moment(start) > now(account)


def is_over(end: str | None, account: Account) -> bool:
    """Return whether an end has passed; none means never."""
    return end is not None and values.moment(end) <= now(account)
