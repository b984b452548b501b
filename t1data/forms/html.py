"""Small pieces of HTML. Every text that comes from data, files or servers goes through `escape` here, and only here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from t1data.plots import describe
from t1data.plots.canvas import as_png

__all__ = ["alert", "bar", "bullets", "drawing", "escape", "heading", "note", "status", "style", "table"]


def style() -> str:
    """Return the sheet of all forms: colours of the page's theme, with fall-backs."""
    return f"<style>{files('t1data.forms').joinpath('forms.css').read_text(encoding='utf-8')}</style>"


def heading(text: str, *, level: int = 3) -> str:
    """Return a heading."""
    return f"<h{level} class='t1-heading'>{escape(text)}</h{level}>"


def note(text: str) -> str:
    """Return a quiet line."""
    return f"<p class='t1-note'>{escape(text)}</p>" if text else ""


def status(text: str) -> str:
    """Return a line that is read out when it changes."""
    return f"<p class='t1-status' role='status'>{escape(text)}</p>"


def alert(text: str, *, word: str = "Error") -> str:
    """Return a line that is read out at once; a word says what it is, not a colour alone."""
    return f"<p class='t1-alert' role='alert'><b>{escape(word)}:</b> {escape(text)}</p>"


def bullets(lines: Iterable[str]) -> str:
    """Return a list."""
    return f"<ul class='t1-list'>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, wide: bool = False) -> str:
    """Return a table whose numbers stand right; a wide one has a line a row, and is scrolled."""
    kind = "t1-table t1-wide" if wide else "t1-table"
    top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f"<div class='t1-scroll' tabindex='0' role='group' aria-label='{escape(caption)}'><table class='{kind}'>"
        f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bar(percent: int, line: str) -> str:
    """Return a bar with the line that says the same in words."""
    return (
        f"<div class='t1-bar' role='progressbar' aria-label='Progress of the run' aria-valuemin='0' aria-valuemax='100'"
        f" aria-valuenow='{percent}' aria-valuetext='{escape(line)}'><div style='width:{percent}%'></div></div>"
        f"<p class='t1-line'>{escape(line)}</p>"
    )


def drawing(axes: Any) -> str:
    """Return what was drawn as a picture, with the words that say what it shows."""
    png = base64.b64encode(as_png(axes, dpi=80)).decode()
    return f"<img class='t1-picture' alt='{escape(describe(axes))}' src='data:image/png;base64,{png}'>"


def _cell(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"<td class='t1-number'>{value:,}</td>"
    return f"<td>{escape('' if value is None else str(value))}</td>"
