"""The totals of a session, before any discount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from t1data.sandbox.money import add_up, exact, times

ZERO = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """What a session costs.

    Parameters
    ----------
    cart_items : Decimal
        The sum of price times quantity.
    additional_costs : Decimal
        The sum of the session's own additional costs.
    cart_item_additional_costs : Decimal
        The sum of the items' additional costs, each of them times the quantity.
    """

    cart_items: Decimal = ZERO
    additional_costs: Decimal = ZERO
    cart_item_additional_costs: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Return the sum of all three."""
        return add_up((self.cart_items, self.additional_costs, self.cart_item_additional_costs))

    def of(self, scope: str) -> Decimal:
        """Return the amount that a discount of this scope is taken from."""
        amounts = {"sessionTotal": self.total, "cartItems": self.cart_items, "additionalCosts": self.additional_costs}
        return amounts[scope]


def line_total(item: Mapping[str, Any]) -> Decimal:
    """Return the price of one line of the cart times its quantity."""
    return times(exact(item["price"]), item["quantity"])


def totals_of(session: Mapping[str, Any]) -> Totals:
    """Return the totals of a session body that has been checked.

    Examples
    --------
    >>> totals_of({"cartItems": [{"sku": "a", "price": Decimal("0.10"), "quantity": 3}]}).total
    Decimal('0.30')
    """
    items = session.get("cartItems", [])
    return Totals(
        cart_items=add_up(map(line_total, items)),
        additional_costs=_costs(session),
        cart_item_additional_costs=add_up(times(_costs(item), item["quantity"]) for item in items),
    )


def _costs(holder: Mapping[str, Any]) -> Decimal:
    return add_up(exact(cost["price"]) for cost in holder.get("additionalCosts", {}).values())
