"""Files for ad platforms: known answers, nothing hashed twice or from nothing, and a report that adds up."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.errors import InputError
from t1data.exports.match_keys import judge
from t1data.exports.rules import COUNTRIES, FAULTS, PLATFORMS

HERE = Path(__file__).parent
GOOGLE, META = "google_customer_match", "meta_custom_audience"
HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def vectors() -> list[dict[str, str]]:
    with (HERE / "ad_vectors.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def export(data: Any, path: Path, platform: str = GOOGLE, **options: Any) -> tuple[t1.MatchKeyReport, list[list[str]]]:
    report = t1.export_audience(data, path, platform=platform, overwrite=True, **options)
    with path.open(encoding="utf-8", newline="") as lines:
        return report, list(csv.reader(lines))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audience.csv"


# --- known answers ----------------------------------------------------------------------------------------


def test_there_are_two_hundred_known_answers_and_sha256sum_agrees_with_them():
    assert len(vectors()) >= 200
    checked = subprocess.run(["bash", str(HERE / "ad_vectors.sh")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_every_known_answer_is_given():
    rules = {(platform, rule.key): rule for platform, of in PLATFORMS.items() for rule in of}
    wrong = []
    for vector in vectors():
        region = pa.array([vector["region"] or None], pa.string())
        judged = judge(rules[vector["platform"], vector["key"]], pa.array([vector["given"]]), regions=region)
        form = {"sha256": {"valid", "repaired"}, "clear": {"valid", "repaired"}, "hashed_before": {"already_hashed"}}
        became = {name for name, count in judged.counts.items() if count}
        if judged.written[0].as_py() != (vector["written"] or None) or not became <= form.get(
            vector["form"], {"dropped"}
        ):
            wrong.append((vector, judged.written[0].as_py(), became))
    assert wrong == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_known_answers_hold_for_a_whole_file_too(platform: str, file: Path):
    for key in {vector["key"] for vector in vectors() if vector["platform"] == platform}:
        rule = next(rule for rule in PLATFORMS[platform] if rule.key == key)
        mine = [vector for vector in vectors() if (vector["platform"], vector["key"]) == (platform, key)]
        mine = [vector for vector in mine if not vector["region"]]
        frame = pd.DataFrame({"cells": [vector["given"] for vector in mine]})
        if not rule.identifies:  # such a row is written only beside a value that finds a person
            frame["mail"] = [f"{number}@example.com" for number in range(len(frame))]
        mail = {"mail": PLATFORMS[platform][0].key} if "mail" in frame else {}
        report, (header, *rows) = export(frame, file, platform, columns={"cells": key} | mail)
        found = [row[header.index(key)] for row in rows]
        assert [cell for cell in found if cell] == [vector["written"] for vector in mine if vector["written"]]
        assert report.frame.loc[key, "dropped"] == sum(vector["form"] == "dropped" for vector in mine)


# --- hashing ----------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "\t", "\u00a0", HASH_OF_NOTHING, HASH_OF_NOTHING.upper(), sha256("x").upper()]),
    st.emails(),
    st.text(max_size=12),
)


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(CELLS, min_size=1, max_size=12), platform=st.sampled_from(list(PLATFORMS)), place=st.integers(0, 14)
)
def test_a_cell_is_empty_a_hash_or_of_the_form_of_its_key_and_never_the_hash_of_nothing(
    cells: list[str | None], platform: str, place: int
):
    rule = PLATFORMS[platform][place % len(PLATFORMS[platform])]
    judged = judge(rule, pa.array(cells, pa.string()))
    for cell, written in zip(cells, judged.written.to_pylist(), strict=True):
        assert written != HASH_OF_NOTHING
        if written is not None:
            assert (cell or "").strip()
            assert not set(written) & set(',"\r\n\t')
            assert not written.startswith(("=", "+", "-", "@"))
            assert len(written) == 64 or not rule.hashed
    assert sum(judged.counts.values()) == len(cells)
    assert sum(map(len, judged.faults.values())) == judged.counts["dropped"]


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(CELLS, min_size=1, max_size=8), platform=st.sampled_from(list(PLATFORMS)), place=st.integers(0, 14)
)
def test_what_was_exported_can_be_exported_again_and_stays_the_same(cells: list[str | None], platform: str, place: int):
    rule = PLATFORMS[platform][place % len(PLATFORMS[platform])]
    once = judge(rule, pa.array(cells, pa.string())).written
    if not rule.is_phone:
        assert judge(rule, once).written.to_pylist() == once.to_pylist()


BLANKS = st.sampled_from(["", " ", "  ", "\t", "\n", "\u00a0"])
MAILS = st.builds(
    lambda before, user, host, after: f"{before}{user}@{host}{after}",
    BLANKS,
    st.text("abcXYZ.+_é09", min_size=1, max_size=8),
    st.sampled_from(["gmail.com", "Gmail.COM", "googlemail.com", "example.com", "Ex-ample.co.uk", "gmail.com.de", "x"]),
    BLANKS,
)


def plainly(platform: str, mail: str) -> str | None:
    """The rules for e-mail once more, a character at a time."""
    text = mail.strip().lower() if platform == META else "".join(mail.lower().split())
    user, _, host = text.partition("@")
    if platform == GOOGLE and host in ("gmail.com", "googlemail.com"):
        user = user.split("+")[0].replace(".", "")
    good = all(user.split(".")) and "." in host
    return f"{user}@{host}" if good else None


@settings(max_examples=100, deadline=None)
@given(mails=st.lists(MAILS, min_size=1, max_size=20), platform=st.sampled_from([GOOGLE, META]))
def test_a_second_way_of_reading_the_rules_gives_the_same_hashes(mails: list[str], platform: str):
    expected = [plainly(platform, mail) for mail in mails]
    judged = judge(PLATFORMS[platform][0], pa.array(mails))
    assert judged.written.to_pylist() == [None if mail is None else sha256(mail) for mail in expected]


def test_gmail_addresses_keep_their_dots_when_that_is_asked_for(file: Path):
    frame = pd.DataFrame({"Email": ["A.B+c@Gmail.com"]})
    assert export(frame, file)[1][1] == [sha256("ab@gmail.com")]
    assert export(frame, file, shorten_gmail=False)[1][1] == [sha256("a.b+c@gmail.com")]
    assert export(frame, file, META)[1][1] == [sha256("a.b+c@gmail.com")]


# --- the file ---------------------------------------------------------------------------------------------


def test_headers_are_the_platforms_own_in_its_order(file: Path):
    people = pd.DataFrame(
        {
            "zip": ["01234"],
            "Country": ["DE"],
            "last_name": ["Lee"],
            "First Name": ["Ann"],
            "attributes.Phone": ["+49 151 23456789"],
            "E-Mail": ["ann@example.com"],
            "visits": [3],
        }
    )
    assert export(people, file)[1][0] == ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]
    content = file.read_bytes()
    assert content.startswith(b"Email,Phone,First Name,Last Name,Country,Zip\n")
    assert content.isascii()
    assert content.endswith(b",DE,01234\n")
    assert export(people, file, META)[1][0] == ["email", "phone", "fn", "ln", "zip", "country"]


def test_several_columns_of_one_kind_stand_under_the_same_header(file: Path):
    people = pd.DataFrame({"email 1": ["a@x.de", None], "email 2": ["b@x.de", "a@x.de"]})
    report, rows = export(people, file)
    assert rows == [["Email", "Email"], [sha256("a@x.de"), sha256("b@x.de")], ["", sha256("a@x.de")]]
    assert report.keys[0].columns == ("email 1", "email 2")
    assert report.frame.loc["Email"].to_dict() == {
        "empty": 1,
        "valid": 3,
        "repaired": 0,
        "dropped": 0,
        "already_hashed": 0,
        "duplicates": 1,
    }


def test_a_bad_cell_is_left_out_and_the_rest_of_its_row_stays(file: Path):
    people = pd.DataFrame({"email": ["a@x.de", ""], "phone": ["", "+49 151 23456789"]})
    assert export(people, file)[1][1:] == [[sha256("a@x.de"), ""], ["", sha256("+4915123456789")]]


def test_a_row_without_a_value_that_finds_a_person_is_left_out_whole(file: Path):
    people = pd.DataFrame({"email": ["a@x.de", "no", None], "country": ["DE", "DE", "FR"]})
    report, rows = export(people, file)
    assert rows[1:] == [[sha256("a@x.de"), "DE"]]
    assert (report.rows, report.written, report.left_out, report.unreadable) == (3, 1, 2, 0)


def test_a_phone_number_is_read_by_the_country_of_its_row_and_never_by_another(file: Path):
    people = pd.DataFrame({"phone": ["06 12 34 56 78"] * 3, "country": ["fr", None, "France"], "email": "a@x.de"})
    report, rows = export(people, file, default_region="DE")
    assert rows[1][1] == sha256("+33612345678")
    assert rows[2][1] == "" or rows[2][1] != rows[1][1]
    assert rows[3][1] == ""
    assert report.keys[1].faults["no_country_code"] == 1


def test_numbers_are_read_as_the_text_that_they_were(file: Path):
    people = pd.DataFrame({"phone": [15123456789, np.nan], "zip": [94105, 1234.0], "email": ["a@x.de", "b@x.de"]})
    _, rows = export(people, file, default_region="DE")
    assert rows[1][1:] == [sha256("+4915123456789"), "94105"]
    assert rows[2][2] == "1234"


def test_dates_are_read_as_dates(file: Path):
    people = pd.DataFrame({"email": ["a@x.de"], "birthday": pd.to_datetime(["1990-03-04"])})
    assert export(people, file, META)[1][1][1] == sha256("19900304")


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "polars"])
def test_every_kind_of_input_gives_the_same_file(kind: str, file: Path, tmp_path: Path):
    table = pa.table({"email": [f"{n}@x.de" for n in range(20_000)], "fn": ["Ann", None] * 10_000})
    frame = table.to_pandas()
    expected = export(frame, file)[1]
    frame.to_csv(tmp_path / "in.csv", index=False)
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    inputs = {
        "csv": tmp_path / "in.csv",
        "parquet": tmp_path / "in.parquet",
        "arrow": table.to_reader(),
        "polars": polars.from_arrow(table),
    }
    assert export(inputs[kind], file)[1] == expected
    assert len(expected) == 20_001


def test_what_it_is_given_stays_as_it_was(file: Path):
    people = pd.DataFrame({"email": [" A@x.de ", None], "phone": ["1", "2"]})
    before = people.copy(deep=True)
    export(people, file)
    pd.testing.assert_frame_equal(people, before)


# --- the report -------------------------------------------------------------------------------------------


@pytest.fixture
def report(file: Path) -> t1.MatchKeyReport:
    mails = ["ann@x.de", " Ann@x.de", "no", "", None, sha256("bo@x.de").upper(), HASH_OF_NOTHING, "<b>"]
    people = pd.DataFrame({"email": mails, "phone": "+49 151 23456789"}, index=list("abcdefgh"))
    return export(people, file)[0]


def test_the_report_says_for_each_key_what_became_of_every_cell(report: t1.MatchKeyReport):
    assert report.frame.loc["Email"].to_dict() == {
        "empty": 2,
        "valid": 1,
        "repaired": 1,
        "dropped": 3,
        "already_hashed": 1,
        "duplicates": 1,
    }
    assert report.frame.loc["Phone", "duplicates"] == 7
    cells = report.frame[["empty", "valid", "repaired", "dropped", "already_hashed"]].sum(axis=1)
    assert cells.tolist() == [8, 8]
    assert report.keys[0].faults == {"not_an_address": 2, "hash_of_nothing": 1}
    assert (report.frame.dtypes == "Int64").all()


def test_the_report_names_the_rows_and_no_values(report: t1.MatchKeyReport):
    assert report.dropped.index.tolist() == ["g", "c", "h"]
    assert report.dropped["code"].tolist() == ["hash_of_nothing", "not_an_address", "not_an_address"]
    for shown in (repr(report), str(report), report._repr_html_(), str(report.to_dict())):
        assert "ann@x.de" not in shown
        assert "<b>" not in shown.replace("<b>Match keys</b>", "")
    assert "Email 3" in repr(report)
    assert "2 not an e-mail address" in str(report)


def test_rows_of_a_file_are_counted_from_one_and_unreadable_ones_are_told(tmp_path: Path, file: Path):
    (tmp_path / "in.csv").write_text("email\na@x.de\nb@x.de,too many\nno\n", encoding="utf-8")
    report, rows = export(tmp_path / "in.csv", file)
    assert len(rows) == 2
    assert (report.rows, report.written, report.left_out, report.unreadable) == (3, 1, 1, 1)
    assert report.dropped.index.tolist() == [3]
    assert "1 row left out: not readable" in report.lines()


def test_the_report_says_when_an_address_cannot_match_and_when_a_list_is_short(file: Path):
    people = pd.DataFrame({"email": ["a@x.de"], "fn": ["Ann"], "ln": ["Lee"], "zip": ["1234"]})
    assert "not there: Country" in export(people, file)[0].notes[0]
    assert "rows that have it: 1" in export(people.assign(country="DE"), file)[0].notes[0]
    assert "fewer than 100" in export(people, file, META)[0].notes[0]


def test_every_fault_has_a_sentence_and_every_rule_a_fault_of_its_own():
    assert {rule.fault for rules in PLATFORMS.values() for rule in rules} < FAULTS.keys()
    assert len(set(COUNTRIES)) == len(COUNTRIES) == 249


def test_bytes_that_are_no_text_are_dropped_and_told(file: Path):
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff@x.de", b"a@x.de"]).buffers())
    report, rows = export(pa.table({"email": broken}), file)
    assert rows[1:] == [[sha256("a@x.de")]]
    assert report.keys[0].faults == {"not_text": 1}
    assert report.frame.loc["Email", ["empty", "dropped"]].tolist() == [0, 1]


# --- what is refused --------------------------------------------------------------------------------------

ONE = pd.DataFrame({"email": ["a@x.de"], "phone": ["+49 151 23456789"]})


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (
            ONE,
            {"platform": "tiktok"},
            "platform: got 'tiktok', valid are 'google_customer_match', 'meta_custom_audience'",
        ),
        (ONE, {"columns": {"mail": "Email"}}, "columns: got 'mail', valid are 'email', 'phone'"),
        (ONE, {"columns": {"email": "E-mail"}}, "columns: got 'E-mail', valid are 'Email', 'Phone'"),
        (ONE, {"default_region": "Germany"}, "default_region: got 'Germany'"),
        (ONE[["email"]], {"default_region": "DE"}, "no column is exported as one"),
        (pd.DataFrame({"a": [1]}), {}, "no column of DataFrame is named like one of 'Email'"),
        (pd.DataFrame({"fn": ["A"], "first_name": ["B"]}), {}, "'fn', 'first_name' would all be 'First Name'"),
        (pd.DataFrame({"email": ["no", ""]}), {}, "no row with a value that finds a person"),
        (pd.DataFrame({"email": [b"a@x.de"]}), {}, "column 'email' holds binary"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words_and_nothing_is_written(
    data: Any, options: dict[str, Any], said: str, tmp_path: Path
):
    with pytest.raises(InputError, match=said):
        t1.export_audience(data, tmp_path / "audience.csv", **{"platform": GOOGLE, **options})
    assert os.listdir(tmp_path) == []


def test_meta_takes_three_mails_and_no_more(file: Path):
    mails = pd.DataFrame({f"email{n}": [f"{n}@x.de"] for n in range(4)})
    with pytest.raises(InputError, match="of which the platform takes 3"):
        export(mails, file, META)
    assert len(export(mails, file)[1][0]) == 4


def test_another_ending_than_csv_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"written as \.csv"):
        t1.export_audience(ONE, tmp_path / "audience.xlsx", platform=GOOGLE)
