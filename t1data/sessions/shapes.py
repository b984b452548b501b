"""What a session, an item of a cart and an event can hold, and which values of it cannot be meant."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.objects import Field
from t1data.tables.shapes import ATTRIBUTES, Shape
from t1data.tables.strings import texts

STATES = ("open", "closed", "cancelled")
RESERVED = "talon_"
MOST_ITEMS = 1000
MOST_UNITS = 10_000

_KNOWN_STATES = texts(STATES)
_HIGHEST_PRICE = 1e15


def _no_state(cells: pa.StringArray) -> pa.BooleanArray:
    return pc.and_(cells.is_valid(), pc.invert(pc.is_in(cells, value_set=_KNOWN_STATES)))


def _no_quantity(cells: pa.StringArray) -> pa.BooleanArray:
    return pc.invert(pc.match_substring_regex(cells, r"^([1-9][0-9]{0,3}|10000)$"))


def _no_price(cells: pa.StringArray) -> pa.BooleanArray:
    # What is no number at all is told as that, so it counts as no price here only if it is one that reads as a float.
    numbers = pc.if_else(pc.match_substring_regex(cells, _NUMBER), cells, texts([None])[0]).cast(pa.float64())
    return pc.or_(pc.less(numbers, 0.0), pc.greater(numbers, _HIGHEST_PRICE))


_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"


def _no_code(cells: pa.StringArray) -> pa.BooleanArray:
    return pc.greater(pc.utf8_length(cells), 100)


def _is_reserved(cells: pa.StringArray) -> pa.BooleanArray:
    return pc.starts_with(cells, RESERVED)


_COST = Field("price", "number", '{"price":', "}", wrong=_no_price, code="bad_price")
_GROUPS: dict[str, tuple[str, Field | None]] = {
    ATTRIBUTES: (ATTRIBUTES, None),
    "additional_costs": ("additionalCosts", _COST),
}

SESSION = Shape(
    "sessions",
    {
        "state": Field("state", wrong=_no_state, code="bad_state"),
        "coupon_code": Field("couponCodes", before="[", after="]", wrong=_no_code, code="bad_code"),
        "coupon_codes": Field("couponCodes", "(list string)"),
        "referral_code": Field("referralCode", wrong=_no_code, code="bad_code"),
        "store_integration_id": Field("storeIntegrationId"),
        "identifiers": Field("identifiers", "(list string)"),
        "loyalty_cards": Field("loyaltyCards", "(list string)"),
        "evaluable_campaign_ids": Field("evaluableCampaignIds", "(list number)"),
    },
    _GROUPS,
)
ITEM = Shape(
    "items",
    {
        "sku": Field("sku", required=True),
        "quantity": Field("quantity", "number", required=True, wrong=_no_quantity, code="bad_quantity"),
        "price": Field("price", "number", wrong=_no_price, code="bad_price"),
        "name": Field("name"),
        "category": Field("category"),
        "product": Field("product", before='{"name":', after="}"),
        **{side: Field(side, "number") for side in ("weight", "height", "width", "length")},
    },
    _GROUPS,
    "item_columns",
)
EVENT = Shape(
    "events", {"type": Field("type", required=True, wrong=_is_reserved, code="reserved_type")}, parameter=ATTRIBUTES
)
