"""The handlers of an account as the server calls them, without a server; the clock moves only by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from t1data.sandbox import audiences, coupons, inventory, management, profile_update, profiles, referrals, seed
from t1data.sandbox import sessions as session_calls
from t1data.sandbox.core import Account, Call, Refusal, Reply, dump, parse
from t1data.sandbox.options import Options

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODULES = (profiles, profile_update, audiences, coupons, referrals, inventory, management, session_calls)
HANDLERS = {name: handler for module in MODULES for name, handler in module.HANDLERS.items()}


class Door:
    """One account; each call is one transaction, and each answer has been JSON on its way."""

    def __init__(self, start: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.time = NOON
        self.account = Account(clock=lambda: self.time, options=Options(**options), seed=7)
        if start is not None:
            seed.load(self.account, start)

    def pass_time(self, **delta: float) -> None:
        self.time += timedelta(**delta)

    def reply(
        self,
        operation: str,
        body: Any = None,
        *,
        path: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
        **query: str,
    ) -> Reply:
        values = {name: str(value) for name, value in (path or {}).items()}
        with self.account.transaction():
            return HANDLERS[operation](self.account, Call(values, query, body, files or {}))

    def call(self, operation: str, body: Any = None, **more: Any) -> Any:
        """Return the body of the answer after its way through JSON."""
        return parse(dump(self.reply(operation, body, **more).body))

    def refusal(self, operation: str, body: Any = None, **more: Any) -> Refusal:
        with pytest.raises(Refusal) as caught:
            self.reply(operation, body, **more)
        return caught.value

    def status(self, operation: str, body: Any = None, **more: Any) -> int:
        """Return the status that a call ends with, refused or not; any other exception comes through."""
        try:
            return self.reply(operation, body, **more).status
        except Refusal as refusal:
            return refusal.status

    def upsert(self, **people: Mapping[str, Any]) -> None:
        items = [{"integrationId": who, "attributes": values} for who, values in people.items()]
        self.reply("update_customer_profiles_v2", {"customerProfiles": items})

    def profile(self, integration_id: str) -> Any:
        found = self.call("get_customer_inventory", path={"integrationId": integration_id}, profile="true")
        return found["profile"]

    def inventory(self, integration_id: str, *sections: str) -> Any:
        flags = dict.fromkeys(sections, "true")
        return self.call("get_customer_inventory", path={"integrationId": integration_id}, **flags)


def attribute(name: str, kind: str, entity: str = "CustomerProfile", **more: Any) -> dict[str, Any]:
    return {"entity": entity, "name": name, "type": kind, **more}


def pointers(refusal: Refusal) -> list[str]:
    return [error["source"]["pointer"] for error in refusal.errors]
