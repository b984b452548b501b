"""What a rule gives when its conditions hold: the effects of its ``then`` list.

Each discount is reckoned on the amounts before any discount, and is never more than that amount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from t1data.sandbox import effects
from t1data.sandbox.carts import ZERO, line_total
from t1data.sandbox.effects import Effect, Origin
from t1data.sandbox.facts import Facts
from t1data.sandbox.money import exact, times

ONE_PERCENT = Decimal("0.01")

NewName = Callable[[], str]


def grant(origin: Origin, wanted: Mapping[str, Any], facts: Facts, *, new_uuid: NewName) -> Iterator[Effect]:
    """Yield what one item of a ``then`` list comes to, which may be nothing.

    Parameters
    ----------
    origin : Origin
        The rule, and the coupon that it was asked with.
    wanted : mapping
        The item.
    facts : Facts
        The customer and the session.
    new_uuid : callable
        Gives a name to a grant of points.
    """
    if wanted["effect"] == "addLoyaltyPoints":
        return _points(origin, wanted, facts, new_uuid=new_uuid)
    return _PLAIN[wanted["effect"]](origin, wanted, facts)


def _discount(origin: Origin, wanted: Mapping[str, Any], facts: Facts) -> Iterator[Effect]:
    scope = wanted.get("scope", "sessionTotal")
    value = _share(wanted, facts.totals.of(scope))
    if value:
        yield effects.set_discount(origin, name=wanted["name"], value=value, scope=scope)


def _discount_per_item(origin: Origin, wanted: Mapping[str, Any], facts: Facts) -> Iterator[Effect]:
    picked = {name: wanted[name] for name in ("sku", "category") if name in wanted}
    for position, item in enumerate(facts.items):
        if all(item.get(name) == value for name, value in picked.items()):
            value = _share(wanted, line_total(item), units=item["quantity"])
            if value:
                yield effects.set_discount_per_item(origin, name=wanted["name"], value=value, position=position)


def _share(wanted: Mapping[str, Any], base: Decimal, *, units: int = 1) -> Decimal:
    """Return the part of `base` that a discount takes; an absolute amount counts once a unit."""
    if base <= 0:
        return ZERO
    if "percent" in wanted:
        return times(times(base, exact(wanted["percent"])), ONE_PERCENT)
    return min(times(exact(wanted["amount"]), units), base)


def _points(origin: Origin, wanted: Mapping[str, Any], facts: Facts, *, new_uuid: NewName) -> Iterator[Effect]:
    """Yield points for a known customer: an anonymous one has no ledger to put them in."""
    program = wanted["program"]
    value = _points_value(wanted, facts)
    if not value or not facts.profile_id:
        return
    if program not in facts.programs:
        yield effects.effect(origin, "error", {"message": f"The loyalty program {program} does not exist"})
        return
    yield effects.add_loyalty_points(
        origin,
        name=wanted.get("name", origin.rule_name),
        program_id=program,
        ledger=wanted.get("ledger", ""),
        value=value,
        recipient=facts.profile_id,
        uuid=new_uuid(),
    )


def _points_value(wanted: Mapping[str, Any], facts: Facts) -> Decimal:
    if "points" in wanted:
        return exact(wanted["points"])
    return times(max(facts.totals.total, ZERO), exact(wanted["points_per_unit"]))


def _notification(origin: Origin, wanted: Mapping[str, Any], facts: Facts) -> Iterator[Effect]:
    kind = wanted.get("type", "info")
    yield effects.show_notification(origin, kind=kind, title=wanted["title"], body=wanted["body"])


_PLAIN: Mapping[str, Callable[[Origin, Mapping[str, Any], Facts], Iterator[Effect]]] = {
    "setDiscount": _discount,
    "setDiscountPerItem": _discount_per_item,
    "showNotification": _notification,
}
