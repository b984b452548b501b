"""A key and persons that nobody has are searched for in every byte; docs/reliability.md has the whole sweep."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from benchmarks import canary
from benchmarks.canary_forms import FORMS, KEY, sightings


def run(capfd: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any], str]:
    code = canary.main([*options])
    said = capfd.readouterr()
    return code, json.loads(said.out), said.err


@pytest.mark.parametrize("form", FORMS)
def test_the_search_sees_a_secret_in_each_form(form: str) -> None:
    assert form in sightings(b"before" + FORMS[form](KEY) + b"after", KEY)


def test_the_search_sees_a_secret_in_the_middle_of_base64() -> None:
    for before in (b"", b"a", b"ab", b"abc"):
        assert sightings(base64.b64encode(before + KEY.encode() + b"rest"), KEY)


def test_neither_a_shell_nor_a_killed_run_leaves_the_key_or_a_person_anywhere(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, figures, said = run(capfd, "--only", "shell", "--only", "killed")
    assert code == 0, said
    assert figures["files"] > 10


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("key-in-log", "stderr holds a key"),
        ("words-as-they-came", "shell.sqlite knows a person"),
        ("rows-in-a-cache", "cache.bin knows a person"),
    ],
)
def test_something_that_tells_on_purpose_is_noticed(capfd: pytest.CaptureFixture[str], broken: str, said: str) -> None:
    code, _, found = run(capfd, "--only", "shell", "--broken", broken)
    assert code == 1
    assert said in found
