"""The fields of forms: each feeds one parameter of the public function, and only when it was touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ipywidgets as W

from t1data.errors import InputError
from t1data.forms.peek import Peek
from t1data.tables.choices import ID

STYLE = {"description_width": "170px"}
LAYOUT = {"width": "560px", "max_width": "100%"}


class Part(Protocol):
    """A part of a form that feeds parameters: a field, or a group such as the mapping of columns."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Parameters of the public function that it feeds, and what the form calls them."""

    @property
    def widget(self) -> W.Widget:
        """What is shown."""

    @property
    def folded(self) -> bool:
        """Whether it is shown among further options."""

    def arguments(self) -> dict[str, Any]:
        """Return what the person chose; a parameter that was left alone is not in it."""

    def restore(self, arguments: Mapping[str, Any]) -> None:
        """Show arguments that were saved."""

    def look(self, peek: Peek) -> None:
        """Take notice of other rows."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell when anything changes."""

    def lock(self, locked: bool) -> None:
        """Keep the person from changing anything, or no longer."""


@dataclass(frozen=True)
class Field:
    """One parameter as one widget.

    Attributes
    ----------
    parameter : str
        Of the public function.
    widget : Widget
        Its ``value`` is what was typed.
    read : callable
        Makes of the value what the function takes, or None for "left alone"; an `InputError` says what is wrong.
    show : callable
        The way back, for arguments that were saved.
    folded : bool
        Whether it stands among further options.
    columns : bool
        Whether it offers the columns of the chosen rows.
    usual : str
        Which of them it shows at first.
    more : sequence of tuple
        What it offers after them: label and value.
    """

    parameter: str
    widget: Any
    read: Callable[[Any], Any] = lambda value: value or None
    show: Callable[[Any], Any] = lambda value: value
    folded: bool = False
    columns: bool = False
    usual: str = ID
    more: Sequence[tuple[str, str]] = ()

    @property
    def labels(self) -> Mapping[str, str]:
        """The one parameter, and its label."""
        return {self.parameter: str(self.widget.description)}

    def arguments(self) -> dict[str, Any]:
        """Return the argument, if it was chosen."""
        value = self.read(self.widget.value)
        return {} if value is None else {self.parameter: value}

    def restore(self, arguments: Mapping[str, Any]) -> None:
        """Show the argument."""
        if self.parameter in arguments:
            self.widget.value = self.show(arguments[self.parameter])

    def look(self, peek: Peek) -> None:
        """Offer the columns."""
        offered = (*((name, name) for name in peek.columns), *self.more)
        if self.columns and tuple(self.widget.options) != offered:
            self.widget.options = offered
            self.widget.value = peek.likely(self.usual)

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell of every change."""
        self.widget.observe(lambda _: changed(), "value")

    def lock(self, locked: bool) -> None:
        """Lock the widget."""
        self.widget.disabled = locked


def text(parameter: str, label: str, *, hint: str = "", folded: bool = False) -> Field:
    """Return a field for a line of text; an empty one is left alone."""
    widget = W.Text(description=label, placeholder=hint, style=STYLE, layout=LAYOUT)
    return Field(parameter, widget, read=lambda value: value.strip() or None, show=str, folded=folded)


def whole(parameter: str, label: str, *, low: int, high: int, required: bool = False, folded: bool = False) -> Field:
    """Return a field for a whole number; an empty one is left alone, or refused."""
    hint = f"{low:,} to {high:,}"
    widget = W.Text(description=label, placeholder=hint, style=STYLE, layout=LAYOUT)

    def read(typed: str) -> int | None:
        plain = typed.strip().replace(",", "").replace(" ", "")
        if not plain and not required:
            return None
        if not plain:
            raise InputError(f"{label} is missing: give its number")
        if not (plain.isascii() and plain.isdigit() and low <= int(plain[:20]) <= high):
            raise InputError(f"{label}: {typed.strip()!r} is no whole number from {hint}")
        return int(plain)

    return Field(parameter, widget, read=read, show=str, folded=folded)


def choice(
    parameter: str,
    label: str,
    options: Sequence[tuple[str, Any]],
    *,
    default: Any,
    first: Any = None,
    folded: bool = False,
) -> Field:
    """Return a field for one of a few values; the function's default is left alone, also if another is shown first."""
    shown = default if first is None else first
    widget = W.Dropdown(options=options, value=shown, description=label, style=STYLE, layout=LAYOUT)
    return Field(parameter, widget, read=lambda value: None if value == default else value, folded=folded)


def box(label: str) -> W.Checkbox:
    """Return a box to tick."""
    return W.Checkbox(value=False, description=label, indent=False, layout=LAYOUT)


def tick(parameter: str, label: str, *, folded: bool = False) -> Field:
    """Return a field for a yes; no is left alone."""
    return Field(parameter, box(label), folded=folded)


def offer(picker: W.Dropdown, options: Sequence[tuple[str, str]]) -> None:
    """Offer other options: what was picked stays so if it is among them, else it is the first."""
    before = picker.value
    picker.options = options
    values = [value for _, value in options]
    picker.value = before if before in values else values[0] if values else None


def column(parameter: str, label: str, *, usual: str = ID, none: str | None = None) -> Field:
    """Return a field for one of the columns of the chosen rows; the usual one is left alone.

    Where there may be no such column, `none` says what that means; the function is then told an empty name.
    """
    more = () if none is None else ((none, ""),)
    widget = W.Dropdown(options=more, value=None, description=label, style=STYLE, layout=LAYOUT)

    def read(value: str | None) -> str | None:
        return None if value in (None, usual) else value

    return Field(parameter, widget, read=read, columns=True, usual=usual, more=more)


DECIMALS = [("point: 1.50", "."), ("comma: 1,50", ",")]
DELIMITERS = [("found in the header", ""), ("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|")]


def of_file() -> tuple[Field, ...]:
    """Return the fields that say how a text file or workbook is read."""
    return (
        text("encoding", "Encoding", hint="UTF-8 when left empty", folded=True),
        choice("delimiter", "Delimiter", DELIMITERS, default="", folded=True),
        text("sheet", "Sheet of a workbook", hint="the only one that holds anything, when left empty", folded=True),
    )


class Ticks:
    """Boxes to tick, all ticked at first, as one parameter that is a list.

    Parameters
    ----------
    parameter : str
        Of the public function; it is left alone when all are ticked.
    label : str
        What the boxes are together.
    names : sequence of str
        What can be in the list.
    """

    folded = False

    def __init__(self, parameter: str, label: str, names: Sequence[str]) -> None:
        self._parameter = parameter
        self.labels = {parameter: label}
        self._boxes = {name: W.Checkbox(value=True, description=name, indent=False) for name in names}
        self.widget = W.VBox([W.Label(label), W.HBox(list(self._boxes.values()))])
        self.widget.children[1].add_class("t1-buttons")

    def arguments(self) -> dict[str, Any]:
        """Return those that are ticked."""
        ticked = [name for name, box in self._boxes.items() if box.value]
        return {} if len(ticked) == len(self._boxes) else {self._parameter: ticked}

    def restore(self, arguments: Mapping[str, Any]) -> None:
        """Tick those that were saved."""
        ticked = arguments.get(self._parameter, list(self._boxes))
        for name, box in self._boxes.items():
            box.value = name in ticked

    def look(self, peek: Peek) -> None:
        """Do nothing: the boxes are the same for all rows."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell of every change."""
        for box in self._boxes.values():
            box.observe(lambda _: changed(), "value")

    def lock(self, locked: bool) -> None:
        """Lock all boxes."""
        for box in self._boxes.values():
            box.disabled = locked


def pairs(parameter: str, label: str, *, hint: str, read: Callable[[str], Any], folded: bool = False) -> Field:
    """Return a field for lines of the form ``name = value``."""
    widget = W.Textarea(description=label, placeholder=hint, rows=2, style=STYLE, layout=LAYOUT)

    def parse(typed: str) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for line in filter(str.strip, typed.splitlines()):
            name, sign, value = (part.strip() for part in line.partition("="))
            if not sign or not name or name in found:
                raise InputError(f"{label}: {line.strip()!r} is not of the form name = value, each name once")
            found[name] = read(value)
        return found or None

    def show(value: Mapping[str, Any]) -> str:
        return "\n".join(f"{name} = {each}" for name, each in value.items())

    return Field(parameter, widget, read=parse, show=show, folded=folded)


def without(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return arguments but for some, which only the sending takes."""
    return {name: value for name, value in arguments.items() if name not in names}


def json_or_text(typed: str) -> Any:
    """Read a value as JSON if it is that, else as text."""
    try:
        return json.loads(typed)
    except ValueError:
        return typed
