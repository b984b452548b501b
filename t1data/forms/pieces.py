"""Pieces that every form is put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as W

from t1data.forms import html


def button(label: str, hint: str, press: Callable[[], None]) -> W.Button:
    """Return a button; without a hint it would be called "null"."""
    made = W.Button(description=label, tooltip=hint)
    made.on_click(lambda _: press())
    return made


def row(widgets: Iterable[W.Widget]) -> W.HBox:
    """Return widgets side by side, on as many lines as they need."""
    box = W.HBox(list(widgets))
    box.add_class("t1-buttons")
    return box


def framed(children: Iterable[W.Widget]) -> W.VBox:
    """Return the frame of a form, with its sheet."""
    box = W.VBox([W.HTML(html.style(), layout={"display": "none"}), *children])
    box.add_class("t1-form")
    return box


def show(widget: W.Widget, shown: bool) -> None:
    """Show a widget, or take it off the page."""
    widget.layout.display = None if shown else "none"


def bundle(widget: W.Widget, text: str) -> dict[str, Any]:
    """Return what a notebook shows and saves: the view of a widget, or a text where there are no widgets."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"text/plain": text, "application/vnd.jupyter.widget-view+json": view}
