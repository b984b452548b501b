"""What coupon and referral codes have in common: the Application's case rule, and how codes are made."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence

from t1data.sandbox.core import Account, invalid

LONGEST = 100
SHORTEST = 4
CHARACTERS = string.ascii_uppercase + string.digits
_TRIES = 100


def fold(account: Account, code: str) -> str:
    """Return the code as the account stores it and looks for it.

    Examples
    --------
    >>> from t1data.sandbox.options import Options
    >>> fold(Account(options=Options(code_case="insensitive-upper")), "Summer25%off")
    'SUMMER25%OFF'
    """
    rule = account.options.code_case
    if rule == "sensitive":
        return code
    return code.upper() if rule == "insensitive-upper" else code.lower()


def make(
    account: Account, *, pattern: str, characters: Sequence[str], count: int, taken: Callable[[str], bool]
) -> Iterator[str]:
    """Yield new codes: each ``#`` of the pattern becomes a random character.

    Parameters
    ----------
    account : Account
        Gives the random source and the case rule.
    pattern : str
        The shape of the codes.
    characters : sequence of str
        The characters that may take the place of ``#``.
    count : int
        How many codes.
    taken : callable
        Tells whether the account has a code already.

    Raises
    ------
    Refusal
        A 400 when the pattern has no room for so many codes.
    """
    made: set[str] = set()
    for _ in range(count):
        tries = (_fill(account, pattern, characters) for _ in range(_TRIES))
        code = next((code for code in tries if code not in made and not taken(code)), None)
        if code is None:
            raise invalid("Invalid value", "The pattern has no room for so many codes", "/referralPattern")
        made.add(code)
        yield code


def _fill(account: Account, pattern: str, characters: Sequence[str]) -> str:
    return fold(account, "".join(account.random.choice(characters) if c == "#" else c for c in pattern))
