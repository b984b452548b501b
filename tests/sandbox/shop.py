"""A small shop in an account without a server, for the tests of sessions, rules and events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from t1data.sandbox import attributes
from t1data.sandbox.core import Account, Call, Refusal, dump, parse
from t1data.sandbox.handlers import HANDLERS
from t1data.sandbox.options import Options

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Shop:
    """Calls the handlers as the server does, each in its own transaction, on a clock that only tests move."""

    def __init__(self, **options: Any) -> None:
        self.time = NOON
        self.account = Account(clock=lambda: self.time, options=Options(**options), seed=7)
        self.add("additional_cost", name="shipping", title="Shipping", subject="session")
        self.add("additional_cost", name="wrapping", title="Wrapping", subject="item")
        self.add("additional_cost", name="fee", title="Fee", subject="both")
        self.add("loyalty_program", id=3, name="club", title="Club", created=self.account.now())

    def pass_time(self, **delta: float) -> None:
        self.time += timedelta(**delta)

    def add(self, table: str, **values: Any) -> None:
        marks = ", ".join("?" * len(values))
        with self.account.transaction() as db:
            db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    def campaign(self, id: int, *rules: dict[str, Any], **values: Any) -> None:
        row = {"name": f"Campaign {id}", "ruleset_id": id + 100, "features": '["coupons","referrals"]', **values}
        self.add("campaign", id=id, rules=dump(list(rules)), created=self.account.now(), **row)

    def coupon(self, value: str, campaign: int = 1, **values: Any) -> None:
        self.add("coupon", value=value, campaign_id=campaign, created=self.account.now(), **values)

    def referral(self, code: str, campaign: int = 1, advocate: str = "ann", **values: Any) -> None:
        self.add("referral", code=code, campaign_id=campaign, advocate=advocate, created=self.account.now(), **values)

    def attribute(self, entity: str, name: str, kind: str) -> None:
        with self.account.transaction():
            attributes.define(self.account, entity, name, kind)

    def call(self, operation: str, body: Any = None, *, path: dict[str, str] | None = None, **query: str) -> Any:
        handler = HANDLERS[operation]
        with self.account.transaction():
            reply = handler(self.account, Call(path or {}, query, body))
        self.status = reply.status
        return None if reply.body is None else parse(dump(reply.body))

    def status_of(self, operation: str, body: Any, *, path: dict[str, str] | None = None, **query: str) -> int:
        """Return the status that a call ends with, refused or not; any other exception comes through."""
        try:
            self.call(operation, body, path=path, **query)
        except Refusal as refusal:
            return refusal.status
        return self.status

    def put(self, session_id: str, session: Any = None, *, show: list[str] | None = None, **query: str) -> Any:
        body = {"customerSession": session or {}, "responseContent": show or []}
        return self.call("update_customer_session_v2", body, path={"customerSessionId": session_id}, **query)

    def session(self, session_id: str) -> Any:
        return self.call("get_customer_session", path={"customerSessionId": session_id})["customerSession"]

    def profile(self, integration_id: str) -> Any:
        row = self.row("SELECT * FROM profile WHERE integration_id = ?", integration_id)
        return None if row is None else dict(row)

    def row(self, query: str, *values: Any) -> Any:
        return self.account.db.execute(query, values).fetchone()

    def dump(self) -> list[str]:
        """Return the whole database as text."""
        return list(self.account.db.iterdump())


def kinds(answer: dict[str, Any]) -> list[str]:
    return [effect["effectType"] for effect in answer["effects"]]


def props(answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [effect["props"] for effect in answer["effects"] if effect["effectType"] == kind]


def item(price: Any = 10, quantity: int = 1, sku: str = "shirt", **more: Any) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "price": price, **more}


@contextmanager
def refused(status: int = 400, pointer: str | None = None, details: str = "") -> Iterator[None]:
    """Expect a refusal, at this pointer if one is given, whose details hold a text."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.status == status
    found = [(fault["source"].get("pointer"), fault["details"]) for fault in caught.value.errors]
    if pointer is not None:
        assert [text for place, text in found if place == pointer and details in text], found
