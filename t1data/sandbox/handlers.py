"""All handlers, by operation."""

from __future__ import annotations

from collections.abc import Mapping

from t1data.sandbox import (
    audiences,
    coupons,
    events,
    inventory,
    management,
    profile_update,
    profiles,
    referrals,
    sessions,
)
from t1data.sandbox.core import Account, Call, Handler, Reply
from t1data.sandbox.openapi import serve_openapi


def authping(account: Account, call: Call) -> Reply:
    """Say that the key is right: a wrong one does not come this far."""
    return Reply(200, {})


HANDLERS: Mapping[str, Handler] = {
    **profiles.HANDLERS,
    **profile_update.HANDLERS,
    **audiences.HANDLERS,
    **coupons.HANDLERS,
    **referrals.HANDLERS,
    **inventory.HANDLERS,
    **sessions.HANDLERS,
    **events.HANDLERS,
    **management.HANDLERS,
    "authping": authping,
    "openapi": serve_openapi,
}
