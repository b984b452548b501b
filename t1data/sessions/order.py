"""The lines of a session one after the other: what it may become, whose it is, and which line says nothing new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from t1data.tables.labels import position

# What a session may become by an update. Returns and reopening are operations of their own.
NEXT: Mapping[str, frozenset[str]] = {
    "open": frozenset({"open", "closed", "cancelled"}),
    "closed": frozenset({"cancelled"}),
    "cancelled": frozenset(),
}
ALONE = frozenset({"open", "closed"})
"""What a session can begin as; a what-if run sees each line by itself."""


@dataclass(frozen=True)
class Said:
    """What one line says of its session.

    Attributes
    ----------
    row : int
        0-based.
    customer : str or None
        None for nobody.
    state : str
        As sent.
    digest : bytes
        Of all that is sent.
    is_bad : bool
        It cannot be sent, for reasons of its own.
    bad_cart : str or None
        Why the session's cart cannot be sent.
    """

    row: int
    customer: str | None
    state: str
    digest: bytes
    is_bad: bool = False
    bad_cart: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Why a line is not sent: a problem with what it says for people, or an equal line that stands for it."""

    code: str
    value: str = ""
    same_as: int | None = None


@dataclass(frozen=True)
class _Known:
    """What the lines of a session came to so far: the last that can be sent, and the first that cannot."""

    last: Said
    broken_by: int | None


class Histories:
    """Every session of an input, line by line.

    Parameters
    ----------
    dry : bool
        Each line is looked at by itself, as a what-if run does.

    Examples
    --------
    >>> histories = Histories()
    >>> histories.judge("s1", Said(0, "ada", "cancelled", b"a"))
    >>> histories.judge("s1", Said(1, "ada", "closed", b"b")).code
    'bad_transition'
    """

    def __init__(self, *, dry: bool = False) -> None:
        self._dry = dry
        self._known: dict[str, _Known] = {}
        self._owners = Owners()

    def __contains__(self, session: object) -> bool:
        return session in self._known

    @property
    def owners(self) -> Owners:
        """Whose the sessions are."""
        return self._owners

    def judge(self, session: str, said: Said) -> Verdict | None:
        """Take note of the next line of a session; return why it is not sent, None when it is."""
        known = self._known.get(session)
        other = self._owners.claim(session, said.customer, said.row)
        verdict = self._own(said, other) or (self._after(said, known) if known is not None else None)
        if verdict is not None and verdict.same_as is not None:
            return verdict
        is_bad = said.is_bad or verdict is not None
        broken_by = known.broken_by if known is not None else None
        if is_bad and broken_by is None and not self._dry:
            broken_by = said.row
        self._known[session] = _Known(known.last if known is not None and is_bad else said, broken_by)
        return verdict

    def _own(self, said: Said, other: int | None) -> Verdict | None:
        if said.is_bad:
            return None  # told by its cells
        if said.bad_cart is not None:
            return Verdict("bad_cart", said.bad_cart)
        if other is not None:
            return Verdict("other_customer", f"row {position(other)} names that one")
        if self._dry and said.state not in ALONE:
            return Verdict("bad_transition", f"to {said.state} in a what-if run, which sees each line by itself")
        return None

    def _after(self, said: Said, known: _Known) -> Verdict | None:
        last = known.last
        if said.is_bad:
            return None
        if known.broken_by is not None:
            return Verdict("earlier_line", f"row {position(known.broken_by)}")
        if said.digest == last.digest:
            return Verdict("same_row", same_as=last.row)
        if self._dry:
            return None
        if said.state not in NEXT[last.state]:
            return Verdict("bad_transition", f"from {last.state} (row {position(last.row)}) to {said.state}")
        return None


class Owners:
    """Whose each session is: the customer that one of its lines names. A session may begin as nobody's."""

    def __init__(self) -> None:
        self._owner: dict[str, tuple[str, int]] = {}

    def claim(self, session: str, customer: str | None, row: int) -> int | None:
        """Say that a line names a customer; return the row that named another one, if there is one."""
        if customer is None:
            return None
        owner, first = self._owner.setdefault(session, (customer, row))
        return first if owner != customer else None

    def lane(self, session: str) -> str:
        """Return what all lines that must stay in order have in common: their customer, else their session.

        The two are told apart by their first letter, since a session may have the id of a customer.
        """
        owner = self._owner.get(session)
        return f"s{session}" if owner is None else f"c{owner[0]}"
