"""What bodies hold: the smallest JSON Schemas that say it, for the served OpenAPI document.

Written for this sandbox. A response schema names what is always there; more may come.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
TIME: Schema = {"type": "string", "format": "date-time"}
ATTRIBUTES: Schema = {"type": "object", "description": "Values by attribute name; null removes one."}
PROFILE_ID: Schema = {"type": "string", "maxLength": 1000}
CODE: Schema = {"type": "string", "minLength": 4}


def listing(items: Schema, **limits: Any) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": items, **limits}


def record(required: str = "", **properties: Schema) -> Schema:
    """Return the schema of an object; `required` holds the names that must be there, apart by spaces."""
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": required.split()} if required else schema


def part(name: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def page(name: str) -> Schema:
    """Return the schema of a page of components."""
    return record("data", data=listing(part(name)), totalResultSize=INTEGER, hasMore=BOOLEAN)


def words(*names: str) -> Schema:
    """Return the schema of an array of fixed words."""
    return listing({"type": "string", "enum": list(names)})


_IDS = listing(INTEGER)
_HOLDERS = record("integrationIDs", integrationIDs=listing(PROFILE_ID, maxItems=1000))
_ACTION = record(
    "action profileIntegrationId audienceId",
    action={"type": "string", "enum": ["add", "delete"]},
    profileIntegrationId=PROFILE_ID,
    audienceId=INTEGER,
)
_CHANGES = record("adds deletes", adds=_IDS, deletes=_IDS)
_COST = {"type": "object", "additionalProperties": record("price", price=NUMBER)}
_ITEM = record(
    "sku quantity",
    sku=NAME,
    quantity={"type": "integer", "minimum": 1, "maximum": 10000},
    name=TEXT,
    price=NUMBER,
    category=TEXT,
    attributes=ATTRIBUTES,
    additionalCosts=_COST,
)
_SESSION = record(
    profileId=TEXT,
    state={"type": "string", "enum": ["open", "closed", "cancelled"]},
    couponCodes=listing({"type": "string", "maxLength": 100}),
    referralCode={"type": "string", "maxLength": 100},
    cartItems=listing(_ITEM, maxItems=1000),
    additionalCosts=_COST,
    identifiers=listing(TEXT, maxItems=5),
    attributes=ATTRIBUTES,
)
_DATES = {"startDate": TIME, "expiryDate": TIME}
_USAGE = {"type": "integer", "minimum": 0, "maximum": 999999}
_TYPES = ("string", "number", "boolean", "time", "location")
_LISTS = tuple(f"(list {kind})" for kind in _TYPES if kind != "boolean")
_PROFILE_SECTIONS = ("customerProfile", "triggeredCampaigns", "loyalty", "event", "awardedGiveaways")
_SECTIONS = words(*_PROFILE_SECTIONS, "ruleFailureReasons")
_ATTRIBUTE = record(
    "entity name title type description suggestions",
    entity=NAME,
    name={"type": "string", "pattern": "^[A-Za-z]\\w*$"},
    title=TEXT,
    type={"type": "string", "enum": [*_TYPES, *_LISTS]},
    description=TEXT,
    suggestions=listing(TEXT),
    editable=BOOLEAN,
)
_POINTS = record("points", points={"type": "number", "minimum": 0}, name=TEXT, subledgerId=TEXT)

BODIES: dict[str, Schema] = {
    "create_audience_v2": record(
        "name",
        name=NAME,
        integration=TEXT,
        integrationId={"type": "string", "minLength": 1, "maxLength": 1000},
        description=TEXT,
        sandbox=BOOLEAN,
        subscribedApplicationsIds=_IDS,
    ),
    "update_audience_v2": record("name", name=NAME, subscribedApplicationsIds=_IDS),
    "update_customer_profile_audiences": record(data=listing(_ACTION, maxItems=1000)),
    "update_audience_customers_attributes": ATTRIBUTES,
    "update_customer_profile_v2": record(
        attributes=ATTRIBUTES, audiencesChanges=_CHANGES, responseContent=_SECTIONS, evaluableCampaignIds=_IDS
    ),
    "update_customer_profiles_v2": record(
        "customerProfiles",
        customerProfiles=listing(
            record("integrationId", integrationId=PROFILE_ID, attributes=ATTRIBUTES), maxItems=1000
        ),
    ),
    "create_coupon_reservation": _HOLDERS,
    "delete_coupon_reservation": _HOLDERS,
    "create_referral": record(
        "campaignId advocateProfileIntegrationId",
        campaignId=INTEGER,
        advocateProfileIntegrationId=PROFILE_ID,
        friendProfileIntegrationId=PROFILE_ID,
        usageLimit=_USAGE,
        attributes=ATTRIBUTES,
        **_DATES,
    ),
    "create_referrals_for_multiple_advocates": record(
        "campaignId advocateProfileIntegrationIds usageLimit",
        campaignId=INTEGER,
        advocateProfileIntegrationIds=listing(PROFILE_ID, minItems=1, maxItems=1000),
        usageLimit=_USAGE,
        attributes=ATTRIBUTES,
        validCharacters=listing({"type": "string", "minLength": 1, "maxLength": 1}),
        referralPattern={"type": "string", "minLength": 3, "maxLength": 100},
        **_DATES,
    ),
    "update_customer_session_v2": record(
        "customerSession",
        customerSession=_SESSION,
        responseContent=words(*_PROFILE_SECTIONS, "ruleFailureReasons", "customerSession", "coupons", "referral"),
    ),
    "track_event": record(
        "type attributes sessionId", type=NAME, attributes=ATTRIBUTES, sessionId=NAME, profileId=TEXT
    ),
    "track_event_v2": record("type", profileId=PROFILE_ID, type=NAME, attributes=ATTRIBUTES, responseContent=_SECTIONS),
    "add_loyalty_points": _POINTS,
    "remove_loyalty_points": _POINTS,
    "update_attribute": _ATTRIBUTE,
    "create_attribute": _ATTRIBUTE,
}

_EFFECTS = record(
    "effects createdCoupons createdReferrals",
    effects=listing(part("Effect")),
    createdCoupons=listing(part("Coupon")),
    createdReferrals=listing(part("Referral")),
)

REPLIES: dict[str, Schema] = {
    "create_audience_v2": part("Audience"),
    "update_audience_v2": part("Audience"),
    "update_customer_profile_v2": _EFFECTS,
    "update_customer_profiles_v2": record(
        "integrationStates",
        integrationStates=listing(record("customerProfile", customerProfile=part("CustomerProfile"))),
    ),
    "get_customer_inventory": record(
        profile=part("CustomerProfile"),
        coupons=listing(part("Coupon")),
        referrals=listing(part("Referral")),
        giveaways=listing(record("id code poolId", id=INTEGER, code=TEXT, poolId=INTEGER)),
        loyalty=record("programs", programs={"type": "object"}),
        achievements=listing({"type": "object"}),
    ),
    "get_reserved_customers": page("CustomerProfile"),
    "create_coupon_reservation": part("Coupon"),
    "create_referral": part("Referral"),
    "create_referrals_for_multiple_advocates": page("Referral"),
    "update_customer_session_v2": _EFFECTS,
    "get_customer_session": record("customerSession", customerSession=part("Object")),
    "track_event": record(
        "session profile event", session=part("Object"), profile=part("Object"), event=part("Object")
    ),
    "track_event_v2": _EFFECTS,
    "get_attributes": page("Attribute"),
    "create_attribute": part("Attribute"),
    "get_attribute": part("Attribute"),
    "update_attribute": part("Attribute"),
    "get_audiences_analytics": record(
        "data", data=listing(record("audienceId membersCount", audienceId=INTEGER, membersCount=INTEGER))
    ),
    "get_audiences": page("Audience"),
    "get_audience_memberships": page("CustomerProfile"),
    "get_applications": page("Application"),
    "get_campaign": part("Campaign"),
    "get_referrals_without_total_count": page("Referral"),
}

COMPONENTS: dict[str, Schema] = {
    "Object": {"type": "object"},
    "Error": record(
        "message errors StatusCode",
        message=TEXT,
        errors=listing(record("title source", title=TEXT, details=TEXT, source=part("Object"))),
        StatusCode=INTEGER,
    ),
    "Application": record("id created name", id=INTEGER, created=TIME, name=TEXT),
    "Campaign": record(
        "id created applicationId name state features",
        id=INTEGER,
        created=TIME,
        applicationId=INTEGER,
        name=TEXT,
        state=TEXT,
        features=listing(TEXT),
    ),
    "Attribute": record(
        "id entity name title type",
        id=INTEGER,
        entity=TEXT,
        name=TEXT,
        title=TEXT,
        type=TEXT,
        suggestions=listing(TEXT),
    ),
    "Audience": record("id accountId created name", id=INTEGER, accountId=INTEGER, created=TIME, name=TEXT),
    "CustomerProfile": record(
        "id created integrationId attributes accountId closedSessions totalSales lastActivity",
        id=INTEGER,
        created=TIME,
        integrationId=PROFILE_ID,
        attributes=ATTRIBUTES,
        accountId=INTEGER,
        closedSessions=INTEGER,
        totalSales=NUMBER,
        lastActivity=TIME,
        audienceMemberships=listing(record("id name", id=INTEGER, name=TEXT)),
        sandbox=BOOLEAN,
    ),
    "Coupon": record(
        "id created campaignId value usageLimit usageCounter",
        id=INTEGER,
        created=TIME,
        campaignId=INTEGER,
        value=CODE,
        usageLimit=INTEGER,
        usageCounter=INTEGER,
    ),
    "Referral": record(
        "id created campaignId code advocateProfileIntegrationId usageLimit usageCounter",
        id=INTEGER,
        created=TIME,
        campaignId=INTEGER,
        code=CODE,
        advocateProfileIntegrationId=PROFILE_ID,
        usageLimit=INTEGER,
        usageCounter=INTEGER,
    ),
    "Effect": record(
        "campaignId rulesetId ruleIndex ruleName effectType props",
        campaignId=INTEGER,
        rulesetId=INTEGER,
        ruleIndex=INTEGER,
        ruleName=TEXT,
        effectType=TEXT,
        props=part("Object"),
    ),
}
