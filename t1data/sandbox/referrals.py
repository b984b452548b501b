"""Referral codes: operations 14 (one advocate) and 15 (many), the referral object, use by friends."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from t1data.sandbox import attributes, campaigns, checks, codes, profiles, queries, values
from t1data.sandbox.core import Account, Call, Handler, Reply, dump, parse, present

MOST_USES = 999_999


def find(account: Account, code: str) -> sqlite3.Row | None:
    """Return the referral with this code under the Application's case rule, or None."""
    if not values.is_text(code):
        return None
    row: sqlite3.Row | None = account.db.execute(
        "SELECT * FROM referral WHERE code = ?", (codes.fold(account, code),)
    ).fetchone()
    return row


def referral_json(account: Account, row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's Referral."""
    return present(
        {
            "id": row["id"],
            "created": row["created"],
            "campaignId": row["campaign_id"],
            "code": row["code"],
            "advocateProfileIntegrationId": row["advocate"],
            "friendProfileIntegrationId": row["friend"],
            "usageLimit": row["usage_limit"],
            "usageCounter": row["usage_counter"],
            "startDate": row["start_date"],
            "expiryDate": row["expiry_date"],
            "attributes": parse(row["attributes"]),
            "importId": row["import_id"],
            "batchId": row["batch_id"],
        }
    )


def usable(account: Account, referral: sqlite3.Row, friend_id: int | None) -> str | None:
    """Return why this friend cannot use the code now, in the words of a rejection; None when they can.

    Parameters
    ----------
    account : Account
        Gives the time and the campaigns.
    referral : sqlite3.Row
        From `find`.
    friend_id : int, optional
        The internal id of the friend's profile; None for an anonymous customer.
    """
    if not campaigns.is_running(account, referral["campaign_id"]):
        return "ReferralPartOfNotRunningCampaign"
    if campaigns.starts_later(referral["start_date"], account):
        return "ReferralStartDateInFuture"
    if campaigns.is_over(referral["expiry_date"], account):
        return "ReferralExpired"
    if 0 < referral["usage_limit"] <= referral["usage_counter"]:
        return "ReferralLimitReached"
    return _not_for(account, referral, friend_id)


def _not_for(account: Account, referral: sqlite3.Row, friend_id: int | None) -> str | None:
    friend = _integration_id(account, friend_id)
    if friend is None or referral["friend"] not in (None, friend):
        return "ReferralRecipientDoesNotMatch"
    if friend == referral["advocate"]:
        return "ReferralRecipientIdSameAsAdvocate"
    used = account.db.execute(
        "SELECT 1 FROM referral_use JOIN referral ON referral.id = referral_id"
        " WHERE referral_use.friend = ? AND campaign_id = ?",
        (friend, referral["campaign_id"]),
    ).fetchone()
    return None if used is None else "ReferralCustomerAlreadyReferred"


def _integration_id(account: Account, profile_id: int | None) -> str | None:
    row = account.db.execute("SELECT integration_id FROM profile WHERE id = ?", (profile_id,)).fetchone()
    return None if row is None else str(row["integration_id"])


def redeem(account: Account, referral: sqlite3.Row, friend_id: int, session_id: int | None) -> None:
    """Count one use of the code by a friend; both ids are internal."""
    account.db.execute("UPDATE referral SET usage_counter = usage_counter + 1 WHERE id = ?", (referral["id"],))
    account.db.execute(
        "INSERT INTO referral_use (referral_id, friend, session_id, created) VALUES (?, ?, ?, ?)",
        (referral["id"], _integration_id(account, friend_id), session_id, account.now()),
    )


def unredeem(account: Account, referral: sqlite3.Row, session_id: int) -> None:
    """Take back the use of the code that a session made."""
    gone = account.db.execute(
        "DELETE FROM referral_use WHERE referral_id = ? AND session_id = ?", (referral["id"], session_id)
    ).rowcount
    account.db.execute("UPDATE referral SET usage_counter = usage_counter - ? WHERE id = ?", (gone, referral["id"]))


@dataclass(frozen=True)
class _Wish:
    """What the codes of one call have in common."""

    campaign_id: int
    usage_limit: int
    friend: str | None
    start_date: str | None
    expiry_date: str | None
    attributes: dict[str, Any]


def create_referral(account: Account, call: Call) -> Reply:
    """Operation 14: one code for one advocate."""
    body = checks.read_body(account, call)
    advocate = body.text("advocateProfileIntegrationId", required=True, least=1, most=values.LONGEST_ID) or ""
    wish = _read_wish(account, body, limit_required=False)
    body.faults.stop()
    _meet_unknown(account, [advocate], "/advocateProfileIntegrationId")
    row = _create(account, wish, [advocate], pattern=account.options.referral_pattern)[0]
    return Reply(201, referral_json(account, row))


def create_referrals_for_multiple_advocates(account: Account, call: Call) -> Reply:
    """Operation 15: one code for each of up to 1000 advocates; ``silent=no`` tells the codes."""
    silent = queries.silent(call)
    body = checks.read_body(account, call)
    advocates = body.texts(
        "advocateProfileIntegrationIds",
        required=True,
        least=1,
        most=account.options.batch_limit,
        shortest=1,
        longest=values.LONGEST_ID,
    )
    wish = _read_wish(account, body, limit_required=True)
    pattern = body.text("referralPattern", least=codes.SHORTEST, most=codes.LONGEST)
    characters = body.texts("validCharacters", shortest=1, longest=1)
    body.faults.stop()
    _meet_unknown(account, advocates, "/advocateProfileIntegrationIds")
    rows = _create(account, wish, advocates, pattern=pattern or account.options.referral_pattern, characters=characters)
    return Reply(204) if silent else Reply(201, _listing(account, rows))


def _listing(account: Account, rows: list[sqlite3.Row]) -> dict[str, Any]:
    data = [referral_json(account, row) for row in rows]
    if account.options.response_order == "shuffled":
        account.random.shuffle(data)
    return {"totalResultSize": len(data), "data": data}


def _read_wish(account: Account, body: checks.Body, *, limit_required: bool) -> _Wish:
    limit = body.integer("usageLimit", required=limit_required, least=0, most=MOST_USES)
    start, expiry = body.time("startDate"), body.time("expiryDate")
    if start and expiry and values.moment(expiry) <= values.moment(start):
        body.faults.add("Invalid value", "expiryDate must be after startDate", body.at("expiryDate"))
    sent = body.mapping("attributes")
    attributes.Catalogue(account, "Referral").check(sent, body.at("attributes"), body.faults)
    return _Wish(
        campaign_id=_read_campaign(account, body),
        usage_limit=account.options.referral_usage_limit if limit is None else limit,
        friend=body.text("friendProfileIntegrationId", least=1, most=values.LONGEST_ID),
        start_date=start,
        expiry_date=expiry,
        attributes=attributes.merge({}, sent),
    )


def _read_campaign(account: Account, body: checks.Body) -> int:
    campaign_id = body.integer("campaignId", required=True)
    if campaign_id is None:
        return 0
    row = campaigns.find(account, campaign_id)
    if row is None:
        body.faults.add("Invalid value", f"Campaign {campaign_id} does not exist", body.at("campaignId"))
    elif not campaigns.has_feature(row, "referrals"):
        body.faults.add("Invalid value", f"Campaign {campaign_id} has no referrals", body.at("campaignId"))
    return campaign_id


def _meet_unknown(account: Account, advocates: list[str], pointer: str) -> None:
    rule = account.options.unknown_advocate
    if rule == "create":
        profiles.ensure_many(account, advocates)
    elif rule == "reject":
        known = profiles.find_many(account, advocates)
        faults = checks.Faults(pointed=account.options.point_at_faults)
        for advocate in advocates:
            if advocate not in known:
                faults.add("Invalid value", f"Advocate {values.show(advocate)} has no profile", pointer)
        faults.stop()


def _create(
    account: Account, wish: _Wish, advocates: list[str], *, pattern: str, characters: list[str] | None = None
) -> list[sqlite3.Row]:
    new = codes.make(
        account,
        pattern=pattern,
        characters=characters or codes.CHARACTERS,
        count=len(advocates),
        taken=lambda code: find(account, code) is not None,
    )
    return [_insert(account, wish, advocate, code) for advocate, code in zip(advocates, new, strict=True)]


def _insert(account: Account, wish: _Wish, advocate: str, code: str) -> sqlite3.Row:
    row: sqlite3.Row = account.db.execute(
        "INSERT INTO referral (campaign_id, code, advocate, friend, usage_limit, start_date, expiry_date,"
        " attributes, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            wish.campaign_id,
            code,
            advocate,
            wish.friend,
            wish.usage_limit,
            wish.start_date,
            wish.expiry_date,
            dump(wish.attributes),
            account.now(),
        ),
    ).fetchone()
    return row


HANDLERS: dict[str, Handler] = {
    "create_referral": create_referral,
    "create_referrals_for_multiple_advocates": create_referrals_for_multiple_advocates,
}
