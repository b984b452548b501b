"""An account behind raw sockets that writes down whatever reaches it: the ledger by which the harnesses judge.

Nothing here knows t1data. A *treatment* says what happens to one request: it reads, applies or not, answers or not.
The ledger only grows; each entry says which rows came, with which values, what was done and what was answered.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fault_server import Act, Caller, answer, head

Fate = Literal["unread", "ignored", "turned_away", "refused", "applied"]
Profile = tuple[str, dict[str, Any]]


@dataclass
class Receipt:
    """One request, as the ledger has it.

    `fate` is what was done: ``unread`` (never wholly here), ``ignored`` (read and dropped), ``turned_away`` (a clear no
    to the request, whoever is in it), ``refused`` (a clear no because of its rows), ``applied``.
    """

    number: int
    life: int
    kind: str
    arrived: float
    profiles: tuple[Profile, ...] = ()
    fate: Fate = "unread"
    status: int | None = None
    answered: bool = False
    left: float = float("inf")
    asked: float = 0.0  # seconds that the answer asked to wait
    applied_at: float = 0.0  # by the server's calendar

    @property
    def ids(self) -> tuple[str, ...]:
        """Whom it was about."""
        return tuple(id_ for id_, _ in self.profiles)

    @property
    def confirmed(self) -> bool:
        """Whether it was applied and a whole success went back, or at least the whole head of one."""
        return self.fate == "applied" and self.answered and self.status in (200, 204)

    @property
    def open(self) -> bool:
        """Whether its sender cannot know what was done."""
        return self.fate == "applied" or (self.fate == "ignored") or (self.fate == "unread" and bool(self.profiles))


class Exchange:
    """One request in the hands of a treatment."""

    def __init__(self, account: Account, caller: Caller, receipt: Receipt) -> None:
        self.account = account
        self.caller = caller
        self.receipt = receipt

    def read(self) -> None:
        """Take in the whole request."""
        self.caller.read_body()
        if self.caller.entry.whole:
            self.receipt.profiles = self.account.wire.read(self.caller.entry.body)
            self.receipt.fate = "ignored"

    def apply(self) -> bool:
        """Do what was asked, all or nothing; tell whether it was done."""
        if not self.caller.entry.whole:
            return False
        done = not self.account.bad.intersection(id_ for id_, _ in self.receipt.profiles)
        self.receipt.applied_at = time.time()  # before its fate is known: others look at what was applied
        self.receipt.fate = "applied" if done else "refused"
        return done

    def reply(self, *, middle: Callable[[], None] | None = None) -> None:
        """Say what became of it; for `middle` see `say`."""
        if self.receipt.fate == "refused":
            errors = self.account.problems(self.receipt.profiles)
            self.say(400, {"message": "refused", "errors": errors}, middle=middle)
        elif self.receipt.fate == "applied":
            self.say(*self.account.wire.answer(self.receipt), middle=middle)

    def turn_away(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        """Refuse the request whole, whoever is in it."""
        self.receipt.fate = "turned_away"
        self.say(status, body, headers)

    def say(
        self,
        status: int,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        middle: Callable[[], None] | None = None,
    ) -> None:
        """Send an answer; `middle` happens when half of its bytes are out."""
        content = message(status, body, headers)
        self.receipt.status, self.receipt.answered = status, True
        self.receipt.asked = _seconds((headers or {}).get("Retry-After", ""))
        half = len(content) // 2 if middle else 0
        try:
            self.caller.send(content[:half])
            if middle:
                middle()
            self.receipt.left = time.monotonic()  # from the last byte on its sender may send again
            self.caller.send(content[half:])
        except OSError:
            self.receipt.answered = False
            raise


Treatment = Callable[[Exchange], bool]
"""What happens to a request; returns whether the connection stays open."""


def honest(exchange: Exchange) -> bool:
    """Read, apply, answer."""
    exchange.read()
    exchange.apply()
    exchange.reply()
    return True


@dataclass(frozen=True)
class Wire:
    """How one operation's bodies are read, and what a success says."""

    read: Callable[[bytes], tuple[Profile, ...]]
    answer: Callable[[Receipt], tuple[int, Any]]


def profiles_of(body: bytes) -> tuple[Profile, ...]:
    """Read a body with every number kept as it is written, so that 1.10 and 1.1 differ."""
    found = json.loads(body, parse_float=_number, parse_int=_number, parse_constant=_number)
    return tuple((profile["integrationId"], profile["attributes"]) for profile in found["customerProfiles"])


def _number(text: str) -> tuple[str, str]:
    return "number", text


def advocates_of(body: bytes) -> tuple[Profile, ...]:
    """Read for whom codes are asked."""
    return tuple((id_, {}) for id_ in json.loads(body)["advocateProfileIntegrationIds"])


def codes_of(receipt: Receipt) -> list[str]:
    """Return the codes that a request made, one for each advocate in turn."""
    return [f"CODE-{receipt.number}-{place}" for place in range(len(receipt.profiles))]


def _with_codes(receipt: Receipt) -> tuple[int, Any]:
    pairs = zip(receipt.ids, codes_of(receipt), strict=True)
    return 200, {"data": [{"id": 1, "advocateProfileIntegrationId": id_, "code": code} for id_, code in pairs]}


PROFILES = Wire(profiles_of, lambda receipt: (204, None))
REFERRALS = Wire(advocates_of, _with_codes)


@dataclass
class Account:
    """What the server holds: which ids it refuses and how it words that, and the ledger.

    `treat` gives the treatment of a request by its number, from 1, and a name for it. `look` answers requests to read,
    which change nothing and have no number.
    """

    treat: Callable[[int], tuple[str, Treatment]] = lambda number: ("honest", honest)
    bad: Collection[str] = frozenset()
    pointers: str = "none"
    look: Act = field(default_factory=lambda: answer(404))
    wire: Wire = PROFILES
    life: int = 0
    ledger: list[Receipt] = field(default_factory=list)
    called: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, caller: Caller) -> bool:
        """Take one request from a `FaultServer`."""
        if caller.entry.method == "GET":
            self.called.set()
            return self.look(caller)
        with self._lock:
            number = len(self.ledger) + 1
            kind, treatment = self.treat(number)
            receipt = Receipt(number, self.life, kind, time.monotonic())
            self.ledger.append(receipt)
        self.called.set()
        try:
            return treatment(Exchange(self, caller, receipt))
        finally:
            receipt.left = min(receipt.left, time.monotonic())

    def problems(self, profiles: tuple[Profile, ...]) -> list[dict[str, Any]]:
        """Word a refusal, with pointers that are right, missing, or lies."""
        found = [place for place, (id_, _) in enumerate(profiles) if id_ in self.bad]
        places = {
            "none": [None],
            "every": found,
            "first": found[:1],
            "lying": [(found[0] + 1) % len(profiles)],
            "outside": [len(profiles) + 7],
        }[self.pointers]
        return [_problem(place) for place in places]


def _seconds(text: str) -> float:
    return float(text) if text.replace(".", "").isdigit() else 0.0


def _problem(place: int | None) -> dict[str, Any]:
    said = {"title": "Invalid", "details": "this customer is not wanted"}
    return said if place is None else {**said, "source": {"pointer": f"/customerProfiles/{place}/attributes"}}


def message(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Build the bytes of an answer: JSON for a dict, bytes as they are."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    length = {} if status == 204 else {"Content-Length": str(len(content))}
    return head(status, {**kind, **length, **(headers or {})}) + content
