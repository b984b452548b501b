"""Generated and mutated inputs against an exact oracle; docs/reliability.md has the large figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import fuzz


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any], str]:
    """Run the harness; return its exit code, its line of figures, and what it complained of."""
    code = fuzz.main(["--seed", "suite", *options])
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    return code, json.loads(said.out), said.err


def test_of_every_generated_or_damaged_input_each_row_becomes_exactly_what_it_must(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, figures, said = run(capsys, "--files", "3000")
    assert code == 0, said
    assert figures["csv"] + figures["arrow"] == 3000
    assert figures["files_to_refuse"] > 100, "damage that refuses a whole file was met"


@pytest.mark.parametrize("wound", fuzz.WOUNDS)
def test_a_reader_or_encoder_that_is_broken_on_purpose_is_noticed_within_a_few_files(
    capsys: pytest.CaptureFixture[str], wound: str
) -> None:
    code, figures, said = run(capsys, "--files", "200", "--broken", wound)
    assert code == 1
    assert figures["files"] < 60, said


def test_one_input_can_be_looked_at_again_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    _, figures, said = run(capsys, "--files", "200", "--broken", "off-by-one")
    name = figures["again"].split()[-1]
    _, again, said_again = run(capsys, "--only", name, "--broken", "off-by-one")
    assert again["files"] == 1
    assert said_again.strip() == said.splitlines()[0]
