"""Every benchmark runs to its line of figures, at sizes that say nothing about speed. What came is counted by each."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

TINY = {
    "start": ["--pairs", "1"],
    "referrals": ["--answers", "1", "--pairs", "1"],
    "inventories": ["--customers", "40", "--case", "50ms", "--pairs", "1"],
    "first": ["--rows", "1000", "--sources", "csv", "--pairs", "1"],
    "limits": ["--case", "50ms", "--seconds", "0.05", "--pairs", "1"],
    "upsert": ["--rows", "1500", "--pairs", "1", "--only", "t1data,read"],
    "memory": ["--rows", "2000", "--sources", "parquet"],
    "scaling": ["--rows", "1000,2000", "--keep", "."],
    "diff": ["--rows", "3000", "--pairs", "1", "--only", "t1data,bare", "--data", "."],
}


@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_ends_with_one_line_of_figures(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert import_module(f"benchmarks.{name}").main(TINY[name]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["benchmark"] == name
    assert figures["cores"] >= 1


def test_a_diff_of_untidy_audiences_is_what_another_query_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_module("benchmarks.diff").main(["--rows", "20000", "--judge", "--data", str(tmp_path)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["violations"] == 0
    assert all(figures["held"].values())
