"""Management calls on audiences, memberships and referrals; those on attributes are in `catalogue`."""

from __future__ import annotations

import csv
import io
import sqlite3
from typing import Any

from t1data.sandbox import (
    audiences,
    campaigns,
    catalogue,
    codes,
    loyalty,
    pages,
    profiles,
    queries,
    referrals,
    values,
)
from t1data.sandbox.core import (
    ACCOUNT_ID,
    APPLICATION_ID,
    Account,
    Call,
    Handler,
    Refusal,
    Reply,
    invalid_all,
    not_found,
    parse,
    present,
)

MEMBER_COLUMN = "profileintegrationid"
MOST_AUDIENCES = 1000
_BEGAN = "2021-08-01T00:00:00Z"


def get_audiences(account: Account, call: Call) -> Reply:
    """List the audiences."""
    return pages.answer_page(
        account,
        call,
        "SELECT * FROM audience",
        (),
        sorts={"name": "name", "created": "created", "lastUpdate": "last_update"},
        to_json=lambda rows: [audiences.audience_json(row) for row in rows],
    )


def get_audiences_analytics(account: Account, call: Call) -> Reply:
    """Count the members of up to 1000 audiences, named in ``audienceIds`` with commas between."""
    words = [word.strip() for word in call.query.get("audienceIds", "").split(",") if word.strip()]
    if not words or len(words) > MOST_AUDIENCES or not all(word.isascii() and word.isdigit() for word in words):
        raise queries.bad_parameter("audienceIds", f"must be 1 to {MOST_AUDIENCES} ids with commas between")
    counts = dict(account.db.execute("SELECT audience_id, count(*) FROM membership GROUP BY audience_id").fetchall())
    ids = [int(word) for word in words if len(word) < 19]
    known = [each for each in ids if not audiences.unknown(account, [each])]
    return Reply(200, {"data": [{"audienceId": each, "membersCount": counts.get(each, 0)} for each in known]})


def get_audience_memberships(account: Account, call: Call) -> Reply:
    """List the members of an audience; ``profileQuery`` keeps ids that contain a text."""
    audience = audiences.get(account, call)
    return pages.answer_page(
        account,
        call,
        "SELECT profile.* FROM membership JOIN profile ON profile.id = profile_id"
        " WHERE audience_id = ? AND instr(integration_id, ?)",
        (audience["id"], queries.word(call, "profileQuery") or ""),
        sorts={"created": "created", "integrationId": "integration_id"},
        to_json=lambda rows: profiles.profiles_json(account, rows),
    )


def export_audiences_memberships(account: Account, call: Call) -> Reply:
    """Answer with the ids of an audience's members as CSV."""
    audience = audiences.get(account, call)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([MEMBER_COLUMN])
    writer.writerows([row["integration_id"]] for row in audiences.members(account, audience["id"]))
    return Reply(200, text=text.getvalue(), media_type="application/csv")


def import_audiences_memberships(account: Account, call: Call) -> Reply:
    """Replace the members of an audience by those of an uploaded CSV; profiles that are missing are made."""
    audience = audiences.get(account, call)
    if "upFile" not in call.files:
        raise Refusal(400, "The form needs a field upFile that holds a CSV")
    ids = _read_members(call.files["upFile"])
    profiles.ensure_many(account, ids)
    account.db.execute("DELETE FROM membership WHERE audience_id = ?", (audience["id"],))
    audiences.join(account, [(audience["id"], each) for each in ids])
    audiences.mark_updated(account, [audience["id"]])
    return Reply(200, _log_upload(account, "AudienceMembership", len(ids)))


def _read_members(content: bytes) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad_line("N/A", f"The file is no CSV in UTF-8: {error}") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if MEMBER_COLUMN not in header:
        raise _bad_line("1", f"The file needs a column {MEMBER_COLUMN}")
    place = header.index(MEMBER_COLUMN)
    return list(dict.fromkeys(_member(row, place, line) for line, row in enumerate(rows[1:], 2) if row))


def _member(row: list[str], place: int, line: int) -> str:
    integration_id = row[place] if place < len(row) else ""
    wrong = values.text_fault(integration_id, least=1, most=values.LONGEST_ID)
    if wrong:
        raise _bad_line(str(line), f"{MEMBER_COLUMN} {wrong}")
    return integration_id


def _bad_line(line: str, details: str) -> Refusal:
    return invalid_all([{"title": "Invalid value", "details": details, "source": {"line": line}}])


def _log_upload(account: Account, entity: str, amount: int) -> dict[str, Any]:
    row = account.db.execute(
        "INSERT INTO upload (entity, amount, created) VALUES (?, ?, ?) RETURNING *", (entity, amount, account.now())
    ).fetchone()
    return {**dict(row), "accountId": ACCOUNT_ID, "userId": 1}


def get_applications(account: Account, call: Call) -> Reply:
    """List the Applications; an account of the sandbox has one."""
    one = {"id": APPLICATION_ID, "created": _BEGAN, "accountId": ACCOUNT_ID, "name": "Sandbox", "sandbox": True}
    size = queries.whole(call, "pageSize", default=pages.LARGEST_PAGE, least=1, most=pages.LARGEST_PAGE)
    skip = queries.whole(call, "skip", default=0, least=0)
    return Reply(200, {"totalResultSize": 1, "data": [one][skip : skip + size]})


def get_campaign(account: Account, call: Call) -> Reply:
    """Describe one campaign of an Application."""
    row = _campaign(account, call)
    told = {name: row[name] for name in ("id", "created", "name", "description", "state")}
    times = present({"startTime": row["start_time"], "endTime": row["end_time"]})
    return Reply(200, {**told, **times, "applicationId": APPLICATION_ID, "features": parse(row["features"])})


def get_referrals_without_total_count(account: Account, call: Call) -> Reply:
    """List the referrals of a campaign; filters ``code``, ``advocate``, ``createdAfter``, ``createdBefore``."""
    code = queries.word(call, "code")
    filters = {
        "campaign_id = ?": _campaign(account, call)["id"],
        "code = ?": None if code is None else codes.fold(account, code),
        "advocate = ?": queries.word(call, "advocate"),
        "created > ?": queries.instant_of(call, "createdAfter"),
        "created < ?": queries.instant_of(call, "createdBefore"),
    }
    used = present(filters)
    return pages.answer_page(
        account,
        call,
        f"SELECT * FROM referral WHERE {' AND '.join(used)}",  # noqa: S608 - built of this module's own text
        list(used.values()),
        sorts={"created": "created", "code": "code", "usageCounter": "usage_counter"},
        to_json=lambda rows: [referrals.referral_json(account, row) for row in rows],
    )


def _campaign(account: Account, call: Call) -> sqlite3.Row:
    if queries.path_id(call, "applicationId") != APPLICATION_ID:
        raise not_found(f"Application {call.path['applicationId']}")
    campaign_id = queries.path_id(call, "campaignId")
    row = campaigns.find(account, campaign_id)
    if row is None:
        raise not_found(f"Campaign {campaign_id}")
    return row


HANDLERS: dict[str, Handler] = {
    **catalogue.HANDLERS,
    **loyalty.HANDLERS,
    "get_audiences": get_audiences,
    "get_audiences_analytics": get_audiences_analytics,
    "get_audience_memberships": get_audience_memberships,
    "export_audiences_memberships": export_audiences_memberships,
    "import_audiences_memberships": import_audiences_memberships,
    "get_applications": get_applications,
    "get_campaign": get_campaign,
    "get_referrals_without_total_count": get_referrals_without_total_count,
}
