"""The tables of one account.

Four habits hold throughout:

- ids are the API's own integer ids; ``AUTOINCREMENT`` where rows can go, so that an id is never given twice;
- times are RFC 3339 text in UTC with microseconds when the sandbox made them, and as sent when a caller did;
- money, points and sales are text that holds a decimal number, so nothing is rounded; Python does the sums;
- nested values (attributes, features, rules, bodies) are JSON text written by `core.dump`.
"""

from __future__ import annotations

import sqlite3

VERSION = 1

_PEOPLE = """
CREATE TABLE attribute (
    id INTEGER PRIMARY KEY, entity TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, type TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '', suggestions TEXT NOT NULL DEFAULT '[]',
    restricted INTEGER NOT NULL DEFAULT 0, event_type TEXT, editable INTEGER NOT NULL DEFAULT 1,
    created TEXT NOT NULL, UNIQUE (entity, name));
CREATE TABLE upload (id INTEGER PRIMARY KEY, entity TEXT NOT NULL, amount INTEGER NOT NULL, created TEXT NOT NULL);
CREATE TABLE profile (
    id INTEGER PRIMARY KEY, integration_id TEXT NOT NULL UNIQUE, attributes TEXT NOT NULL DEFAULT '{}',
    created TEXT NOT NULL, last_activity TEXT NOT NULL,
    closed_sessions INTEGER NOT NULL DEFAULT 0, total_sales TEXT NOT NULL DEFAULT '0');
CREATE TABLE audience (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, integration TEXT, integration_id TEXT,
    description TEXT, sandbox INTEGER NOT NULL, subscribed_applications TEXT NOT NULL DEFAULT '[]',
    created_in_3rd_party INTEGER NOT NULL DEFAULT 0, last_update TEXT, created TEXT NOT NULL);
CREATE TABLE membership (
    audience_id INTEGER NOT NULL REFERENCES audience ON DELETE CASCADE,
    profile_id INTEGER NOT NULL REFERENCES profile, created TEXT NOT NULL,
    PRIMARY KEY (audience_id, profile_id)) WITHOUT ROWID;
CREATE INDEX membership_by_profile ON membership (profile_id);
"""

_CAMPAIGNS = """
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY, application_id INTEGER NOT NULL DEFAULT 1, name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT 'enabled', start_time TEXT, end_time TEXT,
    features TEXT NOT NULL DEFAULT '[]', ruleset_id INTEGER NOT NULL, rules TEXT NOT NULL DEFAULT '[]',
    audiences TEXT NOT NULL DEFAULT '[]', created TEXT NOT NULL);
CREATE TABLE coupon (
    id INTEGER PRIMARY KEY, campaign_id INTEGER NOT NULL REFERENCES campaign, value TEXT NOT NULL UNIQUE,
    usage_limit INTEGER NOT NULL DEFAULT 1, usage_counter INTEGER NOT NULL DEFAULT 0,
    discount_limit TEXT, discount_counter TEXT NOT NULL DEFAULT '0', start_date TEXT, expiry_date TEXT,
    attributes TEXT NOT NULL DEFAULT '{}', referral_id INTEGER, recipient_integration_id TEXT,
    import_id INTEGER, batch_id TEXT, reservation INTEGER NOT NULL DEFAULT 1, reservation_limit INTEGER,
    is_reservation_mandatory INTEGER NOT NULL DEFAULT 0, implicitly_reserved INTEGER NOT NULL DEFAULT 0,
    limits TEXT NOT NULL DEFAULT '[]', created TEXT NOT NULL);
CREATE INDEX coupon_by_recipient ON coupon (recipient_integration_id);
CREATE TABLE reservation (
    coupon_id INTEGER NOT NULL REFERENCES coupon, integration_id TEXT NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (coupon_id, integration_id)) WITHOUT ROWID;
CREATE INDEX reservation_by_holder ON reservation (integration_id);
CREATE TABLE redemption (
    id INTEGER PRIMARY KEY, coupon_id INTEGER NOT NULL REFERENCES coupon, profile_id INTEGER REFERENCES profile,
    session_id INTEGER REFERENCES session, created TEXT NOT NULL);
CREATE INDEX redemption_by_coupon ON redemption (coupon_id, profile_id);
CREATE TABLE referral (
    id INTEGER PRIMARY KEY, campaign_id INTEGER NOT NULL REFERENCES campaign, code TEXT NOT NULL UNIQUE,
    advocate TEXT NOT NULL, friend TEXT, usage_limit INTEGER NOT NULL DEFAULT 0,
    usage_counter INTEGER NOT NULL DEFAULT 0, start_date TEXT, expiry_date TEXT,
    attributes TEXT NOT NULL DEFAULT '{}', import_id INTEGER, batch_id TEXT, created TEXT NOT NULL);
CREATE INDEX referral_by_advocate ON referral (advocate);
CREATE INDEX referral_by_campaign ON referral (campaign_id);
CREATE TABLE referral_use (
    id INTEGER PRIMARY KEY, referral_id INTEGER NOT NULL REFERENCES referral, friend TEXT NOT NULL,
    session_id INTEGER REFERENCES session, created TEXT NOT NULL);
CREATE INDEX referral_use_by_referral ON referral_use (referral_id);
"""

_GOODS = """
CREATE TABLE loyalty_program (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, subledgers TEXT NOT NULL DEFAULT '[]',
    tiers TEXT NOT NULL DEFAULT '[]', created TEXT NOT NULL);
CREATE TABLE loyalty_entry (
    id INTEGER PRIMARY KEY, program_id INTEGER NOT NULL REFERENCES loyalty_program,
    profile_id INTEGER NOT NULL REFERENCES profile, ledger TEXT NOT NULL DEFAULT '', amount TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '', start_date TEXT, expiry_date TEXT,
    tentative INTEGER NOT NULL DEFAULT 0, session_id INTEGER REFERENCES session, created TEXT NOT NULL);
CREATE INDEX loyalty_entry_by_owner ON loyalty_entry (profile_id, program_id, ledger);
CREATE INDEX loyalty_entry_by_session ON loyalty_entry (session_id);
CREATE TABLE giveaway_pool (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created TEXT NOT NULL);
CREATE TABLE giveaway (
    id INTEGER PRIMARY KEY, pool_id INTEGER NOT NULL REFERENCES giveaway_pool, code TEXT NOT NULL,
    start_date TEXT, end_date TEXT, attributes TEXT NOT NULL DEFAULT '{}', import_id INTEGER,
    profile_id INTEGER REFERENCES profile, session_id INTEGER REFERENCES session, created TEXT NOT NULL);
CREATE INDEX giveaway_by_owner ON giveaway (profile_id);
CREATE TABLE achievement (
    id INTEGER PRIMARY KEY, campaign_id INTEGER NOT NULL REFERENCES campaign, name TEXT NOT NULL,
    title TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', target TEXT NOT NULL, end_date TEXT,
    created TEXT NOT NULL);
CREATE TABLE achievement_progress (
    achievement_id INTEGER NOT NULL REFERENCES achievement, profile_id INTEGER NOT NULL REFERENCES profile,
    progress TEXT NOT NULL, start_date TEXT NOT NULL, completion_date TEXT,
    PRIMARY KEY (achievement_id, profile_id)) WITHOUT ROWID;
CREATE TABLE additional_cost (
    name TEXT PRIMARY KEY, title TEXT NOT NULL, subject TEXT NOT NULL DEFAULT 'session');
"""

_TRAFFIC = """
CREATE TABLE session (
    id INTEGER PRIMARY KEY, integration_id TEXT NOT NULL UNIQUE, profile_id INTEGER REFERENCES profile,
    profile_integration_id TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, body TEXT NOT NULL DEFAULT '{}',
    effects TEXT NOT NULL DEFAULT '[]', total TEXT NOT NULL DEFAULT '0', cart_item_total TEXT NOT NULL DEFAULT '0',
    additional_cost_total TEXT NOT NULL DEFAULT '0', cart_item_additional_cost_total TEXT NOT NULL DEFAULT '0',
    first_session INTEGER NOT NULL DEFAULT 1, update_count INTEGER NOT NULL DEFAULT 1, created TEXT NOT NULL,
    updated TEXT NOT NULL, closed_at TEXT, cancelled_at TEXT);
CREATE INDEX session_by_profile ON session (profile_id);
CREATE TABLE session_coupon (
    session_id INTEGER NOT NULL REFERENCES session, coupon_id INTEGER NOT NULL REFERENCES coupon,
    PRIMARY KEY (session_id, coupon_id)) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, integration_id TEXT UNIQUE,
    profile_id INTEGER REFERENCES profile, session_id INTEGER REFERENCES session,
    attributes TEXT NOT NULL DEFAULT '{}', effects TEXT NOT NULL DEFAULT '[]', created TEXT NOT NULL);
CREATE INDEX event_by_profile ON event (profile_id);
"""


BUILT_IN = (("CustomerProfile", "Name", "string"), ("CustomerProfile", "Email", "string"))


def create(db: sqlite3.Connection, *, created: str) -> None:
    """Make the tables and the built-in attributes in an empty store; leave a store of this version as it is.

    Parameters
    ----------
    db : sqlite3.Connection
        The store.
    created : str
        The time that the built-in attributes bear.

    Raises
    ------
    ValueError
        When the store was written by another version of these tables, or is some other database.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise ValueError("This file is not a sandbox of this version: choose another file, or delete it.")
    db.executescript(f"BEGIN; {_PEOPLE} {_CAMPAIGNS} {_GOODS} {_TRAFFIC} PRAGMA user_version = {VERSION}; COMMIT;")
    _insert_built_in(db, created)


def clear(db: sqlite3.Connection, *, created: str) -> None:
    """Delete all rows but the built-in attributes, which are made anew; ids start from 1 again."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        db.execute(f'DELETE FROM "{table}"')  # noqa: S608 - the names come from this module
    _insert_built_in(db, created)


def _insert_built_in(db: sqlite3.Connection, created: str) -> None:
    db.executemany(
        "INSERT INTO attribute (entity, name, title, type, editable, created) VALUES (?, ?, ?, ?, 0, ?)",
        [(entity, name, name, kind, created) for entity, name, kind in BUILT_IN],
    )
