"""When a client dies: at a random instant, at a point of the exchange, or at a step of its journal; all by seed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.account import Account, Exchange, Treatment
from benchmarks.children import HANGS, Nursery, kill
from benchmarks.failpoints import POINTS, STATEMENT, Point
from benchmarks.jobs import Order

KINDS = ("random", "timed", "journal")
MOMENTS = ("on_arrival", "on_receipt", "unapplied", "after_apply", "mid_response", "after_response")
_OFTEN = ("plan", "intend", "settle")
_LATEST = {STATEMENT: 160, **dict.fromkeys(_OFTEN, 14)}


@dataclass(frozen=True)
class Death:
    """How one client is to end. Which fields count depends on the `kind`."""

    kind: str
    name: str
    delay: float = 0.0
    from_first_request: bool = False
    request: int = 0
    point: Point | None = None


def choose_death(chance: random.Random, kind: str, *, seconds: float, requests: int) -> Death:
    """Choose a death for a run that takes about so many seconds and requests."""
    if kind == "random":
        late = chance.random() < 0.7
        delay = chance.uniform(0, seconds)
        return Death(kind, "while_sending" if late else "any_time", delay, from_first_request=late)
    if kind == "timed":
        return Death(kind, chance.choice(MOMENTS), request=chance.randint(1, max(1, requests)))
    name, when = chance.choice(POINTS)
    nth = chance.randint(1, _LATEST.get(name, 1))
    return Death(kind, f"{when}_{name}", point=(name, when, nth))


class Victim:
    """The client process that a server thread may have to kill before its pid has been read."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._pid = 0

    def is_now(self, pid: int) -> None:
        """Name the process."""
        self._pid = pid
        self._known.set()

    def kill(self) -> None:
        """Kill it as soon as it is known."""
        if self._known.wait(5):
            kill(self._pid)


def live(nursery: Nursery, order: Order, account: Account, death: Death | None, chance: random.Random) -> int:
    """Let one client run until it ends or is killed; return its status."""
    victim = Victim()
    _arm_server(account, death, victim, chance)
    account.called.clear()
    victim.is_now(pid := nursery.start(order))
    if death is not None and death.kind == "random" and not _ended_before(nursery, account, death):
        kill(pid)
    if not nursery.ended(HANGS):
        kill(pid)
        nursery.status()
        raise TimeoutError(f"a client hung for {HANGS:.0f} s")
    return nursery.status()


def _ended_before(nursery: Nursery, account: Account, death: Death) -> bool:
    """Wait for the instant; tell whether the client ended before it."""
    if death.from_first_request:
        while not account.called.is_set() and not nursery.ended(0.001):
            pass
    return nursery.ended(death.delay)


def _arm_server(account: Account, death: Death | None, victim: Victim, chance: random.Random) -> None:
    fatal = len(account.ledger) + death.request if death is not None and death.kind == "timed" else 0

    def treat(number: int) -> tuple[str, Treatment]:
        if number == fatal and death is not None:
            return death.name, _deadly(death.name, victim.kill)
        return "honest", _unhurried(chance.uniform(0, 0.004))

    account.treat = treat


def _unhurried(seconds: float) -> Treatment:
    """Work as servers do: some time passes before and after it is done."""

    def treat(exchange: Exchange) -> bool:
        exchange.read()
        time.sleep(seconds)
        exchange.apply()
        time.sleep(seconds / 4)
        exchange.reply()
        return True

    return treat


def _deadly(moment: str, kill: Callable[[], None]) -> Treatment:
    def treat(exchange: Exchange) -> bool:
        if moment == "on_arrival":
            kill()
        exchange.read()
        if moment in ("on_receipt", "unapplied"):
            kill()
        if moment == "unapplied":
            return False
        exchange.apply()
        if moment == "after_apply":
            kill()
        exchange.reply(middle=kill if moment == "mid_response" else None)
        if moment == "after_response":
            kill()
        return True

    return treat
