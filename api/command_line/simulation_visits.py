"""One visit as a simulated engineer does it: from the call to the signature, with a story's turns."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from api.command_line.simulation_pictures import signature_picture, site_photo
from api.command_line.simulation_proof import completion
from api.command_line.simulation_stories import CALLED, DONE, Story
from mobile_contract import v1
from mobile_contract.simulated_phone import sha256_of

if TYPE_CHECKING:
    from api.command_line.simulation_engineers import Engineer

HOLD_MIN = 15
ANSWER_MIN = 60
ALLOWED_MIN = 60
LOOK_MIN = 5


async def visit(me: "Engineer", card: v1.TicketCard) -> None:
    """From wherever the ticket stands as far as it goes."""
    if card.role != "lead":
        await _help(me, card)
    elif card.status == "assigned":
        await _go(me, card)
    elif card.status == "en_route":
        await _arrive(me, card)
    else:
        await _work(me, card)


async def _go(me: "Engineer", card: v1.TicketCard) -> None:
    """Calls, passes on or sets off."""
    world = me.world
    if not await me.stay(card.ticket_id, ("assigned",), me.rnd.uniform(40, 150)):
        return
    if world.tells(card.ticket_no, "handed_over") and await _hand_over(me, card):
        return
    if world.tells(card.ticket_no, "handed_back"):
        await me.act(card, "hand_back", reason="no_part", text=_words(me, "缺少配件", "Part not in the van"))
        return
    if me.rnd.random() < 0.6 or world.story_of(card.ticket_no) is not None:
        await _call(me, card)
    if world.tells(card.ticket_no, "by_phone"):
        text = _words(me, "电话指导客户复位，已恢复", "Talked the customer through a reset, works again")
        await me.act(card, "resolve_remotely", text=text)
        return
    await me.act(card, "set_off")
    if world.tells(card.ticket_no, "turned_back"):
        if await me.drive(card, share=0.4):
            await me.act(card, "turn_back", text=_words(me, "忘带工具，回去取", "Forgot a tool, going back"))
            await me.stay(card.ticket_id, ("assigned",), 120)
        return
    if await me.drive(card):
        fresh = me.card(card.ticket_id)
        if fresh is not None and fresh.status == "en_route":
            await _arrive(me, fresh)


async def _hand_over(me: "Engineer", card: v1.TicketCard) -> bool:
    """To a simulated colleague; True when the visit has moved."""
    known = {each["id"] for each in me.world.cast["engineers"] if not each["trainee"]}
    busy = {e["engineer_id"] for e in me.world.engineers.values() if not e["on_shift"]}
    found = [
        c for c in await me.phone.colleagues()
        if str(c.engineer_id) in known and str(c.engineer_id) not in busy
    ]  # fmt: skip
    if not found:
        return False
    for colleague in me.rnd.sample(found, min(3, len(found))):
        await me.act(card, "hand_over", colleague_id=colleague.engineer_id)
        if not await me.stay(card.ticket_id, ("assigned",), 400):
            return True
    return False


async def _call(me: "Engineer", card: v1.TicketCard) -> None:
    facts: dict[str, Any] = {"text": me.rnd.choice(CALLED[_language(me)])}
    if card.window is None and me.rnd.random() < 0.5:
        now = me.world.now()
        facts |= {"window_from": now, "window_to": now + timedelta(hours=2)}
    await me.act(card, "contact", **facts)


async def _arrive(me: "Engineer", card: v1.TicketCard) -> None:
    """Checks in: at the site, or with a reason, or with the photo still on the phone."""
    world = me.world
    if card.site is not None:
        me.at = _near(me, card.site, 25)
    elif me.at is None:
        me.at = (world.places[0]["lon"], world.places[0]["lat"])
    reason = None
    if world.tells(card.ticket_no, "off_site") and card.site is not None:
        me.at = _near(me, card.site, 600)
        reason = "large_site"
    mock = world.tells(card.ticket_no, "doubtful")
    picture = site_photo(me.rnd.getrandbits(32))
    if world.tells(card.ticket_no, "late_photo"):
        await _check_in(me, card, reason, photo_pending=[sha256_of(picture)])
        await me.stay(card.ticket_id, ("on_site",), 240)
        await me.phone.put_photo(card.ticket_id, "check_in", picture)
    else:
        photo_id = await me.phone.put_photo(card.ticket_id, "check_in", picture)
        await _check_in(me, card, reason, mock, photo_ids=[photo_id])
    fresh = me.card(card.ticket_id)
    if fresh is not None and fresh.status == "on_site":
        await _work(me, fresh)


async def _check_in(
    me: "Engineer", card: v1.TicketCard, reason: str | None, mock: bool = False, **facts: Any
) -> None:
    """`mock`: the phone says that its position may be made up."""
    position = me.reading(15).model_copy(update={"mock": mock})
    await me.act(card, "check_in", position=position, reason=reason, **facts)


async def _work(me: "Engineer", card: v1.TicketCard) -> None:
    """On site: looks, prices, waits for parts or finishes."""
    world = me.world
    half_s = card.work_type.duration_min * 60 * me.rnd.uniform(0.15, 0.3)
    if not await me.stay(card.ticket_id, ("on_site",), half_s):
        return
    story = world.story_of(card.ticket_no)
    if me.rnd.random() < 0.3:
        await me.act(card, "note", text=_words(me, "已断电检查，准备更换部件", "Checked with power off"))
    if story is not None and story.turns("parts"):
        until = world.now() + timedelta(minutes=HOLD_MIN)
        text = _words(me, "等配件到货", "Waiting for the part")
        await me.ask("part", ticket_id=card.ticket_id, part="valve", quantity=Decimal(1))
        await me.act(card, "hold", reason="parts", until=until, keep_engineer=True, text=text)
        return
    outcome = "fixed"
    plain = story is not None and story.plot == "plain"
    if story is not None and (story.plot in ("quote_yes", "quote_no") or (plain and me.rnd.random() < 0.1)):
        outcome = await _quote(me, card, story)
    elif story is not None and story.turns("not_fixed"):
        outcome = "not_fixed"
    elif me.rnd.random() < 0.08:
        outcome = me.rnd.choice(("temporary", "no_fault", "no_access", "not_fixed"))
    if await me.stay(card.ticket_id, ("on_site",), half_s):
        await _finish(me, card, outcome, story)


async def _quote(me: "Engineer", card: v1.TicketCard, story: Story) -> str:
    """A price, less what a dispatcher allows, and the customer's answer to it; the outcome of the visit follows."""
    if story.plot in ("quote_yes", "quote_no") and story.once("discount"):
        percent = 10 if story.plot == "quote_yes" else 50
        await me.ask("discount", ticket_id=card.ticket_id, percent=percent)
        for _ in range(ALLOWED_MIN // LOOK_MIN):
            on_site = await me.stay(card.ticket_id, ("on_site",), LOOK_MIN * 60)
            if not on_site or not await me.is_unanswered(card.ticket_id):
                break
    lines = [
        v1.QuoteLine(
            kind="call_out",
            text="上门费 Call-out",
            quantity=Decimal(1),
            unit_price_minor=3000,
            price="call_out",
        ),
        v1.QuoteLine(
            kind="part", text="主板 Control board", quantity=Decimal(1), unit_price_minor=26000, price="board"
        ),
        v1.QuoteLine(
            kind="labour", text="工时 Labour", quantity=Decimal("1.5"), unit_price_minor=8000, price="labour"
        ),
    ]
    if card.quote is None or card.quote.status != "open":
        await me.act(card, "quote", quote_lines=lines, currency="CNY")
    end = me.world.now() + timedelta(minutes=ANSWER_MIN)
    while me.world.now() < end:
        fresh = me.card(card.ticket_id)
        if fresh is None or fresh.status != "on_site":
            break
        if fresh.quote is not None and fresh.quote.status == "approved":
            method = me.rnd.choice(("wechat", "alipay", "cash"))
            await me.act(card, "pay", method=method, amount_minor=fresh.quote.total_minor)
            return "fixed"
        if fresh.quote is not None and fresh.quote.status != "open":
            return "refused"
        await me.wait_for_change(me.world.clock.real_s(300))
    return "refused"


async def _finish(me: "Engineer", card: v1.TicketCard, outcome: str, story: Story | None) -> None:
    """Photos, completion, and sometimes the customer's signature on this phone."""
    wanted = {"no_access": 1, "refused": 0}.get(outcome, card.work_type.completion_photos)
    wanted = min(wanted, card.work_type.completion_photos)
    photos = [await _completion_photo(me, card) for _ in range(wanted)]
    told = completion(card, outcome, me.rnd)
    text = me.rnd.choice(DONE[_language(me)])
    if story is not None and story.turns("offline"):
        me.phone.keep(card.ticket_id, "note", v1.ActionFacts(text=_words(me, "地下室无信号", "No reception")))
        me.phone.keep(
            card.ticket_id,
            "complete",
            v1.ActionFacts(outcome="fixed", photo_ids=photos, text=text, **completion(card, "fixed", me.rnd)),
        )
        await me.world.sleep(180)
        await me.phone.drain()
        await me.pull()
    else:
        await me.act(card, "complete", outcome=outcome, photo_ids=photos, text=text, **told)
    if story is not None and story.turns("witnessed"):
        await me.world.sleep(me.rnd.uniform(60, 180))
        picture = signature_picture(me.rnd.getrandbits(32))
        signature = await me.phone.put_photo(card.ticket_id, "signature", picture)
        text = _words(me, "客户当面签字", "Signed on site")
        code = await me.world.service_code(story.link)
        await me.act(card, "sign_off", photo_ids=[signature], text=text, code=code)


async def _completion_photo(me: "Engineer", card: v1.TicketCard) -> UUID:
    """Mostly whole; where reception is poor in pieces; and now and then an old one again."""
    chance = me.rnd.random()
    picture = site_photo(me.rnd.getrandbits(32) if chance > 0.05 else 7)
    if chance > 0.85:
        return await me.phone.put_photo_in_pieces(card.ticket_id, "completion", picture, 8_000)
    return await me.phone.put_photo(card.ticket_id, "completion", picture)


async def _help(me: "Engineer", card: v1.TicketCard) -> None:
    """A helper's own times: along, there, gone."""
    if card.checked_in_at is None:
        await me.act(card, "set_off")
        if not await me.drive(card):
            return
        if card.site is not None:
            me.at = _near(me, card.site, 25)
        photo_id = await me.phone.put_photo(card.ticket_id, "check_in", site_photo(me.rnd.getrandbits(32)))
        await _check_in(me, card, None, photo_ids=[photo_id])
    if not await me.stay(card.ticket_id, ("en_route", "on_site"), 900):
        return
    fresh = me.card(card.ticket_id)
    if fresh is not None and fresh.status == "on_site":
        await me.act(card, "complete", text=_words(me, "协助完成", "Helped, done"))
        me.left.add(card.visit_id)
    else:
        await asyncio.sleep(1)


def _near(me: "Engineer", site: v1.Site, sigma_m: float) -> tuple[float, float]:
    """A place about so far from the site."""
    return (
        site.lon + me.rnd.choice((-1, 1)) * me.rnd.uniform(0.5, 1) * sigma_m / 100_000,
        site.lat + me.rnd.choice((-1, 1)) * me.rnd.uniform(0.5, 1) * sigma_m / 111_000,
    )


def _language(me: "Engineer") -> str:
    return me.phone.signed_in.language if me.phone.signed_in else "zh"


def _words(me: "Engineer", zh: str, en: str) -> str:
    return zh if _language(me) == "zh" else en
