"""Reading the body of a session update: every field by its rule, every fault with its pointer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t1data.sandbox.attributes import Catalogue, merge
from t1data.sandbox.checks import Body, read_body
from t1data.sandbox.core import Account, Call
from t1data.sandbox.money import LARGEST_PRICE, MOST_DECIMALS, is_price
from t1data.sandbox.queries import bad_parameter, flag, instant_of

STATES = ("open", "closed", "partially_returned", "cancelled")
MOST_ITEMS = 1000
MOST_UNITS = 10_000
LONGEST_CODE = 100

PROFILE_SECTIONS = (
    "customerProfile",
    "triggeredCampaigns",
    "loyalty",
    "event",
    "awardedGiveaways",
    "ruleFailureReasons",
    "campaignEligibility",
    "achievements",
)
SESSION_SECTIONS = (*PROFILE_SECTIONS, "customerSession", "coupons", "referral", "previousReturns")


@dataclass(frozen=True)
class Request:
    """A session update, checked.

    Parameters
    ----------
    session : mapping
        The fields of ``customerSession`` that were sent; a field left out, or null, is not in it.
    sections : tuple of str
        What ``responseContent`` asked for.
    dry : bool
        Whether nothing may be kept.
    now : str or None
        The time to pretend, for a dry run.
    """

    session: Mapping[str, Any]
    sections: tuple[str, ...] = ()
    dry: bool = False
    now: str | None = None


def read_request(account: Account, call: Call) -> Request:
    """Return the session update that a call asks for, or raise the 400 that names all its faults."""
    dry = flag(call, "dry")
    now = _read_now(account, call, dry=dry)
    body = read_body(account, call)
    session = read_session(account, body.part("customerSession", required=True))
    sections = read_sections(body, SESSION_SECTIONS)
    body.faults.stop()
    return Request(session, sections, dry, now)


def _read_now(account: Account, call: Call, *, dry: bool) -> str | None:
    now = instant_of(call, "now")
    if now is not None and not dry:
        raise bad_parameter("now", "can only be used with dry=true")
    if now is not None and now < account.now():
        raise bad_parameter("now", "must be a time in the future")
    return now


def read_sections(body: Body, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sections that ``responseContent`` asks for, and note those that do not exist."""
    asked = body.texts("responseContent")
    for index, name in enumerate(asked):
        if isinstance(name, str) and name not in known:
            words = ", ".join(f'"{word}"' for word in known)
            details = f"responseContent must be one of the following: {words}"
            body.faults.add("enum", details, f"{body.at('responseContent')}/{index}")
    return tuple(asked)


def read_session(account: Account, part: Body) -> dict[str, Any]:
    """Return the members of ``customerSession`` that were sent, and note every fault."""
    costs = _CostNames(account)
    members = {
        "profileId": part.text("profileId", most=1000),
        "state": part.choice("state", STATES),
        "couponCodes": part.texts("couponCodes", longest=LONGEST_CODE),
        "referralCode": part.text("referralCode", most=LONGEST_CODE),
        "cartItems": _read_items(account, part, costs),
        "additionalCosts": costs.read(part, "session"),
        "identifiers": part.texts("identifiers", most=5),
        "attributes": read_attributes(part, Catalogue(account, "CustomerSession")),
        "storeIntegrationId": part.text("storeIntegrationId", least=1, most=1000),
        "loyaltyCards": part.texts("loyaltyCards", most=1),
        "evaluableCampaignIds": part.integers("evaluableCampaignIds"),
        "experimentVariantAllocations": _read_allocations(part),
    }
    return {name: value for name, value in members.items() if part.has(name)}


def read_attributes(part: Body, catalogue: Catalogue, *, required: bool = False) -> dict[str, Any]:
    """Return the member ``attributes`` and note what its catalogue does not allow."""
    attributes = part.mapping("attributes", required=required)
    catalogue.check(attributes, part.at("attributes"), part.faults)
    return attributes


def _read_allocations(part: Body) -> list[dict[str, Any]]:
    return [
        {name: each.integer(name, required=True) for name in ("experimentID", "variantID")}
        for each in part.parts("experimentVariantAllocations")
    ]


def _read_items(account: Account, part: Body, costs: _CostNames) -> list[dict[str, Any]]:
    catalogue = Catalogue(account, "CartItem")
    items = [_read_item(item, catalogue, costs) for item in part.parts("cartItems", most=MOST_ITEMS)]
    if sum(item.get("quantity") or 0 for item in items) > MOST_UNITS:
        details = f"The quantities of cartItems must add up to at most {MOST_UNITS}"
        part.faults.add("Invalid value", details, part.at("cartItems"))
    return items


def _read_item(item: Body, catalogue: Catalogue, costs: _CostNames) -> dict[str, Any]:
    """Return one item without its read-only members, which a client may send back and nobody reads."""
    members = {
        "name": item.text("name"),
        "sku": item.text("sku", required=True, least=1),
        "quantity": item.integer("quantity", required=True, least=1),
        "price": read_price(item),
        "category": item.text("category"),
        "product": _read_product(item),
        **{side: item.number(side) for side in ("weight", "height", "width", "length")},
        "attributes": merge({}, read_attributes(item, catalogue)),
        "additionalCosts": costs.read(item, "item"),
    }
    return {name: value for name, value in members.items() if item.has(name)}


def _read_product(item: Body) -> dict[str, Any]:
    product = item.part("product")
    return {"name": product.text("name", required=True)} if item.has("product") else {}


def read_price(holder: Body) -> Any:
    """Return the member ``price``: always needed, for this sandbox has no catalogs to look it up in."""
    price = holder.number("price", required=True)
    if price is not None and not is_price(price):
        details = f"price must be within {LARGEST_PRICE} and have at most {MOST_DECIMALS} decimals"
        holder.faults.add("Invalid value", details, holder.at("price"))
    return price


class _CostNames:
    """The additional costs that exist, and whether each is for sessions, for items or for both."""

    def __init__(self, account: Account) -> None:
        rows = account.db.execute("SELECT name, subject FROM additional_cost")
        self._subjects = {row["name"]: row["subject"] for row in rows}

    def read(self, holder: Body, subject: str) -> dict[str, Any]:
        """Return the member ``additionalCosts``."""
        costs = holder.part("additionalCosts")
        for name in costs.value:
            if self._subjects.get(name) not in (subject, "both"):
                details = f'The additional cost "{name}" is not defined for a{"n" * (subject == "item")} {subject}.'
                holder.faults.add("Unknown", details, costs.at(name))
        return {name: _read_cost(costs, name) for name in costs.value}


def _read_cost(costs: Body, name: str) -> dict[str, Any]:
    cost = costs.part(name, required=True)
    return {"price": read_price(cost)} if costs.has(name) else {}
