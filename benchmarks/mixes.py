"""Faults by the dozen: what a server, a proxy or the wire can do to a request, drawn and mixed by seed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.account import Exchange, Treatment, honest
from t1data.transport.retry import Limits

HTML = b"<html><body>Please log in</body></html>"
DEADLINE = 0.4  # seconds that the client under test gives one attempt; every slow fault is held against it
IMPATIENT = Limits(first_backoff=0.001, last_backoff=0.004, seconds=20, connect=2, deadline=DEADLINE)


def reset_before(exchange: Exchange) -> bool:
    """Read everything, do nothing, reset."""
    exchange.read()
    exchange.caller.reset()
    return False


def reset_early(exchange: Exchange) -> bool:
    """Reset before the body is in."""
    exchange.caller.read_body(40)
    exchange.caller.reset()
    return False


def reset_after_apply(exchange: Exchange) -> bool:
    """Do what was asked, reset."""
    exchange.read()
    exchange.apply()
    exchange.caller.reset()
    return False


def silent(exchange: Exchange) -> bool:
    """Read, do nothing, say nothing until the client gives up."""
    exchange.read()
    exchange.receipt.left = exchange.receipt.arrived
    exchange.caller.closing.wait(1.5 * DEADLINE)
    return False


def silent_after_apply(exchange: Exchange) -> bool:
    """Do what was asked and never say so."""
    exchange.read()
    exchange.apply()
    exchange.receipt.left = exchange.receipt.arrived
    exchange.caller.closing.wait(1.5 * DEADLINE)
    return False


def slow(exchange: Exchange) -> bool:
    """Take a while, and answer well."""
    exchange.read()
    time.sleep(DEADLINE / 8)
    exchange.apply()
    exchange.reply()
    return True


def half_response(exchange: Exchange) -> bool:
    """Do what was asked and break off in the head of the answer."""
    exchange.read()
    exchange.apply()
    exchange.caller.send(b"HTTP/1.1 20")
    exchange.caller.reset()
    return False


def half_body(exchange: Exchange) -> bool:
    """Answer with a whole head that says that it is done, which counts by rule P3, and break off in the body."""
    exchange.read()
    if not exchange.apply():
        exchange.reply()
        return False
    exchange.receipt.status, exchange.receipt.answered = 200, True
    exchange.caller.send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"custo')
    return False


def closes_idle(exchange: Exchange) -> bool:
    """Answer well, promise to keep the connection, and close it at once: the next request on it is lost."""
    honest(exchange)
    return False


def busy(headers: dict[str, str]) -> Treatment:
    """Answer 429, with some word or none about when to come back."""
    return turned_away(429, {"message": "too many"}, headers)


def turned_away(status: int, body: Any, headers: dict[str, str] | None = None) -> Treatment:
    """Refuse the request whole, without doing anything."""

    def treat(exchange: Exchange) -> bool:
        exchange.read()
        exchange.turn_away(status, body, headers)
        return True

    return treat


def fails(status: int, *, applied: bool, body: Any = None, headers: dict[str, str] | None = None) -> Treatment:
    """Answer with a status that does not tell what was done."""

    def treat(exchange: Exchange) -> bool:
        exchange.read()
        if applied:
            exchange.apply()
        exchange.say(status, body if body is not None else {"message": "oh"}, headers)
        return True

    return treat


Kind = Callable[[random.Random], Treatment]
KINDS: dict[str, Kind] = {
    "reset_before": lambda chance: reset_before,
    "reset_early": lambda chance: reset_early,
    "reset_after_apply": lambda chance: reset_after_apply,
    "silent": lambda chance: silent,
    "silent_after_apply": lambda chance: silent_after_apply,
    "slow": lambda chance: slow,
    "half_response": lambda chance: half_response,
    "half_body": lambda chance: half_body,
    "stale_connection": lambda chance: closes_idle,
    "429_bare": lambda chance: busy({}),
    "429_asks": lambda chance: busy({"Retry-After": chance.choice(("0", "0.05", "0.1"))}),
    "429_nonsense": lambda chance: busy({"Retry-After": chance.choice(("soon", "-5", "NaN", "Mon, 99 Foo"))}),
    "500": lambda chance: fails(chance.choice((500, 502, 504)), applied=chance.random() < 0.5),
    "503": lambda chance: fails(503, applied=chance.random() < 0.5, headers={"Retry-After": "0.05"}),
    "409": lambda chance: turned_away(409, {"message": "at the same time"}),
    "html_200": lambda chance: fails(
        200, applied=chance.random() < 0.3, body=HTML, headers={"Content-Type": "text/html; charset=utf-8"}
    ),
    "redirect": lambda chance: turned_away(
        chance.choice((301, 302, 307, 308)), None, {"Location": "http://127.0.0.1:9/"}
    ),
    "odd_status": lambda chance: fails(chance.choice((206, 299, 599)), applied=False),
    "404": lambda chance: turned_away(404, {"message": "no such route"}),
}
SLOW = ("silent", "silent_after_apply")  # no more than two of these in a mix, since each takes a real wait


@dataclass(frozen=True)
class Mix:
    """What happens to the requests of one run and of those that go on with it: by number, until the faults run out."""

    faults: dict[int, tuple[str, Treatment]]
    largest: int | None
    unauthorised: range

    @property
    def kinds(self) -> set[str]:
        """The kinds of fault in it."""
        return {name for name, _ in self.faults.values()}

    def treat(self, number: int) -> tuple[str, Treatment]:
        """Return what happens to a request."""
        if number in self.unauthorised:
            return "401", turned_away(401, {"message": "who are you"})
        name, treatment = self.faults.get(number, ("honest", honest))
        return name, treatment if self.largest is None else limited(treatment, self.largest)


def limited(treatment: Treatment, largest: int) -> Treatment:
    """Refuse bodies of more than so many bytes first."""

    def treat(exchange: Exchange) -> bool:
        length = int((exchange.caller.entry.header("Content-Length") or ["0"])[0])
        if length <= largest:
            return treatment(exchange)
        exchange.receipt.kind = "413"
        return turned_away(413, {"message": "too large"})(exchange)

    return treat


def make_mix(chance: random.Random, requests: int, known: Mapping[str, Kind] = KINDS) -> Mix:
    """Mix at least six kinds of fault over the requests to come, at a rate that is drawn too."""
    kinds = chance.sample(sorted(known), chance.randint(6, 10))
    rate, slow_left = chance.choice((0.05, 0.15, 0.4)), 2
    faults = {}
    for number in range(1, 2 * requests):
        if chance.random() < rate or number <= len(kinds):
            name = kinds[number - 1] if number <= len(kinds) else chance.choice(kinds)
            slow_left -= name in SLOW
            if name not in SLOW or slow_left >= 0:
                faults[number + chance.randrange(requests) if number <= len(kinds) else number] = (
                    name,
                    known[name](chance),
                )
    start = chance.randint(1, 2 * requests)
    away = range(start, start + chance.randint(1, 6)) if chance.random() < 0.3 else range(0)
    return Mix(faults, chance.choice((None, None, None, 1500)), away)
