"""What each ad platform asks for, as data: the columns of its file, and the form and hashing of every value.

Where the platforms' own pages disagree, the choice is written beside the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from t1data.errors import InputError
from t1data.exports.steps import (
    Step,
    date_digits,
    letters,
    lower,
    one_letter,
    short_gmail,
    short_zip,
    trim,
    two_digits,
    upper,
    without_blanks,
    without_plus,
    without_zero_id,
)


@dataclass(frozen=True)
class Rule:
    """One column of a platform's file.

    Attributes
    ----------
    key : str
        The header, exactly as the platform wants it.
    steps : tuple of callable
        What is done to a cell, in order.
    form : str
        Regular expression that a cell matches after the steps, or else it is dropped.
    fault : str
        Why it is dropped, as a code.
    aliases : tuple of str
        Names under which customers' data has this column, in small letters without blanks and signs.
    hashed : bool
        Whether the file holds the SHA-256 of the value instead of the value.
    identifies : bool
        Whether the value alone can find a person. A row without any that does is left out.
    most : int
        How many columns of this kind the file may have.
    is_phone : bool
        Whether cells are brought to E.164 before the steps.
    """

    key: str
    steps: tuple[Step, ...]
    form: str
    fault: str
    aliases: tuple[str, ...]
    hashed: bool = True
    identifies: bool = True
    most: int = 1
    is_phone: bool = False


FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ambiguous_number": "a phone number that can be read with and without country code; a + makes it clear",
        "hash_of_nothing": "the SHA-256 of an empty text",
        "no_country_code": "a phone number without country code, and no default region was given",
        "not_a_country": "not one of the two-letter codes of ISO 3166",
        "not_a_date": "not a date as YYYY-MM-DD or YYYYMMDD (or a part of one)",
        "not_a_device_id": "not a device id, or the one of all zeros",
        "not_a_gender": "not f, m, female or male",
        "not_a_name": "without any letter, or with control characters",
        "not_a_phone_number": "not a number that is in use in its country",
        "not_a_postcode": "not a postal code",
        "not_an_address": "not an e-mail address",
        "not_an_id": "not a number of digits alone",
        "not_text": "bytes that are not UTF-8 text",
    }
)
"""Sentence for people by the code of a dropped value."""

_ISO_3166 = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA"
    " CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA"
    " GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP"
    " KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS"
    " MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS"
    " RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW"
    " TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES: Final = tuple(_ISO_3166.split())

_NO = r'[^\p{Z}\p{C}@"(),:;<>\[\]\\.]+'
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?"
_ADDRESS = rf"{_NO}(?:\.{_NO})*@(?:{_LABEL}\.)+(?:xn--[a-z0-9-]*[a-z0-9]|[\p{{L}}\p{{M}}]{{2,}})"
_NAME = r"[^\p{C}]*\p{L}[^\p{C}]*"
_E164 = r"[1-9][0-9]{6,14}"
_POSTCODE = r"[A-Za-z0-9](?:[A-Za-z0-9 -]{0,10}[A-Za-z0-9])?"
_DAY, _MONTH, _YEAR = r"(?:0[1-9]|[12][0-9]|3[01])", r"(?:0[1-9]|1[0-2])", r"(?:19|20)[0-9]{2}"

_MAIL = ("email", "mail", "emailaddress", "mailaddress")
_PHONE = ("phone", "phonenumber", "mobile", "mobilephone", "mobilenumber", "telephone", "tel", "cellphone")
_FIRST = ("firstname", "fn", "givenname", "forename")
_LAST = ("lastname", "ln", "familyname", "surname")
_COUNTRY = ("country", "countrycode")
_ZIP = ("zip", "zipcode", "postalcode", "postcode")
_ANY = 99

# Google. Dots and suffixes of Gmail addresses: its guide for the API takes them out, its help for files says nothing:
# `shorten_gmail` chooses. Names: the pages contradict each other about inner blanks; they are kept.
_GOOGLE = (
    Rule("Email", (without_blanks, lower, short_gmail), _ADDRESS, "not_an_address", _MAIL, most=_ANY),
    Rule("Phone", (), rf"\+{_E164}", "not_a_phone_number", _PHONE, most=_ANY, is_phone=True),
    Rule("First Name", (trim, lower), _NAME, "not_a_name", _FIRST),
    Rule("Last Name", (trim, lower), _NAME, "not_a_name", _LAST),
    Rule("Country", (trim, upper), "|".join(COUNTRIES), "not_a_country", _COUNTRY, hashed=False, identifies=False),
    Rule("Zip", (trim,), _POSTCODE, "not_a_postcode", _ZIP, hashed=False, identifies=False, most=_ANY),
)

# Meta. Names are trimmed and lowered only; cities and states lose blanks and signs too. Device and user ids stay clear.
_META = (
    Rule("email", (trim, lower), _ADDRESS, "not_an_address", _MAIL, most=3),
    Rule("phone", (without_plus,), _E164, "not_a_phone_number", _PHONE, most=3, is_phone=True),
    Rule(
        "madid",
        (trim, lower, without_zero_id),
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "not_a_device_id",
        ("madid", "idfa", "aaid", "gaid", "advertisingid"),
        hashed=False,
    ),
    Rule("fn", (trim, lower), _NAME, "not_a_name", _FIRST),
    Rule("ln", (trim, lower), _NAME, "not_a_name", _LAST),
    Rule("ct", (lower, letters), _NAME, "not_a_name", ("ct", "city", "town"), identifies=False),
    Rule("st", (lower, letters), _NAME, "not_a_name", ("st", "state", "province"), identifies=False),
    Rule("zip", (lower, without_blanks, short_zip), _POSTCODE, "not_a_postcode", _ZIP, identifies=False),
    Rule("country", (trim, lower), "|".join(COUNTRIES).lower(), "not_a_country", _COUNTRY, identifies=False),
    Rule(
        "dob",
        (trim, date_digits),
        _YEAR + _MONTH + _DAY,
        "not_a_date",
        ("dob", "birthday", "birthdate", "dateofbirth"),
        identifies=False,
    ),
    Rule("doby", (trim,), _YEAR, "not_a_date", ("doby", "birthyear", "yearofbirth"), identifies=False),
    Rule("dobm", (trim, two_digits), _MONTH, "not_a_date", ("dobm", "birthmonth"), identifies=False),
    Rule("dobd", (trim, two_digits), _DAY, "not_a_date", ("dobd",), identifies=False),
    Rule("gen", (trim, lower, one_letter), "[fm]", "not_a_gender", ("gen", "gender", "sex"), identifies=False),
    Rule("uid", (trim,), "[0-9]{1,20}", "not_an_id", ("uid", "facebookid"), hashed=False),
)

PLATFORMS: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {"google_customer_match": _GOOGLE, "meta_custom_audience": _META}
)


def rules_of(platform: str, *, shorten_gmail: bool = True) -> tuple[Rule, ...]:
    """Return a platform's rules in the order of its columns, or raise `InputError` for one that is not known.

    Examples
    --------
    >>> [rule.key for rule in rules_of("google_customer_match")]
    ['Email', 'Phone', 'First Name', 'Last Name', 'Country', 'Zip']
    """
    if platform not in PLATFORMS:
        raise InputError(f"platform: got {platform!r}, valid are {', '.join(map(repr, PLATFORMS))}")
    if shorten_gmail:
        return PLATFORMS[platform]
    return tuple(_without(short_gmail, rule) for rule in PLATFORMS[platform])


def _without(step: Step, rule: Rule) -> Rule:
    return replace(rule, steps=tuple(other for other in rule.steps if other is not step))
