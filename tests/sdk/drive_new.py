"""Drive the sandbox with talon-one-sdk 26.2, unchanged, and print what it read as one JSON object.

Runs in an environment of its own: the two SDKs share a module name. Address and keys come from T1DATA_BASE_URL,
T1DATA_API_KEY and T1DATA_MANAGEMENT_KEY; the account is seeded as in ../sandbox/test_sdk.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import talon_one as t

HOST = os.environ["T1DATA_BASE_URL"]
CODE = "SUMMER25%OFF/ä"
FLAGS = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")


def client(name: str, prefix: str, key: str) -> t.ApiClient:
    return t.ApiClient(t.Configuration(host=HOST, api_key={name: key}, api_key_prefix={name: prefix}))


api = t.IntegrationApi(client("api_key_v1", "ApiKey-v1", os.environ["T1DATA_API_KEY"]))
management = t.ManagementApi(client("management_key", "ManagementKey-v1", os.environ["T1DATA_MANAGEMENT_KEY"]))


def kind(value: object) -> str:
    return type(value).__name__


ERRORS = {
    400: t.exceptions.BadRequestException,
    401: t.exceptions.UnauthorizedException,
    404: t.exceptions.NotFoundException,
    409: t.exceptions.ConflictException,
}


def error(call: Callable[[], object]) -> int | None:
    """Make a call that the server refuses, and return the status that the SDK's error and its body agree on."""
    try:
        call()
    except t.ApiException as caught:
        failure = caught
    else:
        return None
    assert isinstance(failure, ERRORS[failure.status])
    assert json.loads(failure.body)["StatusCode"] == failure.status
    return failure.status


def audiences() -> dict[str, Any]:
    made = api.create_audience_v2(t.NewAudience(name="VIP", integration="segment", integrationId="vip"))
    renamed = api.update_audience_v2(made.id, t.UpdateAudience(name="Very important"))
    item = t.CustomerProfileAudienceRequestItem
    actions = [item(action="add", profileIntegrationId=each, audienceId=made.id) for each in ("a/b c", "new")]
    return {
        "made": [kind(made), kind(made.id), made.name, made.integration_id, kind(made.created)],
        "renamed": [renamed.id == made.id, renamed.name],
        "joined": api.update_customer_profile_audiences(t.CustomerProfileAudienceRequest(data=actions)),
        "attributes": api.update_audience_customers_attributes(made.id, {"Name": "Member"}),
        "emptied": api.delete_audience_memberships_v2(made.id),
        "deleted": api.delete_audience_v2(made.id),
    }


def profiles() -> dict[str, Any]:
    one = t.CustomerProfileIntegrationRequestV2(
        attributes={"Spend": 11.5, "Since": datetime(2026, 1, 1, tzinfo=UTC), "Name": None},
        responseContent=["customerProfile"],
    )
    updated = api.update_customer_profile_v2("a/b c", one)
    item = t.MultipleCustomerProfileIntegrationRequestItem
    items = [item(integrationId=each, attributes={"Spend": 1}) for each in ("00001", "00002")]
    many = t.MultipleCustomerProfileIntegrationRequest(customerProfiles=items)
    bulk = api.update_customer_profiles_v2(many, silent="no")
    ruled = api.update_customer_profile_v2("a/b c", one, run_rule_engine=True, dry=True)
    return {
        "updated": [kind(updated), kind(updated.customer_profile), updated.customer_profile.integration_id],
        "attributes": updated.customer_profile.attributes,
        "effects": [updated.effects, updated.created_coupons, updated.created_referrals, kind(ruled.effects)],
        "bulk": [state.customer_profile.integration_id for state in bulk.integration_states],
        "silent": api.update_customer_profiles_v2(many),
    }


def coupons() -> dict[str, Any]:
    who = t.CouponReservations(integrationIDs=["00001", "00002"])
    reserved = api.create_coupon_reservation(CODE, who)
    held = api.get_reserved_customers(CODE)
    released = api.delete_coupon_reservation(CODE, t.CouponReservations(integrationIDs=["00002"]))
    return {
        "reserved": [kind(reserved), reserved.value, kind(reserved.id)],
        "held": [kind(held.data[0]), sorted(profile.integration_id for profile in held.data)],
        "released": released,
        "left": [profile.integration_id for profile in api.get_reserved_customers(CODE).data],
    }


def referrals() -> dict[str, Any]:
    when = datetime(2030, 1, 1, tzinfo=UTC)
    one = api.create_referral(
        t.NewReferral(campaignId=45, advocateProfileIntegrationId="00001", usageLimit=1, expiryDate=when)
    )
    many = t.NewReferralsForMultipleAdvocates(
        campaignId=45, advocateProfileIntegrationIds=["00001", "00002"], usageLimit=2, referralPattern="T1-####"
    )
    told = api.create_referrals_for_multiple_advocates(many, silent="no")
    return {
        "one": [kind(one), one.advocate_profile_integration_id, len(one.code), one.expiry_date.isoformat()],
        "many": [(referral.advocate_profile_integration_id, referral.code[:3]) for referral in told.data],
        "silent": api.create_referrals_for_multiple_advocates(many),
    }


def session() -> dict[str, Any]:
    item = t.CartItem(sku="cd", name="CD", quantity=2, price=10.5)
    content = ["customerSession", "customerProfile", "coupons", "loyalty", "triggeredCampaigns", "event"]
    wanted = t.NewCustomerSessionV2(profileId="00001", couponCodes=[CODE], cartItems=[item])
    opened = api.update_customer_session_v2(
        "order/1", t.IntegrationRequest(customerSession=wanted, responseContent=content)
    )
    closing = t.NewCustomerSessionV2(profileId="00001", state="closed")
    closed = api.update_customer_session_v2(
        "order/1", t.IntegrationRequest(customerSession=closing, responseContent=content)
    )
    tried = api.update_customer_session_v2("order/2", t.IntegrationRequest(customerSession=wanted), dry=True)
    return {
        "opened": [kind(opened.customer_session), opened.customer_session.state, opened.customer_session.total],
        "effects": [[effect.effect_type for effect in state.effects] for state in (opened, closed, tried)],
        "closed": [closed.customer_session.state, closed.customer_profile.closed_sessions],
        "read": api.get_customer_session("order/1").customer_session.state,
        "dry": error(lambda: api.get_customer_session("order/2")),
    }


def event() -> dict[str, Any]:
    seen = t.IntegrationEventV2Request(profileId="00001", type="seen", attributes={}, responseContent=["event"])
    loud = api.track_event_v2(seen, silent="no")
    return {"loud": [kind(loud), kind(loud.event), loud.event.type], "silent": api.track_event_v2(seen)}


def inventory() -> dict[str, Any]:
    found = api.get_customer_inventory("00001", **dict.fromkeys(FLAGS, True))
    nothing = api.get_customer_inventory("00001")
    (program,) = found.loyalty.programs.values()
    return {
        "profile": [kind(found.profile), found.profile.integration_id, found.profile.closed_sessions],
        "coupons": [[kind(coupon), coupon.value, coupon.state] for coupon in found.coupons],
        "referrals": sorted(referral.usage_limit for referral in found.referrals),
        "loyalty": [program.name, kind(program.ledger), program.ledger.current_balance],
        "giveaways": [giveaway.code for giveaway in found.giveaways],
        "achievements": [[item.name, item.progress] for item in found.achievements],
        "nothing": [nothing.profile, nothing.coupons, nothing.loyalty],
    }


def attribute(title: str) -> t.NewAttribute:
    facts = {"entity": "CustomerProfile", "name": "City", "type": "string", "description": "", "suggestions": []}
    return t.NewAttribute(title=title, editable=True, **facts)


def administration() -> dict[str, Any]:
    made = management.create_attribute(attribute("City"))
    renamed = management.update_attribute(made.id, attribute("Town"))
    audience = api.create_audience_v2(t.NewAudience(name="Uploaded"))
    uploaded = management.import_audiences_memberships(audience.id, up_file="profileintegrationid\n00001\nx y\n")
    raw = management.export_audiences_memberships_without_preload_content(audience.id)
    management.add_loyalty_points("3", "00002", t.AddLoyaltyPoints(points=5))
    management.remove_loyalty_points("3", "00002", t.DeductLoyaltyPoints(points=2))
    points = api.get_customer_inventory("00002", loyalty=True).loyalty.programs
    return {
        "attribute": [kind(made), made.name, made.title],
        "renamed": [renamed.id == made.id, management.get_attribute(made.id).title],
        "attributes": "City" in [each.name for each in management.get_attributes(entity="CustomerProfile").data],
        "audiences": [each.name for each in management.get_audiences().data],
        "uploaded": [kind(uploaded), uploaded.amount],
        "members": sorted(each.integration_id for each in management.get_audience_memberships(audience.id).data),
        "export": raw.data.decode().splitlines(),
        "count": [each.members_count for each in management.get_audiences_analytics(str(audience.id)).data],
        "referrals": len(management.get_referrals_without_total_count(1, 45, advocate="00001").data),
        "points": [each.ledger.current_balance for each in points.values()],
    }


def errors() -> dict[str, Any]:
    stranger = t.IntegrationApi(client("api_key_v1", "ApiKey-v1", "wrong"))
    bad = t.CustomerProfileIntegrationRequestV2(attributes={"Unknown": 1})
    twin = t.NewAudience(name="Twin", integration="segment", integrationId="twin")
    api.create_audience_v2(twin)
    return {
        "bad": error(lambda: api.update_customer_profile_v2("00001", bad)),
        "stranger": error(lambda: stranger.get_customer_inventory("00001")),
        "missing": error(lambda: api.delete_audience_v2(987654)),
        "conflict": error(lambda: api.create_audience_v2(twin)),
        "no such profile": error(lambda: api.delete_customer_data("nobody")),
        "no such code": error(lambda: api.get_reserved_customers("NOBODY")),
    }


def erasure() -> dict[str, Any]:
    erased = api.delete_customer_data("00002")
    return {"erased": erased, "left": api.get_customer_inventory("00002", profile=True).profile.attributes}


STEPS = (audiences, profiles, coupons, referrals, session, event, inventory, administration, errors, erasure)

if __name__ == "__main__":
    print(json.dumps({step.__name__: step() for step in STEPS}))
