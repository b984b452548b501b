"""What can go wrong with an answer that carries codes, once they were made. Drawn and mixed by seed, as all faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.account import Exchange, Treatment, message
from benchmarks.mixes import KINDS, Kind

Change = Callable[[list[Any]], Any]


def altered(change: Change, *, status: int = 200, kind: str = "application/json") -> Treatment:
    """Make the codes, and answer with a list of them that is not as it should be."""

    def treat(exchange: Exchange) -> bool:
        exchange.read()
        if not exchange.apply():
            return False
        _, body = exchange.account.wire.answer(exchange.receipt)
        exchange.say(status, {"data": change(body["data"])}, {"Content-Type": kind})
        return True

    return treat


def cut_short(share: float) -> Treatment:
    """Make the codes, promise the whole answer and break off in it."""

    def treat(exchange: Exchange) -> bool:
        exchange.read()
        if exchange.apply():
            whole = message(*exchange.account.wire.answer(exchange.receipt))
            exchange.receipt.status = 200
            exchange.caller.send(whole[: int(share * len(whole))])
        return False

    return treat


def says_nothing(exchange: Exchange) -> bool:
    """Make the codes and keep them, as the API does by default."""
    exchange.read()
    exchange.apply()
    exchange.say(204)
    return True


def _as_it_is(data: list[Any]) -> list[Any]:
    return data


def _fewer(share: float) -> Change:
    return lambda data: data[: int(share * len(data))]


def _with_strangers(data: list[Any]) -> list[Any]:
    return [{**data[0], "advocateProfileIntegrationId": "nobody asked", "code": "SURPLUS"}, *data]


def _backwards(data: list[Any]) -> list[Any]:
    return [{**item, "surprise": {"x": 1}} for item in reversed(data)]


def _spoilt(data: list[Any]) -> list[Any]:
    return [{**item, "code": 1} if place % 2 else item for place, item in enumerate(data)]


CODE_KINDS: dict[str, Kind] = {
    **{name: kind for name, kind in KINDS.items() if name != "409"},  # there it says that the row is at fault
    "codes_with_odd_status": lambda chance: altered(_as_it_is, status=chance.choice((206, 299, 500, 503))),
    "codes_as_page": lambda chance: altered(_as_it_is, kind="text/html"),
    "codes_cut": lambda chance: cut_short(chance.random()),
    "codes_not_shown": lambda chance: says_nothing,
    "fewer_codes": lambda chance: altered(_fewer(chance.random())),
    "no_codes": lambda chance: altered(chance.choice((lambda data: None, lambda data: "soon", lambda data: []))),
    "more_codes": lambda chance: altered(_with_strangers),
    "each_code_twice": lambda chance: altered(lambda data: data + data),
    "other_order": lambda chance: altered(_backwards),
    "spoilt_codes": lambda chance: altered(_spoilt),
    "garbled": lambda chance: altered(lambda data: json.dumps(data)),
}
