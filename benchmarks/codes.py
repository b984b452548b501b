"""One run that makes codes on its way through faults: run, look on the server, go on, until nothing is open."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.account import REFERRALS, Account
from benchmarks.campaign import Campaign, make_campaign, unclear
from benchmarks.cases import Case, make_advocates
from benchmarks.jobs import Order, Step, work
from benchmarks.judge import Rest, judge_manners, read_outcomes
from benchmarks.judge_codes import judge_codes, judge_codes_end, read_codes
from benchmarks.mixes import IMPATIENT, Mix, make_mix
from benchmarks.mixes_codes import CODE_KINDS
from t1data.errors import T1DataError

IDLE = 12  # goes that change nothing, more than the reads that can go wrong: more will not help
APPLICATION = 1


@dataclass
class CodesTrial:
    """One input of advocates, one journal, one server that loses answers."""

    order: Order
    case: Case
    mix: Mix
    account: Account
    campaign: Campaign
    rests: list[Rest] = field(default_factory=list)

    def play(self) -> list[str]:
        """Run, reconcile and resume in turn; return what was violated."""
        idle = 0
        while idle < IDLE:
            before = self._state()
            self.account.life += 1
            for step in ("begin" if self.account.life % 2 else "resume", "reconcile"):
                if wrong := self._go(step):
                    return wrong
            if self._is_settled():
                break
            idle = idle + 1 if self._state() == before else 0
        ledger = self.account.ledger
        wrong = judge_codes_end(self.case, ledger, self.rests, self.campaign, unclear=self.unclear)
        return wrong + judge_manners(ledger, connections=self.order.connections)

    @property
    def unclear(self) -> set[str]:
        """Advocates that may stay in doubt for good."""
        return unclear(self.campaign, listed=self.order.application_id is not None)

    def _go(self, step: Step) -> list[str]:
        try:
            work(replace(self.order, step=step), limits=IMPATIENT)
        except T1DataError:
            if step != "reconcile":  # to look may fail as all else
                raise
        return self.judge_rest()

    def judge_rest(self) -> list[str]:
        """Write outcomes and codes, as a user would, and hold them against the ledger."""
        work(replace(self.order, step="outcomes"))
        outcomes, wrong = read_outcomes(Path(self.order.outcomes), self.case)
        if wrong:
            return wrong
        rest = Rest(outcomes, len(self.account.ledger))
        self.rests.append(rest)
        brought = read_codes(Path(f"{self.order.outcomes}.codes"))
        return judge_codes(self.case, self.account.ledger, rest, brought, self.campaign)

    def _state(self) -> tuple[int, object]:
        return len(self.account.ledger), self.rests[-1:]

    def _is_settled(self) -> bool:
        rows, unclear = zip(self.case.rows, self.rests[-1].outcomes, strict=True), self.unclear
        return not any(
            outcome == "unsent" or (outcome == "in_doubt" and row.id not in unclear) for row, outcome in rows
        )


def make_codes_trial(seed: str, folder: Path, url: str) -> CodesTrial:
    """Choose advocates, batches, connections, faults and the way to look by the seed."""
    chance = random.Random(seed)
    limit = chance.choice((1, 5, 20))
    requests = chance.randint(8, 30)
    case = make_advocates(chance, batch_limit=limit, batches=requests)
    mix = make_mix(chance, requests, CODE_KINDS)
    account = Account(treat=mix.treat, wire=REFERRALS)
    campaign = make_campaign(chance, case, account.ledger)
    account.look = campaign.look
    source = folder / chance.choice(("people.csv", "people.parquet"))
    case.write(source)
    order = Order(
        job="create_referrals",
        step="begin",
        url=url,
        input=str(source),
        journal=str(folder / "run.sqlite"),
        outcomes=str(folder / "outcomes.csv"),
        connections=chance.choice((1, 4, 8)),
        batch_limit=limit,
        application_id=chance.choice((None, APPLICATION)),
    )
    return CodesTrial(order, case, mix, account, campaign)
