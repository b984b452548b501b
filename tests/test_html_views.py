"""What notebooks show of records: counts and reasons, escaped, and nobody's data; and one plain line for a console."""

from __future__ import annotations

import html.parser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import t1data as t1

HOSTILE = "<img src=x onerror=alert(1)>"
PERSON = "ada-the-person"
KINDS = (
    t1.UpsertPlan,
    t1.ReferralPlan,
    t1.ReservationPlan,
    t1.RowPlan,
    t1.ErasurePlan,
    t1.AudienceDiff,
    t1.Overlaps,
    t1.Inventories,
    t1.Comparison,
    t1.MatchKeyReport,
    t1.EvidenceReport,
    t1.Run,
    t1.StopReport,
    t1.Client,
    t1.Management,
)


class Reader(html.parser.HTMLParser):
    """Reads which elements there are, and that each one is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.elements.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[type, Any]:
    """One record of each kind, made of files, columns and customers whose names are markup."""
    folder = tmp_path_factory.mktemp("views")
    with pytest.MonkeyPatch.context() as patch, t1.Sandbox() as sandbox:
        patch.setenv("T1DATA_RUNS", str(folder / "runs"))
        patch.chdir(folder)
        declared = {"name": "Age", "entity": "CustomerProfile", "type": "number"}
        campaign = {"id": 45, "name": HOSTILE, "features": ["referrals"]}
        sandbox.load({"attributes": [declared], "campaigns": [campaign]})
        key = sandbox.management_key
        with t1.Client(sandbox.base_url, sandbox.api_key, management_key=key, rate=None) as client:
            made = list(_made(client, folder))
    return {type(each): each for each in made}


def _made(client: t1.Client, folder: Path) -> Iterator[Any]:
    people = pd.DataFrame({"integration_id": [PERSON, f" {PERSON}", HOSTILE], "Age": [1, 2, 3], HOSTILE: "x"})
    path = folder / f"{HOSTILE}.csv"
    people.to_csv(path, index=False)
    only = {"attributes": ["Age"]}
    yield client
    yield client.management
    yield t1.plan_upsert(client, path, **only)
    run = t1.upsert_profiles(client, path, **only, progress=False)
    yield run
    yield t1.stop_run(run)
    yield t1.verify_profiles(client, path, **only, progress=False)
    yield t1.plan_referrals(client, path, campaign_id=45)
    yield t1.plan_reservations(client, path, coupon=HOSTILE)
    yield t1.plan_sessions(
        client, people.rename(columns={"integration_id": "session_id"})[["session_id"]], profile=None
    )
    yield t1.diff_audiences(path, people.assign(Age=4))
    yield t1.overlaps({HOSTILE: path, "all": path})
    yield t1.fetch_inventories(client, path, to=folder / HOSTILE, progress=False)
    yield t1.export_audience(
        pd.DataFrame({"email": [f"{PERSON}@shop.example", HOSTILE]}),
        folder / "ads.csv",
        platform="meta_custom_audience",
    )
    plan = t1.plan_erasure(client, path)
    yield plan
    erased = t1.erase_customers(client, path, confirm=plan.customers, operator=HOSTILE, progress=False)
    yield t1.verify_evidence(erased, ids=[PERSON])


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_shown_quietly(records: dict[type, Any], kind: type) -> None:
    shown = records[kind]._repr_html_()
    reader = Reader()
    reader.feed(shown)
    reader.close()
    assert reader.open == []
    assert reader.elements <= {"div", "p", "b", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    assert PERSON not in shown
    assert any(sign.isdigit() for sign in shown)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_one_line_in_a_console(records: dict[type, Any], kind: type) -> None:
    line = repr(records[kind])
    assert kind.__name__ in line
    assert len(line.splitlines()) == 1
    assert PERSON not in line


def test_every_record_that_a_function_returns_has_a_view() -> None:
    exported = [value for name in t1.__all__ if isinstance(value := getattr(t1, name), type)]
    views = {kind for kind in exported if hasattr(kind, "_repr_html_")}
    assert views == set(KINDS)
    assert {kind.__name__ for kind in set(exported) - views} == {"Audience", "Control", "Progress", "Sandbox"}
