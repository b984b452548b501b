"""The facts about each operation of the Integration API, in one table.

Whether an operation may be repeated stands here and nowhere else. *Repeatable* means that a second
request with the same content leaves the account as the first one left it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from urllib.parse import quote, urlencode

from t1data.errors import InputError

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Operation:
    """One line of the table.

    Parameters
    ----------
    name : str
        The operation in snake case.
    method, path : str
        As sent; the path has a ``{place}`` for each value.
    success : tuple of int
        Statuses that mean done.
    repeatable : bool
        Whether the same request may go out twice.
    batch_field : str, optional
        The field of the body that holds the batch.
    batch_limit : int, optional
        How many items the batch may hold.
    content : str
        What an answer holds: ``"json"``, ``"csv"``, or ``"any"``.
    """

    name: str
    method: str
    path: str
    success: tuple[int, ...]
    repeatable: bool
    batch_field: str | None = None
    batch_limit: int | None = None
    content: str = "json"

    @property
    def writes(self) -> bool:
        """Whether it changes anything in the account."""
        return self.method != "GET"

    def target(self, values: Sequence[str | int] = (), query: Mapping[str, str] | None = None) -> str:
        """Build path and query as they go on the wire, every value percent-encoded once.

        Raises
        ------
        InputError
            A value is missing or too many, empty, no text, ``.`` or ``..``; or one of the query is no Unicode.

        Examples
        --------
        >>> OPERATIONS["get_customer_inventory"].target(["a/b %"], {"profile": "true"})
        '/v1/customer_profiles/a%2Fb%20%25/inventory?profile=true'
        """
        places = _PLACE.findall(self.path)
        if len(places) != len(values):
            raise InputError(f"{self.name} takes {len(places)} path value(s), not {len(values)}.")
        encoded = {place: _segment(self.name, value) for place, value in zip(places, values, strict=True)}
        path = _PLACE.sub(lambda match: encoded[match[1]], self.path)
        return f"{path}?{_query(self.name, tuple(query.items()))}" if query else path

    def check_batch(self, body: object) -> None:
        """Refuse a body with more items than the API takes at once; ready bytes are not looked into.

        Raises
        ------
        InputError
            With the limit and the number.
        """
        if self.batch_field is None or not isinstance(body, Mapping):
            return
        items = body.get(self.batch_field)
        if isinstance(items, Sized) and self.batch_limit is not None and len(items) > self.batch_limit:
            raise InputError(f"{self.name} takes up to {self.batch_limit} items at once, not {len(items)}.")


def _segment(operation: str, value: str | int) -> str:
    # Integral, for an id out of a frame is an integer of numpy's; a bool is one too, and never meant.
    if isinstance(value, bool) or not isinstance(value, str | Integral):
        raise InputError(f"{operation} takes text or an integer in its path, not {type(value).__name__}.")
    text = str(value)
    # Every server and proxy on the way removes dot segments, even escaped ones: DELETE …/.. hits the parent.
    if text in ("", ".", ".."):
        raise InputError(f"{operation} cannot address an empty id, '.' or '..': no URL can name it.")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InputError(f"{operation} got an id that is not valid Unicode (half a surrogate pair).") from None


@lru_cache(maxsize=64)  # a job says the same options with each request, and to encode six of them takes 25 µs
def _query(operation: str, query: tuple[tuple[str, str], ...]) -> str:
    try:
        return urlencode(query, quote_via=quote)
    except UnicodeEncodeError:
        raise InputError(f"{operation} got an option that is not valid Unicode (half a surrogate pair).") from None


_DONE = (204, 200)  # with nothing to read
_GOODS = (200, 201)  # the body is what was asked for; both codes have been seen for one operation
_EITHER = (200, 201, 204)  # as `silent` says

_TABLE = (
    # 409 on creation means "exists already", and a second audience of the same name would be a new one.
    Operation("create_audience_v2", "POST", "/v2/audiences", _GOODS, False),
    Operation("update_audience_v2", "PUT", "/v2/audiences/{audienceId}", _GOODS, True),
    Operation("delete_audience_v2", "DELETE", "/v2/audiences/{audienceId}", _DONE, True),
    Operation("delete_audience_memberships_v2", "DELETE", "/v2/audiences/{audienceId}/memberships", _DONE, True),
    Operation("update_customer_profile_audiences", "POST", "/v2/customer_audiences", _DONE, True, "data", 1000),
    Operation(
        "update_audience_customers_attributes",
        "PUT",
        "/v2/audience_customers/{audienceId}/attributes",
        _DONE,
        True,
    ),
    Operation("update_customer_profile_v2", "PUT", "/v2/customer_profiles/{integrationId}", _GOODS, True),
    Operation(
        "update_customer_profiles_v2",
        "PUT",
        "/v2/customer_profiles",
        _EITHER,
        True,
        "customerProfiles",
        1000,
    ),
    Operation("get_customer_inventory", "GET", "/v1/customer_profiles/{integrationId}/inventory", _GOODS, True),
    Operation("delete_customer_data", "DELETE", "/v1/customer_data/{integrationId}", _DONE, True),
    # Reservations count as a set of customers; that a second one changes nothing is our reading, nobody says it.
    Operation(
        "create_coupon_reservation",
        "POST",
        "/v1/coupon_reservations/{couponValue}",
        _GOODS,
        True,
        "integrationIDs",
        1000,
    ),
    Operation(
        "delete_coupon_reservation",
        "DELETE",
        "/v1/coupon_reservations/{couponValue}",
        _DONE,
        True,
        "integrationIDs",
        1000,
    ),
    Operation(
        "get_reserved_customers",
        "GET",
        "/v1/coupon_reservations/customerprofiles/{couponValue}",
        _GOODS,
        True,
    ),
    # Each request makes new codes, and the API has no idempotency key for them.
    Operation("create_referral", "POST", "/v1/referrals", _GOODS, False),
    Operation(
        "create_referrals_for_multiple_advocates",
        "POST",
        "/v1/referrals_for_multiple_advocates",
        _EITHER,
        False,
        "advocateProfileIntegrationIds",
        1000,
    ),
    Operation("update_customer_session_v2", "PUT", "/v2/customer_sessions/{customerSessionId}", _GOODS, True),
    # Each event fires the rules again.
    Operation("track_event", "POST", "/v1/events", _GOODS, False),
    Operation("track_event_v2", "POST", "/v2/events", _EITHER, False),
    Operation("get_customer_session", "GET", "/v2/customer_sessions/{customerSessionId}", _GOODS, True),
    Operation("authping", "GET", "/v2/authping", _EITHER, True, content="any"),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _TABLE}
"""The 17 operations of the Integration API, `track_event_v2`, `get_customer_session` and `authping`, by name."""


def operation_named(name: str) -> Operation:
    """Find an operation in the table.

    Raises
    ------
    InputError
        There is none of this name; the message lists those that there are.
    """
    try:
        return OPERATIONS[name]
    except KeyError:
        raise InputError(f"There is no operation {name!r}; there are {', '.join(OPERATIONS)}.") from None
