"""The choices of a form as a JSON file: the arguments of the public function, and nothing of the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets

from t1data.errors import InputError
from t1data.forms.data import Chosen
from t1data.forms.fields import Part
from t1data.writing import replacing


def save_choices(path: str, function: str, arguments: Mapping[str, Any]) -> Path:
    """Write choices, replacing a file that holds choices already and no other.

    Raises
    ------
    InputError
        The file cannot be written, or is not one of choices.
    """
    target = _named(path)
    if target.exists():
        _read(target, function)  # a slip of the pen must not cost another file
    with replacing(target, overwrite=True) as part:
        kept = {name: value for name, value in arguments.items() if not isinstance(value, Chosen)}
        text = json.dumps({"function": function, "arguments": kept}, ensure_ascii=False, indent=2)
        part.write_text(f"{text}\n", encoding="utf-8")
    return target.absolute()


def load_choices(path: str, function: str, parts: Sequence[Part]) -> None:
    """Read choices into the parts of a form.

    Raises
    ------
    InputError
        The file is not one of choices for this function, or they do not fit the chosen rows.
    """
    target = _named(path)
    arguments = _read(target, function)
    known = {name for part in parts for name in part.labels}
    if strange := sorted(set(arguments) - known):
        raise InputError(f"{target.name} has {strange[0]!r}, which this form does not know")
    for part in parts:
        try:
            part.restore(arguments)
        except (traitlets.TraitError, TypeError, AttributeError):
            raise InputError(f"{target.name} holds a value that {next(iter(part.labels))!r} cannot have") from None


def _named(path: str) -> Path:
    target = Path(path.strip()).expanduser()
    if target.suffix != ".json":
        raise InputError(f"{path.strip() or 'The name'} must end in .json")
    return target


def _read(path: Path, function: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no file {path.absolute()}") from None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path.name} cannot be read as JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("arguments"), dict) or "function" not in found:
        raise InputError(f"{path.name} does not hold choices of a form")
    if found["function"] != function:
        raise InputError(f"{path.name} holds choices for {found['function']}, and this form is of {function}")
    return dict(found["arguments"])
