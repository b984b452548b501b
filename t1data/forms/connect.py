"""The form that connects: where to, and keys that no notebook keeps."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as W

from t1data.client import Client
from t1data.config import Settings, list_environments, settings_named, settings_of
from t1data.errors import AuthError, ConfigError, NotFoundError, T1DataError
from t1data.forms import html
from t1data.forms.fields import LAYOUT, STYLE, text
from t1data.forms.pieces import bundle, button, framed, row, show
from t1data.forms.secret import taken_password
from t1data.forms.words import error_line, many
from t1data.forms.work import EVERY, work
from t1data.transport.key import ApiKey
from t1data.transport.retry import Limits

WITHOUT_FIELD = {
    "connections": "of no use to people",
    "limits": "of no use to people; the test itself waits ten seconds at most",
    "live_name": "an environment of the configuration file says that it is live, under its own name",
}
"""Parameters of `Client` that no field feeds, each with its reason."""

_IMPATIENT = Limits(attempts=1, connect=5.0, deadline=10.0)
_TYPED, _VARIABLES = "", "\0variables"
_OVERTAKEN = 2.0  # a key may arrive so many seconds after the click that the person made after it


class ConnectForm:
    """Asks where to connect to, tries it, and has the client from then on.

    Parameters
    ----------
    base_url : str
        What the field says at first.
    clock : callable
        Monotonic seconds.
    every : float
        Seconds between two looks at what goes on.

    Attributes
    ----------
    widget : Widget
        All of it, for pages that hold more.
    state : str
        ``"not connected"``, ``"trying"`` or ``"connected"``.
    """

    def __init__(
        self, *, base_url: str = "", clock: Callable[[], float] = time.monotonic, every: float = EVERY
    ) -> None:
        self.state = "not connected"
        self._clock, self._every, self._pressed = clock, every, -_OVERTAKEN
        self._client: Client | None = None
        self._keys: dict[str, ApiKey] = {}
        self._attempt: object = None
        self._thread: threading.Thread | None = None
        self._where = W.Dropdown(options=_places(), description="Connect with", style=STYLE, layout=LAYOUT)
        self._url = W.Text(value=base_url, description="Base URL", placeholder=_EXAMPLE, style=STYLE, layout=LAYOUT)
        self._key = taken_password("API key", take=self._taker("ApiKey-v1"))
        self._management = taken_password("Management key", take=self._taker("ManagementKey-v1"))
        self._rate = text("rate", "Requests a second", hint="20 when left empty; none for no limit")
        self._shared = W.Checkbox(
            value=False, description="Share this pace with others here", indent=False, layout=LAYOUT
        )
        self._test = button("Test connection", "Ask the server whether it takes the key; changes nothing", self._try)
        self._test.add_class("t1-primary")
        self._said = W.HTML(html.status("Not connected."))
        self._live = W.Text(description="Type its name", style=STYLE, layout=LAYOUT)
        self._live.observe(self._unlock, "value")
        show(self._live, False)
        self._typed = W.VBox([self._url, self._key, self._management])
        self.widget = framed(
            [
                W.HTML(html.heading("Connect", level=2) + html.note(_ABOUT)),
                self._where,
                self._typed,
                self._rate.widget,
                self._shared,
                row([self._test]),
                self._said,
                self._live,
            ]
        )
        show(self._typed, self._where.value == _TYPED)
        self._where.observe(self._switch, "value")
        for widget in (self._where, self._url, self._rate.widget, self._shared):
            widget.observe(lambda _: self._change(), "value")

    @property
    def client(self) -> Client:
        """The client that was tried.

        Raises
        ------
        ConfigError
            There is none yet.
        """
        if self._client is None:
            raise ConfigError("Not connected yet: fill in Connect, and press Test connection")
        return self._client

    def wait(self, timeout: float | None = None) -> None:
        """Return when nothing is under way; for code, since people see it on the page."""
        if self._thread is not None:
            self._thread.join(timeout)

    def __repr__(self) -> str:
        return f"<Form Connect: {self.state}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(self.widget, repr(self))

    def _taker(self, scheme: str) -> Callable[[str], str]:
        def take(typed: str) -> str:
            key = ApiKey(typed.strip(), scheme=scheme)
            self._keys[scheme] = key
            self._change()
            return f"kept in this kernel ({key.hint})"

        return take

    def _switch(self, change: dict[str, str]) -> None:
        show(self._typed, change["new"] == _TYPED)

    def _change(self) -> None:
        self._client, self.state, self._attempt = None, "not connected", None
        self._test.disabled, self._live.value = False, ""
        show(self._live, False)
        self._said.value = html.status("Not connected: test the connection.")
        if self._clock() - self._pressed < _OVERTAKEN:
            self._try()

    def _try(self) -> None:
        if self.state == "trying":
            return
        self._pressed = self._clock()
        self._attempt = attempt = object()
        try:
            client, impatient = self._make(Limits()), self._make(_IMPATIENT)
        except (T1DataError, OSError) as error:
            self._fail(attempt, error)
            return
        self.state, self._test.disabled = "trying", True
        self._said.value = html.status("Trying: ten seconds at most.")
        self._thread = work(
            lambda: _ask(impatient, self._clock),
            done=lambda found: self._succeed(attempt, client, found),
            failed=lambda error: self._fail(attempt, error),
            every=self._every,
        )

    def _make(self, limits: Limits) -> Client:
        found = self._settings()
        return Client(
            found.base_url,
            found.api_key,
            management_key=found.management_key,
            rate=_rate_of(self._rate.arguments().get("rate")),
            live_name=found.live_name,
            limits=limits,
            pace="shared" if self._shared.value else "own",
        )

    def _settings(self) -> Settings:
        place = self._where.value
        if place == _VARIABLES:
            return settings_of()
        if place != _TYPED:
            return settings_named(place)
        if not self._url.value.strip():
            raise ConfigError(f"The base URL is missing: {_EXAMPLE}")
        if "ApiKey-v1" not in self._keys:
            raise ConfigError("The API key is missing: paste it, and leave the field")
        return Settings(self._url.value.strip(), self._keys["ApiKey-v1"], self._keys.get("ManagementKey-v1"), None)

    def _succeed(self, attempt: object, client: Client, found: str) -> None:
        if attempt is self._attempt:
            self._client, self.state, self._test.disabled = client, "connected", False
            live = f" This is the live environment {client.live_name}: forms ask for its name before they send, and"
            live += " runs of earlier days go on once it is typed here."
            said = f"Connected to {client.base_url}, key {client.key_hint}, {found}.{live if client.live_name else ''}"
            self._said.value = html.status(said)
            show(self._live, client.live_name is not None)

    def _unlock(self, change: dict[str, str]) -> None:
        if self._client is not None and change["new"].strip() == self._client.live_name:
            self._client.unlock(self._client.live_name)

    def _fail(self, attempt: object, error: BaseException) -> None:
        if attempt is self._attempt:
            self.state, self._test.disabled = "not connected", False
            self._said.value = html.alert(_in_words(error), word="Not connected")


_ABOUT = "Keys stay in this kernel: in no notebook, no file and no log."
_EXAMPLE = "https://<name>.<region>.talon.one"


def connect(*, base_url: str = "") -> ConnectForm:
    """Return a form that connects; the other forms take it in place of a client.

    Parameters
    ----------
    base_url : str
        What its field says at first. There is no such argument for a key: what stands in a cell is saved.

    Returns
    -------
    ConnectForm
        ``form.client`` is the client, once it is connected.

    Examples
    --------
    >>> connect(base_url="https://shop.talon.one")
    <Form Connect: not connected>
    """
    return ConnectForm(base_url=base_url)


def _places(environment: Mapping[str, str] = os.environ) -> list[tuple[str, str]]:
    """Return where settings can come from, the variables first; a file that cannot be read names none."""
    variables = [("the T1DATA_ variables of this server", _VARIABLES)] if environment.get("T1DATA_API_KEY") else []
    try:
        named = [(f"environment {each.name}", each.name) for each in list_environments()]
    except ConfigError:
        named = []
    return [*variables, ("what I type here", _TYPED), *named]


def _ask(client: Client, clock: Callable[[], float]) -> str:
    """Find out whether the server takes the keys, by reading only."""
    client.reach()
    began = clock()
    try:
        client.authping()
    except NotFoundError:  # not every server has it; a customer that nobody has is refused after the key is taken
        _ask_for_nobody(client)
    took = f"{(clock() - began) * 1000:,.0f} ms"
    if client.management is None:
        return took
    attributes = client.management.list_attributes(entity="CustomerProfile")
    return f"{took}, {many(len(attributes), 'attribute')} of customers"


def _ask_for_nobody(client: Client) -> None:
    try:
        client.get_customer_inventory("t1data-asks-whether-the-key-is-taken")
    except NotFoundError:
        return


def _rate_of(typed: str | None) -> float | None:
    if typed is None:
        return 20
    if typed.lower() == "none":
        return None
    try:
        rate = float(typed)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ConfigError(f"Requests a second: {typed!r} is no number above 0, and not none")
    return rate


def _in_words(error: BaseException) -> str:
    if isinstance(error, AuthError):
        return f"the API key was not accepted by this server ({error.status}). Is it of this environment, and whole?"
    return error_line(error)
