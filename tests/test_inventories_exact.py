"""The fast way from answers to tables, held against a plain slow one: value by value, for whatever an answer says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.inventories.attributes import Kinds
from t1data.inventories.columns import PARTS, SCHEMAS
from t1data.inventories.custom import kinds_of
from t1data.inventories.records import read_inventory
from t1data.inventories.tidy import Tidy, is_inventory

Record = dict[str, Any]
LEDGER = {"currentBalance": 1.5, "pendingBalance": 2, "currentTier": {"id": 1, "name": "Gold"}, "nextTierName": "Top"}
ADA: Record = {
    "profile": {
        "id": 6,
        "created": "2020-06-10T09:05:27.993483Z",
        "attributes": {"Age": 36, "Name": "Ada", "Tags": ["a", "2020-01-01"], "Born": "1815-12-10T00:00:00Z"},
        "loyaltyMemberships": None,
        "audienceMemberships": [{"id": 1, "name": "VIP"}],
        "sandbox": False,
    },
    "referrals": [{"id": 4, "code": "ADA-1", "referredCustomers": ["bob"], "attributes": {"Age": 2.5}}],
    "coupons": [
        {
            "id": 7,
            "value": "SAVE",
            "discountLimit": 5,
            "limits": [{"action": "redemption", "limit": 1, "entities": ["Coupon", "Profile"]}],
            "attributes": {"Flag": True},
        }
    ],
    "loyalty": {
        "programs": {"5": {"id": 5, "name": "notes", "ledger": LEDGER, "subLedgers": {"gifts": LEDGER, "": None}}},
        "cards": [{"id": 9, "ledger": LEDGER, "subledgers": {"x": LEDGER}, "profiles": [{"x": 1}]}],
    },
    "giveaways": [{"id": 1, "code": "TICKET", "used": True}],
    "achievements": [{"achievementId": 2, "progress": 1, "attributes": {"Age": 1}}],
}

# --- the plain way --------------------------------------------------------------------------------------

ELSEWHERE: dict[str, list[set[str]]] = {
    "profiles": [{"attributes", "audienceMemberships", "integrationId"}],
    "referrals": [{"attributes", "referredCustomers"}],
    "coupons": [{"attributes", "limits"}],
    "loyalty": [{"ledger", "subLedgers"}, set(), {"currentTier"}, set()],
    "loyalty_cards": [{"ledger", "subledgers"}, set(), {"currentTier"}, set()],
    "giveaways": [{"attributes"}],
}


def plain_rows(inventory: Record) -> Iterator[tuple[str, list[Record]]]:
    """Yield table and records of each row."""
    if profile := inventory.get("profile"):
        yield "profiles", [profile]
        yield from (("audiences", [each]) for each in things(profile, "audienceMemberships"))
    for referral in things(inventory, "referrals"):
        yield "referrals", [referral]
        for friend in referral.get("referredCustomers") or []:
            referred = {"referral_id": referral.get("id"), "code": referral.get("code")}
            yield "referred_customers", [referred | {"referred_integration_id": friend}]
    for coupon in things(inventory, "coupons"):
        yield "coupons", [coupon]
        for limit in things(coupon, "limits"):
            entities = ", ".join(map(str, limit.get("entities") or []))
            yield "coupon_limits", [limit | {"coupon_id": coupon.get("id"), "coupon": coupon.get("value"), "entities": entities}]  # fmt: skip  # noqa: E501
    loyalty = inventory.get("loyalty") or {}
    for key, program in (loyalty.get("programs") or {}).items():
        program = program or {}
        named = program if str(program.get("id")) == key else {"key": key} | program
        yield from (("loyalty", [named, *ledger]) for ledger in plain_ledgers(named, "subLedgers"))
    for card in things(loyalty, "cards"):
        yield from (("loyalty_cards", [card, *ledger]) for ledger in plain_ledgers(card, "subledgers"))
    yield from (("giveaways", [each]) for each in things(inventory, "giveaways"))
    yield from (("achievements", [each]) for each in things(inventory, "achievements"))


def things(record: Record, name: str) -> list[Record]:
    return [each for each in record.get(name) or [] if each is not None]


def plain_ledgers(owner: Record, others: str) -> Iterator[list[Record]]:
    for name, ledger in [("", owner.get("ledger")), *(owner.get(others) or {}).items()]:
        yield [{"ledger": name}, ledger or {}, (ledger or {}).get("currentTier") or {}]


def plain_value(value: Any, kind: str) -> Any:
    """Return a value as a column holds it, None where it cannot."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if kind == "text":
        return value if is_text(value) else None
    if kind == "whole":
        return value if is_int and -(2**63) <= value < 2**63 else None
    if kind == "number":
        return float(value) if isinstance(value, float) or (is_int and abs(value) <= 2**53) else None
    if kind == "flag":
        return value if isinstance(value, bool) else None
    return plain_time(value)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def plain_time(value: Any) -> datetime | None:
    if not isinstance(value, str) or re.search(r"[.,]\d{7}", value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def plain_row(table: str, name: str, records: list[Record]) -> Record:
    row, extra = {"integration_id": name}, {}
    elsewhere = [*ELSEWHERE.get(table, []), set(), set()]
    for fields, record, others, prefix in zip(
        PARTS[table], records, elsewhere, ("", "", "ledger.", "ledger.currentTier."), strict=False
    ):
        for field in fields:
            row[field.column] = plain_value(record.get(field.wire), field.kind)
        wires = {field.wire: field.column for field in fields}
        for wire, value in record.items():
            if value is not None and wire not in others and (wire not in wires or row[wires[wire]] is None):
                extra[prefix + wire] = value
    return row | {"extra": json.dumps(extra, sort_keys=True) if extra else None}


def plain_kind(value: Any) -> str:
    if isinstance(value, list):
        inside = {plain_kind(item) for item in value if item is not None}
        return f"list {inside.pop() if len(inside) == 1 else 'mixed' if inside else 'empty'}"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "whole" if abs(value) < 2**53 else "long" if -(2**63) <= value < 2**63 else "huge"
    if isinstance(value, str):
        time = value[4:5] == "-" and plain_time(value) is not None
        return "broken" if not is_text(value) else "time" if time else "text"
    return "number" if isinstance(value, float) else "object"


def plain_column(values: list[Any], declared: str | None) -> tuple[pa.DataType, list[Any]]:
    exact = {plain_kind(value) for value in values if value is not None}
    kinds = {"text" if kind == "time" else kind for kind in exact}
    if exact == {"time"} and declared == "time":
        return SCHEMAS["profiles"].field("created").type, [plain_time(value) for value in values]
    if kinds == {"flag"}:
        return pa.bool_(), values
    if kinds <= {"whole", "long"} and (declared != "number" or "long" in kinds):
        return pa.int64(), values
    if kinds <= {"whole", "number"}:
        return pa.float64(), [None if value is None else float(value) for value in values]
    if kinds <= {"list text", "list time", "list empty"}:
        return pa.list_(pa.string()), values
    if kinds <= {"list whole", "list number", "list empty"}:
        floats = [value and [None if item is None else float(item) for item in value] for value in values]
        return pa.list_(pa.float64()), floats
    return pa.string(), [value if value is None or is_text(value) else json.dumps(value) for value in values]


def plain_tables(stock: list[Record], declared: Record) -> dict[str, tuple[list[tuple[str, str]], str]]:
    found: dict[str, list[tuple[Record, Record]]] = {name: [] for name in PARTS}
    for at, inventory in enumerate(stock):
        for table, records in plain_rows(inventory):
            custom = records[0].get("attributes")
            found[table].append((plain_row(table, f"c{at}", records), custom if isinstance(custom, dict) else {}))
    tables = {}
    for table, lines in found.items():
        rows, types = [row for row, _ in lines], {field.name: field.type for field in SCHEMAS[table]}
        for name in sorted({name for _, custom in lines for name, value in custom.items() if value is not None}):
            shown = f"attributes.{name.encode(errors='backslashreplace').decode()}"
            values = [custom.get(name) for _, custom in lines]
            types[shown], values = plain_column(values, declared.get(table, {}).get(name))
            rows = [row | {shown: value} for row, value in zip(rows, values, strict=True)]
        tables[table] = ([(name, str(kind)) for name, kind in types.items()], as_text(rows))
    return tables


def as_text(rows: list[Record]) -> str:
    """Return rows so that they can be compared: NaN is NaN, 1 is not 1.0 nor true, a time is one whoever made it."""
    times = [{name: str(v) if isinstance(v, datetime) else v for name, v in row.items()} for row in rows]
    return ascii(times)


def told(tidy: Tidy, kinds: dict[str, Kinds] | None = None) -> dict[str, tuple[list[tuple[str, str]], str]]:
    return {
        name: ([(field.name, str(field.type)) for field in table.schema], as_text(table.to_pylist()))
        for name, table in tidy.tables(kinds=kinds).items()
    }


# --- whatever an answer says ----------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**53, 2**53 + 1, -(2**53), 2**63, -(2**63), 2**64, 10**30])
    | st.floats()
    | st.sampled_from(["2020-01-01T00:00:00Z", "2020-01-01", "0001-01-01T00:00:00+05:00", "x", "a\ud800", "5", ""])
    | st.sampled_from(["2026-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00+02:00", "😀\x00"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "a", "\udfff"]), inner, max_size=2)
    ),
    max_leaves=5,
)
names = st.sampled_from(["new", "id", "rest", "$rest", "key", "attributes", "profile", "name", "N\ud800"])


@st.composite
def inventories(draw: st.DrawFn) -> Record:
    """Take the inventory above and change it in some places: another value, one more or one less."""
    inventory: Record = json.loads(json.dumps(ADA))
    for _ in range(draw(st.integers(0, 4))):
        place, key = draw(st.sampled_from(list(places(inventory))))
        change = draw(st.sampled_from(["value", "value", "more", "less"]))
        if change == "less" and isinstance(place, dict):
            del place[key]
        elif change == "more" and isinstance(place[key], dict):
            place[key][draw(names)] = draw(values)
        elif change == "more" and isinstance(place[key], list):
            place[key].append(draw(values))
        else:
            place[key] = draw(values)
    return inventory


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def fits(value: Any, shape: Any) -> bool:
    """Return whether a value is built as a shape is: the same kind of thing, or nothing."""
    if value is None:
        return True
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, part) for part in shape for item in value)
    if not isinstance(value, dict):
        return False
    if "*" in shape:
        return all(fits(item, shape["*"]) for item in value.values())
    return all(fits(value.get(name), part) for name, part in shape.items())


LEDGERS = {"ledger": {"currentTier": {}}, "subLedgers": {"*": {"currentTier": {}}}}
CARD = {"ledger": {"currentTier": {}}, "subledgers": {"*": {"currentTier": {}}}}
SHAPE = {
    "profile": {"attributes": {}, "audienceMemberships": [{}]},
    "referrals": [{"attributes": {}, "referredCustomers": []}],
    "coupons": [{"attributes": {}, "limits": [{"entities": []}]}],
    "loyalty": {"programs": {"*": LEDGERS}, "cards": [CARD]},
    "giveaways": [{"attributes": {}}],
    "achievements": [{}],
}
TOKENS = [b"", b'"', b"{", b"}", b",", b"NaN", b"1e999", b"-0", b"9" * 25, b"\xff", b"\xed\xa0\x80", b"\\u"]
DECLARED = {"profiles": {"Born": "time", "Age": "number", "Tags": "(list string)"}}


@settings(max_examples=60, deadline=None)
@given(stock=st.lists(inventories(), min_size=1, max_size=2), at_once=st.sampled_from([1, 1000]))
def test_the_tables_are_those_of_the_plain_way(stock: list[Record], at_once: int) -> None:
    assert [is_inventory(each) for each in stock] == [fits(each, SHAPE) for each in stock]
    good = [each for each in stock if fits(each, SHAPE)]
    bodies = [json.dumps(each).encode() for each in good]
    read, added = (Tidy(declared=DECLARED, at_once=at_once) for _ in range(2))
    for at, (each, body) in enumerate(zip(good, bodies, strict=True)):
        read.read(f"c{at}", body)
        added.add(f"c{at}", each)
    ahead = kinds_of([bodies], DECLARED)
    assert told(read) == told(read, ahead) == told(added) == plain_tables(good, DECLARED)


@settings(max_examples=100, deadline=None)
@given(
    inventory=inventories(),
    at=st.floats(0, 1, exclude_max=True),
    token=st.sampled_from(
        [b"", b'"', b"{", b"}", b",", b"NaN", b"1e999", b"-0", b"9" * 25, b"\xff", b"\xed\xa0\x80", b"\\u"]
    ),
)
def test_bytes_are_read_as_by_the_slow_reader_or_not_at_all(inventory: Record, at: float, token: bytes) -> None:
    body = json.dumps(inventory, ensure_ascii=False).encode(errors="surrogatepass")
    place = int(at * len(body))
    body = body[:place] + token + body[place + 1 :]
    try:
        slowly = json.loads(body)
    except ValueError:
        slowly = 0
    tidy, slow = Tidy(), Tidy()
    if is_inventory(slowly):
        tidy.read("ada", body)
        slow.add("ada", slowly)
        assert told(tidy) == told(tidy, kinds_of([[body]], {})) == told(slow)
    else:
        with pytest.raises(ValueError, match=r"^\S"):
            tidy.read("ada", body)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"coupons":' * 3000, b'{"new":' + b"1" * 5000 + b"}", b"", b"null", b"7"]
)
def test_what_cannot_be_read_is_no_inventory(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^\S"):
        read_inventory(body)


def test_of_a_field_that_stands_twice_the_last_one_counts() -> None:
    tidy = Tidy()
    tidy.read("ada", b'{"coupons":"none","coupons":[{"id":1,"id":2,"new":1,"new":2}]}')
    row = tidy.tables()["coupons"].to_pylist()[0]
    assert (row["coupon_id"], row["extra"]) == (2, '{"new": 2}')
