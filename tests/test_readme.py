"""Every code block of the README is run: Python in order in one namespace, shell lines with bash, JSON by its form.

`make` is not run from here, since it would install everything anew and run this test: its targets are looked up in the
Makefile. The port of the sandbox is replaced by a free one. All runs in a folder of its own, beside the sample data.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from shell import ROOT, end_all, ended, start, variables

from t1data.sandbox import Sandbox

README = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int


def blocks() -> list[Block]:
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    return [Block(match[1], match[2], README[: match.start()].count("\n") + 1) for match in found]


def of(language: str) -> list[Block]:
    return [block for block in blocks() if block.language == language]


SHELL = [block for block in of("sh") if not block.code.startswith("make ")]
SERVING = [block for block in SHELL if block.code.startswith("t1data sandbox")]
TYPED = [block for block in SHELL if block not in SERVING]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("readme")
    (made / "sample_data").symlink_to(ROOT / "sample_data")
    return made


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    with Sandbox() as sandbox:
        sandbox.load(ROOT / "sample_data")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        yield variables(sandbox, folder, management=True) | {"PATH": path}


@pytest.fixture(scope="module")
def typed(folder: Path, environment: dict[str, str]) -> list[subprocess.CompletedProcess[str]]:
    """All shell blocks in order, each as one script that ends at the first command that fails."""
    return [
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.code],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        for block in TYPED
    ]


def form(value: Any) -> Any:
    """A JSON value with its leaves replaced by their types."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    return type(value).__name__


def test_every_block_is_of_a_kind_that_is_tested_here() -> None:
    assert {block.language for block in blocks()} == {"sh", "python", "json"}
    assert len(of("json")) == 2
    assert len(SERVING) == 1
    assert len(TYPED) >= 3


def test_the_blocks_of_python_run_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("T1DATA_RUNS", str(folder / "notebook-runs"))
    names: dict[str, Any] = {}
    try:
        for block in of("python"):
            exec(compile("\n" * block.line + block.code, "README.md", "exec"), names)
    finally:
        names["sandbox"].close()
    assert names["run"].counts["accepted"] == 1
    assert [seen.status for seen in names["sandbox"].requests.of("update_customer_profiles_v2")][-2:] == [503, 204]
    assert names["problems"]["code"].tolist() == ["id_whitespace"]
    assert names["inventory"]["profile"]["integrationId"] == "00001"


def test_the_first_example_has_ten_lines_at_most() -> None:
    assert len(of("python")[0].code.splitlines()) <= 10


def test_what_is_typed_in_a_shell_ends_well(typed: list[subprocess.CompletedProcess[str]]) -> None:
    failed = [f"line {block.line}: {done.stderr}" for block, done in zip(TYPED, typed, strict=True) if done.returncode]
    assert not failed


def test_the_last_line_of_an_upsert_has_the_form_that_is_shown(
    typed: list[subprocess.CompletedProcess[str]],
) -> None:
    (done,) = [done for block, done in zip(TYPED, typed, strict=True) if "profiles upsert" in block.code]
    shown, printed = json.loads(of("json")[0].code), json.loads(done.stdout.splitlines()[-1])
    assert list(printed) == list(shown)
    assert form(printed) == form(shown)
    assert all(re.fullmatch(r"\d{8}-\d{6}-upsert-profiles-[0-9a-f]{6}", run) for run in (printed["run"], shown["run"]))
    assert {name: printed[name] for name in printed if name != "run"} == {n: shown[n] for n in shown if n != "run"}


def test_the_sandbox_prints_the_line_that_is_shown(folder: Path) -> None:
    words = SERVING[0].code.split()
    process = start(*(word if word != "8089" else "0" for word in words[1:]), env={}, cwd=folder)
    try:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert ended(process).code == 0
    finally:
        end_all()
    shown = json.loads(of("json")[1].code)
    assert list(printed) == list(shown)
    assert re.sub(r"\d+$", "", printed["base_url"]) == re.sub(r"\d+$", "", shown["base_url"])


def test_the_targets_of_make_are_in_the_makefile() -> None:
    targets = [block.code.split()[1] for block in of("sh") if block.code.startswith("make ")]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets == ["demo", "test", "lab"]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, flags=re.MULTILINE)] == []


def test_every_picture_is_there_and_small() -> None:
    pictures = [ROOT / name for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)]
    assert pictures
    assert all(picture.stat().st_size < 200_000 for picture in pictures)


def test_every_name_of_a_method_is_one_of_the_client() -> None:
    import t1data as t1

    table = README[README.index("| what for | methods |") :].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert {name for name in named if not callable(getattr(t1.Client, name, None))} == set()
    assert len(named) == 20
