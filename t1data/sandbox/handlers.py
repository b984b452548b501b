"""All handlers of the account, by operation."""

from __future__ import annotations

import importlib
import importlib.util

from t1data.sandbox.core import Account, Call, Handler, Reply
from t1data.sandbox.openapi import serve_openapi

_MODULES = (
    "profiles",
    "profile_update",
    "audiences",
    "coupons",
    "referrals",
    "inventory",
    "management",
    "sessions",
    "events",
)


def authping(account: Account, call: Call) -> Reply:
    """Say that the key is right: a wrong one does not come this far."""
    return Reply(200, {})


def collect() -> dict[str, Handler]:
    """Return the handlers of every module."""
    handlers: dict[str, Handler] = {"authping": authping, "openapi": serve_openapi}
    for name in _MODULES:
        module = f"t1data.sandbox.{name}"
        if importlib.util.find_spec(module):
            handlers |= getattr(importlib.import_module(module), "HANDLERS", {})
    return handlers
