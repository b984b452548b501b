"""What a session, an item of a cart and an event can hold, and which values of it cannot be meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.objects import Field
from t1data.tables.shapes import ATTRIBUTES, Shape
from t1data.tables.strings import texts

STATES = ("open", "closed", "cancelled")
RESERVED = "talon_"
MOST_ITEMS = 1000
MOST_UNITS = 10_000
MOST_OF_CODE = 100
MOST_IDENTIFIERS = 5

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
    return pc.greater(pc.utf8_length(cells), MOST_OF_CODE)


def _no_store(cells: pa.StringArray) -> pa.BooleanArray:
    return pc.greater(pc.utf8_length(cells), 1000)


def _no_list(fits: Callable[[list[Any]], bool]) -> Callable[[pa.StringArray], pa.BooleanArray]:
    """Return what tells lists of JSON that do not fit, each distinct one read once. What is no list is told as that."""

    def wrong(cells: pa.StringArray) -> pa.BooleanArray:
        coded = cells.dictionary_encode()
        odd = pa.array([_is_odd(text, fits) for text in coded.dictionary.to_pylist()], pa.bool_())
        return odd.take(coded.indices)

    return wrong


def _is_odd(text: str, fits: Callable[[list[Any]], bool]) -> bool:
    try:
        found = json.loads(text, parse_float=str)  # a number with a point or an exponent is no campaign's
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and not fits(found)


def _are_codes(found: list[Any]) -> bool:
    return all(isinstance(code, str) and len(code) <= MOST_OF_CODE for code in found)


def _are_campaigns(found: list[Any]) -> bool:
    return all(isinstance(number, int) for number in found)


def _are_few(found: list[Any]) -> bool:
    return len(found) <= MOST_IDENTIFIERS


def _is_one_card(found: list[Any]) -> bool:
    return len(found) <= 1


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
        "coupon_codes": Field("couponCodes", "(list string)", wrong=_no_list(_are_codes), code="bad_codes"),
        "referral_code": Field("referralCode", wrong=_no_code, code="bad_code"),
        "store_integration_id": Field("storeIntegrationId", wrong=_no_store, code="id_too_long"),
        "identifiers": Field("identifiers", "(list string)", wrong=_no_list(_are_few), code="bad_identifiers"),
        "loyalty_cards": Field("loyaltyCards", "(list string)", wrong=_no_list(_is_one_card), code="bad_cards"),
        "evaluable_campaign_ids": Field(
            "evaluableCampaignIds", "(list number)", wrong=_no_list(_are_campaigns), code="bad_campaigns"
        ),
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
