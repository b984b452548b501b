"""Which column is the id, which attribute the others become, of what type: one row of fields a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as W
import traitlets

from t1data.errors import InputError
from t1data.forms import html
from t1data.forms.peek import Peek
from t1data.tables.types import TYPES

MOST_COLUMNS = 80
"""A page with thousands of fields answers no more; further columns go out under their own names."""

_HEAD = ("Column", "First cells", "Use", "Attribute", "Type", "Empty cells")
_USES = [("attribute", "attribute"), ("customer id", "id"), ("leave out", "skip")]
_TYPES = [("as found", ""), *((name, name) for name in TYPES)]
_MISSING = [("leave alone", "omit"), ("clear", "clear")]


@dataclass(frozen=True)
class Line:
    """The fields of one column."""

    column: str
    use: Any
    attribute: Any
    type: Any
    missing: Any

    @property
    def widgets(self) -> tuple[Any, ...]:
        """In the order of the page."""
        return (self.use, self.attribute, self.type, self.missing)


class ColumnMapping:
    """Feeds ``id``, ``attributes``, ``types`` and ``missing``.

    Parameters
    ----------
    show_rows : bool
        Whether the first cells of each column are shown.
    """

    labels = {"id": "Use: customer id", "attributes": "Attribute", "types": "Type", "missing": "Empty cells"}
    folded = False

    def __init__(self, *, show_rows: bool = True) -> None:
        self._show_rows = show_rows
        self._lines: list[Line] = []
        self._likely: str | None = None
        self._all_shown = True
        self._changed: Callable[[], None] = lambda: None
        self._grid = W.Box(layout={"max_width": "100%"})
        self._grid.add_class("t1-grid")
        self._said = W.HTML()
        self.widget = W.VBox([self._said, self._grid])
        self._said.value = html.note("The columns appear here once rows are chosen.")

    def look(self, peek: Peek) -> None:
        """Show the columns of other rows."""
        self._likely = peek.likely_id()
        self._all_shown = len(peek.columns) <= MOST_COLUMNS
        names = list(peek.columns[:MOST_COLUMNS])
        if names != [line.column for line in self._lines]:  # else what was chosen for them still holds
            self._lines = [_line(name, is_id=name == self._likely) for name in names]
            self._observe()
        cells: list[W.Widget] = [W.HTML(f"<b>{name}</b>") for name in _HEAD]
        for line in self._lines:
            shown = ", ".join(peek.samples[line.column]) if self._show_rows else "not shown"
            cells += [_label(line.column), _label(shown, kind="t1-sample"), *line.widgets]
        self._grid.children = cells
        more = len(peek.columns) - len(self._lines)
        self._said.value = html.note(f"{more:,} more columns are sent under their own names." if more else "")

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell of every change."""
        self._changed = changed

    def lock(self, locked: bool) -> None:
        """Lock all fields."""
        for line in self._lines:
            for widget in line.widgets:
                widget.disabled = locked

    def arguments(self) -> dict[str, Any]:
        """Return what differs from what the function would do by itself.

        Raises
        ------
        InputError
            No column, or more than one, is the id; or an attribute has no name.
        """
        if not self._lines:
            return {}
        id_ = self._id()
        sent = {line.column: line.attribute.value.strip() for line in self._lines if line.use.value == "attribute"}
        nameless = [column for column, attribute in sent.items() if not attribute]
        if nameless:
            raise InputError(f"The column {nameless[0]!r} has no attribute: name one, or leave the column out")
        usual = {line.column: line.column for line in self._lines if line.column != id_}
        found = {
            "id": None if id_ == self._likely else id_,
            "attributes": None if sent == usual else self._only_if_all(sent),
            "types": {line.column: line.type.value for line in self._lines if line.type.value and line.column in sent},
            "missing": self._missing(sent),
        }
        return {name: value for name, value in found.items() if value or (value == {} and name == "attributes")}

    def restore(self, arguments: Mapping[str, Any]) -> None:
        """Show arguments that were saved.

        Raises
        ------
        InputError
            They name a column that is not among the chosen rows', or a word that is not known.
        """
        known = {line.column for line in self._lines}
        attributes = _as_mapping(arguments.get("attributes"))
        named = {arguments.get("id"), *(attributes or ()), *arguments.get("types", {})} - {None}
        if strange := sorted(str(name) for name in named - known):
            raise InputError(f"The saved columns are not those of these rows: there is no {strange[0]!r}")
        for line in self._lines:
            try:
                _restore(line, arguments, attributes, id_=arguments.get("id") or self._likely)
            except traitlets.TraitError:
                raise InputError(f"What was saved for the column {line.column!r} is not known here") from None

    def _observe(self) -> None:
        for line in self._lines:
            for widget in line.widgets:
                widget.observe(self._on_change, "value")

    def _on_change(self, _: Any) -> None:
        self._changed()

    def _id(self) -> str:
        ids = [line.column for line in self._lines if line.use.value == "id"]
        if len(ids) != 1:
            found = "No column is" if not ids else f"{len(ids)} columns are"
            raise InputError(f"{found} the customer id: set the use of exactly one column to 'customer id'")
        return ids[0]

    def _only_if_all(self, sent: dict[str, str]) -> dict[str, str]:
        if not self._all_shown:
            raise InputError(
                f"These rows have more than {MOST_COLUMNS} columns, and only those are shown: give attributes= in code"
            )
        return sent

    def _missing(self, sent: Mapping[str, str]) -> str | dict[str, str] | None:
        clear = {line.column: "clear" for line in self._lines if line.missing.value == "clear" and line.column in sent}
        return "clear" if clear and len(clear) == len(sent) and self._all_shown else clear or None


def _line(column: str, *, is_id: bool) -> Line:
    def bare(widget: W.Widget) -> W.Widget:
        widget.add_class("t1-bare")  # its label is for those who do not see the head of the table
        return widget

    return Line(
        column,
        bare(W.Dropdown(options=_USES, value="id" if is_id else "attribute", description=f"Use of {column}")),
        bare(W.Text(value=column, description=f"Attribute of {column}")),
        bare(W.Dropdown(options=_TYPES, description=f"Type of {column}")),
        bare(W.Dropdown(options=_MISSING, description=f"Empty cells of {column}")),
    )


def _label(text: str, *, kind: str = "t1-name") -> W.HTML:
    escaped = html.escape(text)
    return W.HTML(f"<div class='{kind}' title='{escaped}'>{escaped}</div>")


def _as_mapping(attributes: Any) -> dict[str, str] | None:
    if attributes is None or isinstance(attributes, dict):
        return attributes
    return {name: name for name in attributes}


def _restore(line: Line, arguments: Mapping[str, Any], attributes: Mapping[str, str] | None, *, id_: Any) -> None:
    column, missing = line.column, arguments.get("missing", "omit")
    is_sent = attributes is None or column in attributes
    line.use.value = "id" if column == id_ else "attribute" if is_sent else "skip"
    line.attribute.value = (attributes or {}).get(column, column)
    line.type.value = arguments.get("types", {}).get(column, "")
    line.missing.value = missing if isinstance(missing, str) else missing.get(column, "omit")
