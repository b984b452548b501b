"""What an account holds before the first call: attributes, campaigns, codes, programs, people.

No call of the Integration API makes these, so a seed does: a file ``sandbox.toml`` or ``sandbox.json``, the folder
that holds one of them, or a dict of the same shape. All of it is optional::

    [[attributes]]
    entity = "CustomerProfile"          # see `attributes.ENTITIES`
    name = "Spend"
    type = "number"                     # see `attributes.TYPES`
    title = "Money spent"               # the name when left out
    description = ""
    suggestions = []
    restricted = false                  # true allows the suggestions only

    [[audiences]]
    name = "VIP"
    integration = "segment"             # integration, integration_id, description: none when left out
    integration_id = "vip"
    members = ["00001"]                 # profiles are made as needed, here and wherever a profile is named

    [[profiles]]
    integration_id = "00001"
    attributes = { Spend = 11.10 }

    [[campaigns]]
    id = 45
    name = "Bring a friend"
    state = "enabled"                   # or "disabled", "archived"
    features = ["referrals"]            # without it the campaign gives no referral codes
    start_time = 2026-01-01T00:00:00Z   # start_time, end_time, description: none when left out
    audiences = ["VIP"]                 # the audiences that its rules look at: these cannot be deleted
    rules = []                          # the form is described in `rules`

    [[campaigns.coupons]]
    value = "SUMMER25%OFF"
    usage_limit = 1                     # 0 is unlimited
    reserved_for = ["00001"]
    recipient = "00002"                 # makes it a personal coupon
    # and: discount_limit, start_date, expiry_date, attributes, batch_id, reservation_limit,
    # is_reservation_mandatory, implicitly_reserved,
    # limits = [{ action = "redemption", limit = 1, period = "daily", entities = ["Profile"] }]

    [[campaigns.referrals]]
    code = "FRIEND-00001"
    advocate = "00001"
    usage_limit = 1
    # and: friend, start_date, expiry_date, attributes, batch_id

    [[campaigns.achievements]]
    name = "ThreeOrders"
    title = "Three orders"
    target = 3
    progress = { "00001" = 1 }
    # and: description, end_date

    [[loyalty_programs]]
    id = 3
    name = "notes"
    title = "Notes club"
    subledgers = ["gifts"]
    tiers = [{ name = "Silver", min_points = 100 }]
    points = [{ profile = "00001", amount = 40 }]
    # each of the points may have: ledger, reason, start_date, expiry_date

    [[giveaway_pools]]
    id = 5
    name = "Concert tickets"
    codes = [{ code = "TICKET-0001", owner = "00001" }]
    # each of the codes may have: owner, start_date, end_date, attributes

    [[additional_costs]]
    name = "shipping"
    title = "Shipping"
    subject = "session"                 # or "item", "both"

An unknown key is an error that lists the keys there are; a seed is loaded whole or not at all. Ids that are left
out are given by the account. An attribute that exists with the same type is left as it is.
"""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from t1data.sandbox import seed_people
from t1data.sandbox.checks import Body
from t1data.sandbox.core import Account, parse
from t1data.sandbox.values import is_time

FILE_NAMES = ("sandbox.toml", "sandbox.json")


def load(account: Account, source: str | PathLike[str] | Mapping[str, Any]) -> None:
    """Put a seed into an account.

    Parameters
    ----------
    account : Account
        The account; it keeps what it has.
    source : path or mapping
        A seed file, a folder with a ``sandbox.toml`` or ``sandbox.json``, or a dict; the form is above.

    Raises
    ------
    FileNotFoundError
        When the file, or a seed file in the folder, is not there.
    ValueError
        When the seed is not well formed, has unknown keys, or holds what the account has already.

    Examples
    --------
    >>> account = Account()
    >>> load(account, {"audiences": [{"name": "VIP", "members": ["00001", "00002"]}]})
    >>> load(account, {"audience": []})
    Traceback (most recent call last):
        ...
    ValueError: The seed has 1 fault:
      /audience: is not known here; known are additional_costs, attributes, audiences, campaigns, \
giveaway_pools, loyalty_programs, profiles
    """
    body = Body(_plain(source if isinstance(source, Mapping) else _read(Path(source))))
    with account.transaction():
        try:
            seed_people.write(account, body)
        except sqlite3.IntegrityError as error:
            raise ValueError(f"The account holds a part of this seed already: {error}") from None
        if body.faults.items:
            raise ValueError(_complaint(body))


def _complaint(body: Body) -> str:
    faults = body.faults.items
    lines = [f"  {fault['source']['pointer']}: {fault['details']}" for fault in faults]
    return "\n".join([f"The seed has {len(faults)} fault{'s' if len(faults) > 1 else ''}:", *lines])


def _read(path: Path) -> dict[str, Any]:
    file = _seed_file(path) if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
        return _table(tomllib.loads(text, parse_float=Decimal) if file.suffix == ".toml" else parse(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from None


def _seed_file(folder: Path) -> Path:
    found = [folder / name for name in FILE_NAMES if (folder / name).is_file()]
    if not found:
        raise FileNotFoundError(f"{folder} holds no {' and no '.join(FILE_NAMES)}")
    if len(found) > 1:
        raise ValueError(f"{folder} holds both {' and '.join(FILE_NAMES)}: keep one")
    return found[0]


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it must be a table")
    return value


def _plain(value: Any) -> Any:
    """Return the seed with its times as text: TOML and Python know times, JSON does not."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return _time_text(value)
    if isinstance(value, date | time):
        raise ValueError(f"{value.isoformat()} must be a whole time with an offset, such as 2026-01-01T00:00:00Z")
    return value


def _time_text(value: datetime) -> str:
    text = value.isoformat().replace("+00:00", "Z")
    if not is_time(text):
        raise ValueError(f"{text} must have an offset, such as 2026-01-01T00:00:00Z")
    return text
