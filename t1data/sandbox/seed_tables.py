"""What the tables of a seed share: strict keys, inserts, people made as needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t1data.sandbox import attributes, profiles, values
from t1data.sandbox.checks import Body
from t1data.sandbox.core import Account, dump
from t1data.sandbox.values import LONGEST_ID


def allow(record: Body, *names: str) -> None:
    """Note every key of a record that is not one of the names."""
    for name in record.value:
        if name not in names:
            known = ", ".join(sorted(names))
            record.faults.add("Unknown", f"is not known here; known are {known}", record.at(name))


def insert(account: Account, table: str, fields: Mapping[str, Any]) -> int:
    """Insert a row and return its id; fields that are None are left to the table."""
    given = {name: value for name, value in fields.items() if value is not None}
    done = account.db.execute(
        f"INSERT INTO {table} ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})",  # noqa: S608 - our names
        list(given.values()),
    )
    return int(done.lastrowid or 0)


def read_attributes(account: Account, record: Body, entity: str) -> dict[str, Any]:
    """Return the attributes of a record, checked against the catalogue."""
    values = record.mapping("attributes")
    attributes.Catalogue(account, entity).check(values, record.at("attributes"), record.faults)
    return values


def attributes_text(account: Account, record: Body, entity: str) -> str:
    """Return the attributes of a record as the store keeps them."""
    return dump(attributes.merge({}, read_attributes(account, record, entity)))


def person(record: Body, name: str, *, required: bool = False) -> str | None:
    """Return an integration id."""
    return record.text(name, required=required, least=1, most=LONGEST_ID)


def profile_id(account: Account, integration_id: str | None) -> int | None:
    """Return the internal id of a profile, made when it was missing."""
    return None if integration_id is None else int(profiles.ensure(account, integration_id)["id"])


def id_of(record: Body) -> int | None:
    """Return the id that a record asks for; None lets the account give one."""
    return record.integer("id", least=1, most=values.LARGEST_ID)
