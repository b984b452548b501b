"""The server's side of referral codes: which there are, and how they are read, by inventory or as a list."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.account import Receipt, codes_of
from benchmarks.cases import Case
from tests.fault_server import Act, Caller, answer, cut, page, reset

CAMPAIGN, USAGE_LIMIT = 45, 1  # what the runs of the harnesses ask for
PROBES = 3
EVERYBODY = "*"  # whose codes a whole list shows
LONG_AGO, JUST_BEFORE = timedelta(days=30), timedelta(minutes=5)


@dataclass(frozen=True)
class Code:
    """A referral code as the server holds it."""

    advocate: str
    code: str
    created: datetime
    usage_limit: int = USAGE_LIMIT

    def as_json(self) -> dict[str, Any]:
        """Return it in the API's shape."""
        return {
            "id": 1,
            "campaignId": CAMPAIGN,
            "advocateProfileIntegrationId": self.advocate,
            "code": self.code,
            "usageLimit": self.usage_limit,
            "usageCounter": 0,
            "created": self.created.isoformat().replace("+00:00", "Z"),
        }


def made_by(receipt: Receipt) -> list[Code]:
    """Return the codes that a request made."""
    if receipt.fate != "applied":
        return []
    created = datetime.fromtimestamp(receipt.applied_at, UTC)
    return [Code(id_, code, created) for id_, code in zip(receipt.ids, codes_of(receipt), strict=True)]


@dataclass
class Campaign:
    """All codes of a campaign: `earlier` ones, and those that the ledger says were made.

    `strangers` have no profile, so that no inventory shows their codes; `largest` is the longest page of a list;
    `trouble` is the share of reads that go wrong, by `chance`, until so many `troubles` are used up. `shown` says for
    whom the codes were shown, and how many requests the ledger had then.
    """

    ledger: Sequence[Receipt]
    earlier: Sequence[Code] = ()
    strangers: Collection[str] = frozenset()
    largest: int = 1000
    trouble: float = 0.0
    troubles: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    reads: int = 0
    shown: dict[str, list[int]] = field(default_factory=dict)
    _made: dict[int, Sequence[Code]] = field(default_factory=dict)

    def codes(self) -> Iterator[Code]:
        """Yield every code that there is."""
        yield from self.earlier
        for receipt in list(self.ledger):
            yield from self._made_by(receipt)

    def _made_by(self, receipt: Receipt) -> Sequence[Code]:
        """Return what a request made, worked out once: a list of many short pages asks for it on each of them."""
        if receipt.fate == "applied" and receipt.number not in self._made:
            self._made[receipt.number] = made_by(receipt)
        return self._made.get(receipt.number, ())

    def look(self, caller: Caller) -> bool:
        """Answer one request to read, well or not."""
        self.reads += 1
        url = urlsplit(caller.entry.target)
        parts = [unquote(part) for part in url.path.split("/")]
        whom = parts[-2] if parts[-1] == "inventory" else EVERYBODY
        status, body = (200, self._list(parse_qs(url.query))) if whom is EVERYBODY else self._inventory(whom)
        if self.troubles and self.chance.random() < self.trouble:
            self.troubles -= 1
            return self._gone_wrong(body)(caller)
        if status == 200 and not body.get("hasMore"):
            self.shown.setdefault(whom, []).append(len(self.ledger))
        return answer(status, body)(caller)

    def looked(self, receipt: Receipt, advocate: str, *, before: float = float("inf")) -> bool:
        """Tell whether somebody saw what a request had made for an advocate, `before` some other request came.

        The server does a request whole or not at all, so that three of its advocates speak for the others.
        """
        seen = sum(self._saw(receipt.number, id_, before) for id_ in receipt.ids)
        return seen >= PROBES or self._saw(receipt.number, advocate, before)

    def _saw(self, number: int, advocate: str, before: float) -> bool:
        at = (*self.shown.get(advocate, ()), *self.shown.get(EVERYBODY, ()))
        return any(number <= requests < before for requests in at)

    def _inventory(self, advocate: str) -> tuple[int, dict[str, Any]]:
        if advocate in self.strangers:
            return 404, {"message": "no such profile"}
        return 200, {"referrals": [code.as_json() for code in self.codes() if code.advocate == advocate]}

    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        start = int(query["skip"][0])
        stop = start + min(int(query["pageSize"][0]), self.largest)
        codes = list(self.codes())
        return {"hasMore": stop < len(codes), "data": [code.as_json() for code in codes[start:stop]]}

    def _gone_wrong(self, body: dict[str, Any]) -> Act:
        acts = (
            answer(500, {"message": "oh"}),
            answer(502),  # no 429 or 503: they slow the pace for a minute, as they must
            answer(200, {}),
            answer(401, {"message": "who are you"}),
            page(),
            reset(),
            cut(200, body, 12),
        )
        return self.chance.choice(acts)


def make_campaign(chance: random.Random, case: Case, ledger: Sequence[Receipt]) -> Campaign:
    """Make a campaign in which some advocates of a case have codes already, and some have no profile."""
    advocates = [row.id for row in case.rows if row.due == "accepted"]
    strangers = frozenset(chance.sample(advocates, len(advocates) // chance.choice((2, 4, len(advocates)))))
    now, earlier = datetime.now(UTC), []
    for number, advocate in enumerate(advocates):
        if chance.random() < 0.2:
            age, limit = chance.choice(((LONG_AGO, 1), (LONG_AGO, 1), (JUST_BEFORE, 1), (-LONG_AGO, 3)))
            earlier.append(Code(advocate, f"EARLIER-{number}", now - age, limit))
    largest, trouble, troubles = chance.choice((3, 100, 1000)), chance.choice((0.0, 0.1, 0.3)), chance.randint(1, 9)
    return Campaign(ledger, earlier, strangers, largest, trouble, troubles, random.Random(chance.random()))


def unclear(campaign: Campaign, *, listed: bool) -> set[str]:
    """Return the advocates of whom nobody can say, when their answer was lost, whether they have their code."""
    near = {code.advocate for code in campaign.earlier if code.created > datetime.now(UTC) - 3 * JUST_BEFORE}
    near &= {code.advocate for code in campaign.earlier if code.usage_limit == USAGE_LIMIT}
    return near if listed else near | set(campaign.strangers)
