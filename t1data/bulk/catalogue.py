"""What the account says about the attributes of an entity, where a management key lets it be asked."""

from __future__ import annotations

from t1data.client import Client


def read_catalogue(client: Client | None, entity: str) -> dict[str, str] | None:
    """Return attribute → type as the account declares them for an entity, or None without a management key."""
    if client is None or client.management is None:
        return None
    client.reach()
    return {
        attribute["name"]: attribute["type"]
        for attribute in client.management.list_attributes()
        if attribute.get("entity") == entity
    }
