"""Options that say how text files and workbooks are read where a command has several inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from t1data.cli import values
from t1data.cli.options import Option

WORDS: Final = ("encoding", "delimiter", "sheet")


def of_inputs(*names: str) -> tuple[Option, ...]:
    """Return the options, whose help names the inputs."""
    each = f"For one input: {names[0]}=…; repeat it for others."
    return (
        Option(
            "--encoding",
            "encoding",
            f"The encoding of text files; UTF-8 when left out. {each}",
            "NAME|INPUT=NAME",
            read=values.by_input,
            repeat=True,
        ),
        Option(
            "--delimiter",
            "delimiter",
            rf"What separates the fields of text files, \t for a tab; found in the header when left out. {each}",
            "CHARACTER|INPUT=CHARACTER",
            read=values.delimiter_by_input,
            repeat=True,
        ),
        Option(
            "--sheet",
            "sheet",
            f"The sheet of workbooks; the only one that holds anything when left out. {each}",
            "NAME|INPUT=NAME",
            read=values.by_input,
            repeat=True,
        ),
    )


def apart(reading: Mapping[str, Any], inputs: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide what was typed into what a comparison takes and how `known`, which another function reads, is read."""
    from t1data.audiences.ways import Ways

    said = Ways(**{word: reading[word] for word in WORDS if word in reading}).of(inputs)
    known: dict[str, Any] = dict(said.pop("known", {}))
    words = {word: {name: said[name][word] for name in said if word in said[name]} for word in WORDS}
    return {**reading, **words}, known
