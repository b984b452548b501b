"""What a session moves when it is updated, closed or cancelled: points, codes, counters, sales.

An open session holds tentative points. Closing redeems its codes and confirms the points; cancelling a closed
one takes all of that back. A reservation that a redemption made stays, as do attributes that were changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from t1data.sandbox import coupons, loyalty, referrals
from t1data.sandbox.core import Account
from t1data.sandbox.effects import DISCOUNTS, Effect
from t1data.sandbox.money import EXACT, add_up, exact
from t1data.sandbox.session_store import Session

FINAL = frozenset({"closed", "partially_returned"})


def settle(account: Account, session: Session) -> None:
    """Carry out the effects that an open or a just closed session was granted.

    Parameters
    ----------
    account : Account
        Whose counters move.
    session : Session
        As it stands now, with the effects of the last evaluation.
    """
    loyalty.rollback(account, session.id)
    closed = session.state == "closed"
    if session.profile_id is not None:
        grant_points(account, session.profile_id, session.effects, session_id=session.id, tentative=not closed)
    if closed:
        _redeem(account, session)
        _count_sale(account, session, 1)


def unsettle(account: Account, session: Session) -> None:
    """Take back what a session did when it was closed, or its tentative points when it was only open.

    Parameters
    ----------
    account : Account
        Whose counters move.
    session : Session
        As it stood before it was cancelled.
    """
    loyalty.rollback(account, session.id)
    if session.state in FINAL:
        _redeem(account, session, back=True)
        _count_sale(account, session, -1)


def grant_points(
    account: Account, profile_id: int, effects: Iterable[Effect], *, session_id: int | None, tentative: bool
) -> None:
    """Write the points of `effects` into the ledgers of a customer."""
    for each in effects:
        if each["effectType"] == "addLoyaltyPoints":
            props = each["props"]
            loyalty.add_points(
                account,
                props["programId"],
                profile_id,
                exact(props["value"]),
                ledger=props["subLedgerId"],
                session_id=session_id,
                tentative=tentative,
                reason=props["name"],
            )


def _redeem(account: Account, session: Session, *, back: bool = False) -> None:
    for each in session.effects:
        if each["effectType"] == "acceptCoupon":
            _redeem_coupon(account, session, each["props"]["value"], back=back)
        elif each["effectType"] == "acceptReferral":
            _redeem_referral(account, session, each["props"]["value"], back=back)


def _redeem_coupon(account: Account, session: Session, code: str, *, back: bool) -> None:
    row = coupons.find(account, code)
    if row is None:
        return
    given = add_up(exact(each["props"]["value"]) for each in session.effects if _is_discount_of(each, row["id"]))
    counter = EXACT.add(Decimal(row["discount_counter"]), -given if back else given)
    account.db.execute("UPDATE coupon SET discount_counter = ? WHERE id = ?", (str(counter), row["id"]))
    if back:
        coupons.unredeem(account, row, session.id)
    else:
        coupons.redeem(account, row, session.profile_id, session.id)


def _is_discount_of(each: Effect, coupon_id: int) -> bool:
    return each["effectType"] in DISCOUNTS and each.get("triggeredByCoupon") == coupon_id


def _redeem_referral(account: Account, session: Session, code: str, *, back: bool) -> None:
    """Use a referral code, or give it back; an anonymous customer's code is never accepted."""
    row = referrals.find(account, code)
    if row is None or session.profile_id is None:
        return
    if back:
        referrals.unredeem(account, row, session.id)
    else:
        referrals.redeem(account, row, session.profile_id, session.id)


def _count_sale(account: Account, session: Session, sign: int) -> None:
    row = account.db.execute("SELECT total_sales FROM profile WHERE id = ?", (session.profile_id,)).fetchone()
    if row is None:
        return
    sales = EXACT.fma(session.totals.total, Decimal(sign), Decimal(row["total_sales"]))
    account.db.execute(
        "UPDATE profile SET closed_sessions = closed_sessions + ?, total_sales = ? WHERE id = ?",
        (sign, str(sales), session.profile_id),
    )
