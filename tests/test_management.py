"""The Management API: pages, members as CSV both ways, and a pace for each endpoint."""

from __future__ import annotations

import email
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from clocks import Time
from fault_server import Caller, FaultServer, answer, head, raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t1data.errors import AnswerError, ConfigError, InputError
from t1data.management import Management, paced_by_endpoint
from t1data.sandbox import Sandbox

KEY = "0123456789abcdef"


def management_of(server: FaultServer) -> Management:
    return Management(server.url, KEY, rate=None)


def csv_answer(content: bytes, kind: str = "application/csv") -> Any:
    return raw(head(200, {"Content-Type": kind, "Content-Length": str(len(content))}) + content)


# --- pages ------------------------------------------------------------------------------------------------


def pages_of(total: int, form: Callable[[int, int], dict[str, Any]]) -> Any:
    """Serve `total` rows as the query asks; `form` says what a page tells of the rest."""

    def act(caller: Caller) -> bool:
        query = dict(part.split("=") for part in caller.entry.target.partition("?")[2].split("&"))
        skip, size = int(query["skip"]), int(query["pageSize"])
        rows = [{"id": number} for number in range(total)[skip : skip + size]]
        content = json.dumps({**form(skip + len(rows), total), "data": rows}).encode()
        caller.send(head(200, {"Content-Type": "application/json", "Content-Length": str(len(content))}) + content)
        return True

    return act


FORMS = {
    "hasMore": lambda seen, total: {"hasMore": seen < total},
    "totalResultSize": lambda seen, total: {"totalResultSize": total},
    "nothing": lambda seen, total: {},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("total", [0, 1, 999, 1000, 1001, 2500])
def test_all_pages_are_read_and_no_row_twice(form: Callable[[int, int], dict[str, Any]], total: int):
    with FaultServer(pages_of(total, form)) as server, management_of(server) as management:
        assert [row["id"] for row in management.list_audiences()] == list(range(total))


def test_a_server_that_promises_more_for_ever_is_left():
    endless = answer(200, {"hasMore": True, "data": []})
    with FaultServer(endless) as server, management_of(server) as management:
        assert management.list_attributes() == []
    assert len(server.ledger) == 1


@pytest.mark.parametrize("body", [[], {}, {"data": {}}, 7])
def test_a_page_of_another_shape_is_told_and_kept(body: Any):
    with FaultServer(answer(200, body)) as server, pytest.raises(AnswerError, match="no list of data") as caught:
        management_of(server).list_attributes()
    assert json.loads(caught.value.body) == body


def test_filters_and_key_are_on_the_wire():
    with FaultServer(answer(200, {"hasMore": False, "data": []})) as server, management_of(server) as management:
        management.list_attributes(entity="CustomerProfile")
        management.list_members(748)
        management.list_referrals(1, 45, advocate="a/ä", created_after=datetime(2026, 1, 1, tzinfo=UTC))
    assert [(entry.method, entry.target) for entry in server.ledger] == [
        ("GET", "/v1/attributes?entity=CustomerProfile&pageSize=1000&skip=0"),
        ("GET", "/v1/audiences/748/memberships?pageSize=1000&skip=0"),
        (
            "GET",
            "/v1/applications/1/campaigns/45/referrals/no_total"
            "?advocate=a%2F%C3%A4&createdAfter=2026-01-01T00%3A00%3A00Z&pageSize=1000&skip=0",
        ),
    ]
    assert {entry.header("Authorization")[0] for entry in server.ledger} == {f"ManagementKey-v1 {KEY}"}


def test_a_time_without_a_zone_is_refused():
    with FaultServer() as server, pytest.raises(InputError, match="without a zone"):
        management_of(server).list_referrals(1, 45, created_after=datetime(2026, 1, 1))  # noqa: DTZ001
    assert server.ledger == []


# --- members ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/csv", "text/csv; charset=utf-8"])
def test_members_are_read_as_text_exactly(kind: str):
    content = b'\xef\xbb\xbfprofileintegrationid\r\n007\r\n"a,b"\r\n"q""x"\r\n\xc3\xa4\r\n'
    with FaultServer(csv_answer(content, kind)) as server:
        assert management_of(server).export_members(748) == ["007", "a,b", 'q"x', "ä"]
    assert server.ledger[0].target == "/v1/audiences/748/memberships/export"


@pytest.mark.parametrize("content", [b"", b"id\n1\n", b"profileintegrationid\n1,2\n", b"profileintegrationid\n\xff\n"])
def test_a_file_of_another_shape_is_told_and_kept(content: bytes):
    with FaultServer(csv_answer(content)) as server, pytest.raises(AnswerError, match="is no CSV") as caught:
        management_of(server).export_members(748)
    assert caught.value.body == content


def test_a_page_in_place_of_a_file_is_told():
    page = csv_answer(b"<html>", "text/html")
    with FaultServer(page) as server, pytest.raises(AnswerError, match="a proxy answered"):
        management_of(server).export_members(748)


def test_members_are_sent_as_a_file_in_a_form():
    with FaultServer(answer(200, {"amount": 2})) as server:
        assert management_of(server).import_members(748, ["007", 'a,"b']) == {"amount": 2}
    (entry,) = server.ledger
    assert (entry.method, entry.target) == ("POST", "/v1/audiences/748/memberships/import")
    form = email.message_from_bytes(b"Content-Type: " + entry.header("Content-Type")[0].encode() + b"\n\n" + entry.body)
    (part,) = form.get_payload()
    assert part.get_param("name", header="content-disposition") == "upFile"
    assert part.get_filename() == "members.csv"
    assert part.get_payload(decode=True) == b'profileintegrationid\r\n007\r\n"a,""b"\r\n'


@pytest.mark.parametrize("ids", [["a", ""], ["a", 7], ["a", None], "007", ["\ud800"]])
def test_ids_that_are_no_text_are_refused_and_nothing_is_sent(ids: Any):
    with FaultServer() as server, pytest.raises(InputError):
        management_of(server).import_members(748, ids)
    assert server.ledger == []


# --- against the sandbox ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def management() -> Iterator[Management]:
    with Sandbox() as sandbox, Management(sandbox.base_url, sandbox.management_key, rate=None) as made:
        sandbox.load({"audiences": [{"name": "VIP"}]})
        yield made


def test_attributes_are_defined_and_listed(management: Management):
    made = management.create_attribute(
        {"entity": "CustomerProfile", "name": "Spend", "title": "Spend", "type": "number", "description": ""}
    )
    assert made["type"] == "number"
    assert "Spend" in {attribute["name"] for attribute in management.list_attributes(entity="CustomerProfile")}


ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ids, unique=True, max_size=20))
def test_members_that_were_sent_come_back_exactly(management: Management, members: list[str]):
    (audience,) = management.list_audiences()
    management.import_members(audience["id"], members)
    assert sorted(management.export_members(audience["id"])) == sorted(members)
    assert len(management.list_members(audience["id"])) == len(members)


# --- pace and lock ----------------------------------------------------------------------------------------


def test_each_endpoint_has_a_pace_of_its_own():
    time = Time()
    pacer = paced_by_endpoint(3, clock=time)
    for _ in range(3):
        pacer("list_attributes").pause(None, time.wait)
    assert sum(time.waits) == pytest.approx(2 / 3)
    pacer("list_audiences").pause(None, time.wait)
    assert sum(time.waits) == pytest.approx(2 / 3)


def test_a_key_that_cannot_be_one_is_refused():
    with pytest.raises(ConfigError, match="holds a space"):
        Management("https://shop.talon.one", "has space")
