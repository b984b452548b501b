"""Every benchmark runs to its line of figures, at sizes that say nothing about speed. What came is counted by each."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

TINY = {
    "start": ["--pairs", "1"],
    "first": ["--rows", "1000", "--sources", "csv", "--pairs", "1"],
    "limits": ["--case", "50ms", "--seconds", "0.05", "--pairs", "1"],
    "memory": ["--rows", "2000", "--sources", "parquet"],
    "scaling": ["--rows", "1000,2000", "--keep", "."],
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
