"""The Integration API: one short method an operation, over one table of facts."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from os import PathLike
from typing import Any, Literal, Self

from t1data.body import Body, encode_query
from t1data.config import Settings, settings_named, settings_of
from t1data.door import Door
from t1data.lock import LiveLock
from t1data.management import Management
from t1data.transport.key import ApiKey, as_key
from t1data.transport.operations import OPERATIONS, Operation, operation_named
from t1data.transport.pace_file import PaceName, make_pacer
from t1data.transport.retry import Limits
from t1data.transport.transport import Answer, OnWait
from t1data.words import paragraph

__all__ = ["OPERATIONS", "Client", "Operation"]

Json = Any
Flag = bool | None
Rate = float | None
Silent = Literal["yes", "no"] | None


class Client:
    """A connection to one Talon.One deployment, safe to share between threads.

    Methods bear the operations' own names. They take the path's values positionally, the body as a plain
    mapping in the API's own shape (or as ready JSON bytes) and options as keywords; an option that is left
    out is not sent. They return the parsed JSON, numbers with a point as float, or None for an empty answer.

    Parameters
    ----------
    base_url : str
        ``https://<name>.<region>.talon.one``; plain http only for this machine.
    api_key : str
        The key of the Integration API.
    management_key : str, optional
        The key of the Management API, for `management`.
    rate : float or None, default 20
        Requests a second, evenly spaced over all threads; None for no limit. Less for a while after a refusal.
    connections : int, default 32
        How many idle connections are kept.
    limits : Limits
        Attempts, waits, deadlines and sizes.
    live_name : str, optional
        Name of a live environment. Writes are then refused until `unlock` is called with it.
    pace : {"own", "shared"}
        With "shared", all processes of this user that say so for the same base URL keep to one pace together.

    Attributes
    ----------
    base_url, rate, live_name
        As given; the URL without a slash at the end.
    key_hint : str
        The last four characters of the key, for people to tell keys apart.
    management : Management or None
        The Management API, when there is a key for it; it shares the lock and has a pace of its own.

    Raises
    ------
    ConfigError
        The base URL, the key or the file of the shared pace cannot be used.

    Examples
    --------
    >>> client = Client("https://shop.europe-west1.talon.one", "0123456789abcdef")
    >>> client
    Client(https://shop.europe-west1.talon.one, key …cdef, 20/s)
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | ApiKey,
        *,
        management_key: str | ApiKey | None = None,
        rate: Rate = 20,
        connections: int = 32,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        live_name: str | None = None,
        pace: PaceName = "own",
    ) -> None:
        self.base_url, self.key_hint = "", "…"  # for who draws a half-made one
        self.rate, self.live_name = rate, live_name
        key, manager = as_key(api_key), as_key(management_key, scheme="ManagementKey-v1") if management_key else None
        del api_key, management_key  # a traceback that shows locals must not show keys
        lock, pacer = LiveLock(live_name), make_pacer(rate, pace=pace, base_url=base_url)
        self._door = Door(base_url, key, pacer=lambda name: pacer, limits=limits, lock=lock, connections=connections)
        self.management = Management(base_url, manager, limits=limits, lock=lock) if manager else None
        self.base_url, self.key_hint = self._door.url, key.hint

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None, *, rate: Rate = 20, pace: PaceName = "own") -> Self:
        """Make a client from ``T1DATA_BASE_URL``, ``T1DATA_API_KEY`` and, if there, ``T1DATA_MANAGEMENT_KEY``."""
        return cls._from(settings_of(environment), rate, pace)

    @classmethod
    def from_config(
        cls, name: str, *, path: str | PathLike[str] | None = None, rate: Rate = 20, pace: PaceName = "own"
    ) -> Self:
        """Make a client for a named environment; see `t1data.config`."""
        return cls._from(settings_named(name, path=path), rate, pace)

    @classmethod
    def _from(cls, found: Settings, rate: Rate, pace: PaceName) -> Self:
        key, other, live = found.api_key, found.management_key, found.live_name
        return cls(found.base_url, key, management_key=other, rate=rate, live_name=live, pace=pace)

    def key_fingerprint(self, salt: bytes) -> str:
        """Give a salted digest of the key, by which two runs can tell that they used the same one."""
        return self._door.key.fingerprint(salt)

    def __repr__(self) -> str:
        pace = "no limit" if self.rate is None else f"{self.rate:g}/s"
        return f"Client({self.base_url}, key {self.key_hint}, {pace})"

    def _repr_html_(self) -> str:
        return paragraph(repr(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up idle connections."""
        self._door.close()
        if self.management is not None:
            self.management.close()

    def unlock(self, name: str) -> None:
        """Allow writes to a live environment, by its name; another name is a `ConfigError`."""
        self._door.lock.open(name)

    def check_unlocked(self, operation: str) -> None:
        """Raise a `ConfigError` before a long job when the live environment is locked for `operation`."""
        self._door.lock.check(operation_named(operation))

    def reach(self) -> None:
        """Open the first connection, so that a wrong host, port or certificate is told at once; no request is sent."""
        self._door.reach()

    def send(
        self,
        operation: str,
        *values: str | int,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        stop: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Answer:
        """Send one operation by name: the door of all methods and of the bulk engine.

        Parameters
        ----------
        operation : str
            A name in `OPERATIONS`.
        *values : str or int
            The path's values, in order.
        query : mapping of str to str
            In the API's own names and values.
        body : mapping, bytes or memoryview
            Ready bytes are sent as they are, without a look at what they hold.
        stop, on_wait
            See `Transport.send`.

        Raises
        ------
        InputError, ConfigError, RequestError
            After the first two nothing was sent; `t1data.errors` shows the branches of the third.
        """
        facts = operation_named(operation)
        return self._door.send(facts, values, query=query, body=body, stop=stop, on_wait=on_wait)

    def _call(self, operation: str, *values: str | int, body: Body | None = None, **options: Any) -> Json:
        return self.send(operation, *values, query=encode_query(options), body=body).json()

    def authping(self) -> Json:
        """Check host and key, where the server has this operation."""
        return self._call("authping")

    def create_audience_v2(self, body: Body) -> Json:
        """Create an audience (``{"name": …}``) and return it with its ``id``; never repeated by itself."""
        return self._call("create_audience_v2", body=body)

    def update_audience_v2(self, audience_id: int, body: Body) -> Json:
        """Rename an audience (``{"name": …}``) and return it."""
        return self._call("update_audience_v2", audience_id, body=body)

    def delete_audience_v2(self, audience_id: int) -> Json:
        """Delete an audience and every membership in it; the profiles stay."""
        return self._call("delete_audience_v2", audience_id)

    def delete_audience_memberships_v2(self, audience_id: int) -> Json:
        """Empty an audience; audience and profiles stay."""
        return self._call("delete_audience_memberships_v2", audience_id)

    def update_customer_profile_audiences(self, body: Body) -> Json:
        """Add customers to audiences and take them out, up to 1000 actions.

        The body is ``{"data": [{"action": "add" or "delete", "profileIntegrationId": …, "audienceId": …}]}``.
        Adding an unknown profile creates it.
        """
        return self._call("update_customer_profile_audiences", body=body)

    def update_audience_customers_attributes(self, audience_id: int, body: Body) -> Json:
        """Set the same attributes (``{name: value}``) on every present member of an audience."""
        return self._call("update_audience_customers_attributes", audience_id, body=body)

    def update_customer_profile_v2(
        self, integration_id: str, body: Body, *, run_rule_engine: Flag = None, dry: Flag = None
    ) -> Json:
        """Create or update one customer; ``attributes`` are merged, null removes one.

        With `run_rule_engine` the answer holds effects; `dry` (only together with it) stores nothing.
        """
        options: dict[str, Flag] = {"run_rule_engine": run_rule_engine, "dry": dry}
        return self._call("update_customer_profile_v2", integration_id, body=body, **options)

    def update_customer_profiles_v2(self, body: Body, *, silent: Silent = None) -> Json:
        """Create or update up to 1000 customers.

        The body is ``{"customerProfiles": [{"integrationId": …, "attributes": {…}}]}``. The answer is None,
        unless `silent` is ``"no"``. Frames and files go through `t1data.upsert_profiles`.
        """
        return self._call("update_customer_profiles_v2", body=body, silent=silent)

    def get_customer_inventory(
        self,
        integration_id: str,
        *,
        profile: Flag = None,
        referrals: Flag = None,
        coupons: Flag = None,
        loyalty: Flag = None,
        giveaways: Flag = None,
        achievements: Flag = None,
    ) -> Json:
        """Read what one customer has; each part comes only when it is asked for with True."""
        parts: dict[str, Any] = {"profile": profile, "referrals": referrals, "coupons": coupons, "loyalty": loyalty}
        more: dict[str, Any] = {"giveaways": giveaways, "achievements": achievements}
        return self._call("get_customer_inventory", integration_id, **parts, **more)

    def delete_customer_data(self, integration_id: str) -> Json:
        """Wipe all attributes of a customer, and of all that belongs to the customer."""
        return self._call("delete_customer_data", integration_id)

    def create_coupon_reservation(self, coupon_value: str, body: Body) -> Json:
        """Reserve a coupon for up to 1000 customers (``{"integrationIDs": […]}``) and return the coupon."""
        return self._call("create_coupon_reservation", coupon_value, body=body)

    def delete_coupon_reservation(self, coupon_value: str, body: Body) -> Json:
        """Take a coupon's reservation from up to 1000 customers (``{"integrationIDs": […]}``)."""
        return self._call("delete_coupon_reservation", coupon_value, body=body)

    def get_reserved_customers(self, coupon_value: str) -> Json:
        """Read the profiles that hold a reservation of a coupon, under ``data``."""
        return self._call("get_reserved_customers", coupon_value)

    def create_referral(self, body: Body) -> Json:
        """Create one code (``{"campaignId": …, "advocateProfileIntegrationId": …}``); never repeated by itself."""
        return self._call("create_referral", body=body)

    def create_referrals_for_multiple_advocates(self, body: Body, *, silent: Silent = None) -> Json:
        """Create a referral code for each of up to 1000 advocates; never repeated by itself.

        The body is ``{"campaignId": …, "advocateProfileIntegrationIds": […], "usageLimit": …}``. Without
        ``silent="no"`` the server creates the codes and does not tell them.
        """
        return self._call("create_referrals_for_multiple_advocates", body=body, silent=silent)

    def update_customer_session_v2(
        self, customer_session_id: str, body: Body, *, dry: Flag = None, now: datetime | str | None = None
    ) -> Json:
        """Create or update a session (``{"customerSession": {…}}``) and return its effects."""
        return self._call("update_customer_session_v2", customer_session_id, body=body, dry=dry, now=now)

    def get_customer_session(self, customer_session_id: str) -> Json:
        """Read a session as it stands, under ``customerSession``, and the effects of its last update."""
        return self._call("get_customer_session", customer_session_id)

    def track_event(self, body: Body, *, dry: Flag = None) -> Json:
        """Track a custom event in a session, the way of 2021; see `track_event_v2`. Never repeated by itself."""
        return self._call("track_event", body=body, dry=dry)

    def track_event_v2(
        self, body: Body, *, silent: Silent = None, dry: Flag = None, force_complete_evaluation: Flag = None
    ) -> Json:
        """Track a custom event (``{"profileId": …, "type": …, "attributes": {…}}``); never repeated by itself."""
        return self._call(
            "track_event_v2", body=body, silent=silent, dry=dry, force_complete_evaluation=force_complete_evaluation
        )
