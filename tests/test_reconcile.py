"""What became of codes whose answer was lost, when the server is odd, deaf, or the clocks are wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fault_server import Act, FaultServer, answer

import t1data as t1
from benchmarks.account import REFERRALS, Account, honest
from benchmarks.campaign import Campaign
from benchmarks.mixes import reset_after_apply
from benchmarks.mixes_codes import altered, cut_short

ADVOCATES = ["a", "b", "c"]
WAYS = pytest.mark.parametrize("application_id", [None, 1], ids=["by inventories", "by the list"])


class Server:
    """A server that spoils its first answer, and what it holds."""

    def __init__(self) -> None:
        self.spoilt = reset_after_apply
        self.account = Account(treat=lambda number: ("first", self.spoilt) if number == 1 else ("", honest))
        self.account.wire = REFERRALS
        self.campaign = Campaign(self.account.ledger)
        self.account.look = self.campaign.look

    @property
    def codes(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for code in self.campaign.codes():
            found.setdefault(code.advocate, []).append(code.code)
        return found


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[t1.Client]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    with (
        FaultServer(server.account.act) as running,
        t1.Client(running.url, "a-key-0001", management_key="a-key-0002", rate=None) as made,
    ):
        yield made


def create(client: t1.Client) -> t1.Run:
    return t1.create_referrals(client, ADVOCATES, campaign_id=45, progress=False)


def codes(run: t1.Run) -> dict[str, list[str]]:
    return {advocate: list(found) for advocate, found in run.codes.groupby("integration_id")["code"]}


def says_nothing_at_first(look: Act, times: int) -> Act:
    """Answer the first requests to read with an empty object."""
    left = [times]

    def act(caller: Any) -> bool:
        left[0] -= 1
        return (answer(200, {}) if left[0] >= 0 else look)(caller)

    return act


@WAYS
@pytest.mark.parametrize(
    "spoilt",
    [
        altered(lambda data: data, status=500),
        altered(lambda data: data, kind="text/html"),
        altered(lambda data: data[:1]),
        altered(lambda data: [{**item, "code": 1} for item in data]),
        cut_short(0.9),
    ],
    ids=["status 500", "as a page", "one of three", "no text", "cut"],
)
def test_codes_behind_an_answer_that_says_nothing_are_brought_home_once_and_never_made_again(
    server: Server, client: t1.Client, spoilt: Any, application_id: int | None
) -> None:
    server.spoilt = spoilt
    run = create(client)
    assert run.counts["in_doubt"] >= 2
    settled = t1.reconcile(client, run.id, data=ADVOCATES, application_id=application_id)
    assert settled.counts["accepted"] == 3
    assert codes(settled) == server.codes
    again = t1.resume(client, run.id, data=ADVOCATES)
    assert codes(again) == server.codes
    assert len(server.account.ledger) == 1


@pytest.mark.parametrize("spoilt", [reset_after_apply, altered(lambda data: data, status=500)], ids=["lost", "500"])
def test_an_inventory_that_says_nothing_of_codes_is_no_proof_that_there_are_none(
    server: Server, client: t1.Client, spoilt: Any
) -> None:
    server.spoilt = spoilt
    run = create(client)
    server.account.look = says_nothing_at_first(server.campaign.look, times=2)
    first = t1.reconcile(client, run.id, data=ADVOCATES)
    assert first.outcomes["outcome"].tolist() == ["in_doubt", "in_doubt", "accepted"]
    assert "says nothing" in first.outcomes["message"][1]
    second = t1.reconcile(client, run.id, data=ADVOCATES)
    assert second.counts["accepted"] == 3
    assert codes(second) == server.codes


@WAYS
@pytest.mark.parametrize("hours", [1, 24])
def test_a_clock_that_was_ahead_when_the_request_went_out_makes_no_code_twice(
    server: Server, client: t1.Client, application_id: int | None, hours: int
) -> None:
    run = create(client)
    with closing(sqlite3.connect(run.journal)) as db, db:
        db.execute("UPDATE batch SET started_at = started_at + ?", (3600 * hours,))
    settled = t1.reconcile(client, run.id, data=ADVOCATES, application_id=application_id)
    assert settled.counts["in_doubt"] == 3, "the server has codes that are too old, by a clock that may be wrong"
    t1.resume(client, run.id, data=ADVOCATES)
    assert len(server.account.ledger) == 1
