"""A field for a key that keeps none: what is typed goes to its taker, and the field is empty again."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as W

Take = Callable[[str], str]


def taken_password(label: str, *, take: Take) -> W.Password:
    """Return a password field that is emptied as soon as what was typed has been handed over.

    Whatever a field holds is saved with the notebook when "save widget state" is on, and always by nbconvert.

    Parameters
    ----------
    label : str
        What the field is called.
    take : callable
        Gets the text, once, when the person leaves the field; returns what the empty field then says.
    """
    field = W.Password(
        description=label,
        continuous_update=False,  # nothing is sent while typing
        style={"description_width": "170px"},
        layout={"width": "560px", "max_width": "100%"},
    )

    def on_value(change: dict[str, str]) -> None:
        if change["new"]:
            typed, change["new"] = change["new"], ""
            field.value = ""
            field.placeholder = take(typed)

    field.observe(on_value, "value")
    return field
