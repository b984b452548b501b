"""Every course that a run can take, at a small size: all orders of steps, all answers, a crash at any point.

The model has three batches, two senders and a server. It takes the order of steps from the engine (an intent is
durable before a request leaves, an end before the next intent) and the states from `next_state` itself, and then
tries every interleaving. What is held in each reachable state are the promises: what is called accepted was applied,
what was applied is never called anything but accepted or in doubt, and what must not be repeated leaves once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import pytest

from t1data.journal.records import next_state, outcome_of

Rule = Callable[[str, str], str]

# What can become of a request: whether the server applies it, and what the engine is told.
FATES = (
    ("applied", "accept"),
    ("applied", "doubt"),  # a lost or broken answer, a 5xx after the change
    ("not applied", "doubt"),  # a reset before the change: the same to the engine
    ("not applied", "refuse"),  # a clear no to these rows
    ("not applied", "withhold"),  # a clear no to the run, or no connection
)
BATCHES = 3
SENDERS = 2


@dataclass(frozen=True)
class Batch:
    state: str = "planned"
    sent: int = 0
    applied: int = 0
    told: str | None = None  # what the request in flight will be told; None when there is none
    tried: bool = False  # in this process


@dataclass(frozen=True)
class World:
    batches: tuple[Batch, ...] = (Batch(),) * BATCHES
    crashes: int = 0

    def having(self, at: int, batch: Batch) -> World:
        return replace(self, batches=(*self.batches[:at], batch, *self.batches[at + 1 :]))


def steps(world: World, rule: Rule, *, repeatable: bool, crashes: int) -> Iterator[World]:
    """Yield every world that can come next."""
    in_flight = sum(batch.state in ("intent", "resent") for batch in world.batches)
    for at, batch in enumerate(world.batches):
        if batch.told is not None:
            yield world.having(at, replace(batch, state=settled(batch, rule), told=None))
        elif batch.state in ("intent", "resent"):
            for fate, told in FATES:
                applied = batch.applied + (fate == "applied")
                sent = batch.sent + (told != "withhold")
                yield world.having(at, replace(batch, sent=sent, applied=applied, told=told))
        elif is_open(batch, repeatable=repeatable) and not batch.tried and in_flight < SENDERS:
            yield world.having(at, replace(batch, state=rule(batch.state, "intend"), tried=True))
    if world.crashes < crashes:
        yield replace(world, batches=tuple(reopened(batch, rule) for batch in world.batches), crashes=world.crashes + 1)


def settled(batch: Batch, rule: Rule) -> str:
    told = batch.told or ""
    if batch.state == "intent" and told in ("accept", "refuse"):
        return rule(rule("intent", "answer"), told)
    return rule(batch.state, told)


def is_open(batch: Batch, *, repeatable: bool) -> bool:
    return batch.state == "planned" or (batch.state == "in_doubt" and repeatable)


def reopened(batch: Batch, rule: Rule) -> Batch:
    """A crash forgets what was in flight, and the next process starts from what is on the disk."""
    state = rule(batch.state, "doubt") if batch.state in ("intent", "resent") else batch.state
    return replace(batch, state=state, told=None, tried=False)


@cache
def every_world(rule: Rule, *, repeatable: bool, crashes: int = 2) -> set[World]:
    found, fresh = {World()}, [World()]
    while fresh:
        for world in steps(fresh.pop(), rule, repeatable=repeatable, crashes=crashes):
            # The batches are alike, so that their order tells nothing.
            world = replace(world, batches=tuple(sorted(world.batches, key=repr)))
            if world not in found:
                found.add(world)
                fresh.append(world)
    return found


def check_every_course(rule: Rule, *, repeatable: bool, crashes: int = 2) -> None:
    worlds = every_world(rule, repeatable=repeatable, crashes=crashes)
    for batch in {batch for world in worlds for batch in world.batches}:
        outcome = outcome_of(batch.state)
        if outcome == "accepted":
            assert batch.applied, f"called accepted and never applied: {batch}"
        if batch.applied:
            # A refusal of what is sent again is the one exception: whatever was applied before, the server has said no.
            assert outcome in ("accepted", "in_doubt") or batch.state == "refused", f"applied and forgotten: {batch}"
        if not repeatable:
            assert batch.applied <= 1, f"made twice unannounced: {batch}"
            assert not (batch.applied and batch.state == "refused"), f"applied and called refused: {batch}"


@pytest.mark.parametrize("repeatable", [True, False])
def test_in_every_course_of_a_run_outcomes_are_true(repeatable: bool) -> None:
    assert len(every_world(next_state, repeatable=repeatable)) > 2000
    check_every_course(next_state, repeatable=repeatable)


def test_a_repeatable_batch_can_always_be_brought_to_an_end() -> None:
    for batch in {batch for world in every_world(next_state, repeatable=True) for batch in world.batches}:
        if outcome_of(batch.state) in ("unsent", "in_doubt"):
            assert is_open(reopened(batch, next_state), repeatable=True), f"stuck: {batch}"


def forgets_doubt(state: str, event: str) -> str:
    """Treat what is sent again as if it went out for the first time."""
    return "planned" if (state, event) == ("resent", "withhold") else next_state(state, event)


def believes_in_sending(state: str, event: str) -> str:
    """Call accepted whatever was sent."""
    return "done" if (state, event) == ("intent", "doubt") else next_state(state, event)


@pytest.mark.parametrize(
    ("mistake", "found"), [(forgets_doubt, "applied and forgotten"), (believes_in_sending, "never applied")]
)
def test_a_mistake_in_the_rule_is_found(mistake: Rule, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        check_every_course(mistake, repeatable=True, crashes=1)
