"""The certificate's PDF: facts and photos in the reader's language, with the address that checks it."""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import segno
from fastapi import Response

from api.house import Rooms
from api.photos import large_picture
from dispatch.actions.cases import load_case
from dispatch.actions.evidence_certificate import Issued, issue_certificate
from dispatch.actions.step import Step, run_step
from dispatch.domain.commands import Facts, Principal
from dispatch.domain.errors import NotFound
from dispatch.domain.money import money_text

MOST_PHOTOS = 6
#: The beginning of the content's hash that the paper and its address show.
PRINTED = 32

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("服务验收证明", "Certificate of acceptance"),
    "number": ("工单 {no}", "Ticket {no}"),
    "scan": ("扫码核验", "Scan to check"),
    "work": ("服务类型", "Work"),
    "address": ("服务地址", "Address"),
    "engineer": ("工程师", "Engineer"),
    "arrived": ("到达", "Arrived"),
    "completed": ("完工", "Completed"),
    "accepted": ("验收", "Accepted"),
    "outcome": ("处理结果", "Outcome"),
    "done": ("处理说明", "What was done"),
    "rating": ("评价", "Rating"),
    "total": ("费用合计", "Total"),
    "checklist": ("作业清单", "Checklist"),
    "parts": ("更换配件", "Parts used"),
    "machines": ("设备", "Machines"),
    "photos": ("现场照片", "Photos"),
    "signature": ("客户签名", "Signature of the customer"),
    "seal": (
        "数据指纹（扫码可核验是否被改动）",
        "Fingerprints (scan the code to see whether anything was changed)",
    ),
    "content": ("内容", "Content"),
    "chain": ("链上", "Chain"),
    "footer": ("{tenant} · 工单 {no} · 打印于 {at}", "{tenant} · Ticket {no} · printed {at}"),
    "yes": ("是", "Yes"),
    "no": ("否", "No"),
    "photo_check_in": ("到场", "On arrival"),
    "photo_completion": ("完工", "On completion"),
    "by_customer": ("客户", "by the customer"),
    "by_dispatcher": ("调度员凭证验收", "by the dispatcher, with proof"),
    "by_system": ("到期自动通过", "by default, after the days given"),
    "outcome_fixed": ("已修复", "Fixed"),
    "outcome_temporary": ("临时修复", "Fixed for now"),
    "outcome_not_fixed": ("未修复", "Not fixed"),
    "outcome_no_fault": ("无故障", "No fault found"),
    "outcome_refused": ("客户拒修", "Refused by the customer"),
    "outcome_no_access": ("无法进门", "No access"),
}


class Said:
    """The paper's words in one language, times on the company's wall clock."""

    def __init__(self, language: str, zone: str) -> None:
        self.side = 0 if language == "zh" else 1
        self.language = "zh" if self.side == 0 else "en"
        self._zone = ZoneInfo(zone)

    def say(self, key: str, **holes: str) -> str:
        return _WORDS[key][self.side].format(**holes)

    def known(self, key: str, otherwise: str) -> str:
        return self.say(key) if key in _WORDS else otherwise

    def own(self, texts: Mapping[str, str] | None) -> str:
        texts = texts or {}
        return texts.get(self.language) or next(iter(texts.values()), "")

    def at(self, moment: datetime | str | None) -> str:
        if moment is None:
            return "–"
        when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return f"{when.astimezone(self._zone):%Y-%m-%d %H:%M}"


def certificate_reply(here: Rooms, asking: Principal, ticket_id: UUID, language: str | None) -> Response:
    """The PDF of an accepted ticket the principal may see. Raises NotFound, NotReady `certificate_not_ready`."""

    def issue(step: Step) -> Issued:
        load_case(step, ticket_id, Facts())
        return issue_certificate(step, ticket_id)

    issued: Issued = run_step(here.house, asking, issue)
    said = Said(language or issued.facts["language"], issued.facts["zone"])
    url = f"{here.settings.public_url}/check/{issued.certificate_id}?h={issued.content_hash.hex()[:PRINTED]}"
    texts, pictures = _composed(here, asking.tenant_id, ticket_id, issued, said, url)
    paper = here.press.press("certificate", texts, pictures)
    name = f"certificate-{issued.facts['ticket_no']}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(paper, media_type="application/pdf", headers=headers)


def _composed(
    here: Rooms, tenant_id: UUID, ticket_id: UUID, issued: Issued, said: Said, url: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the layout is fed with: plain texts, and the pictures by file name."""
    facts = issued.facts
    pictures = {"qr.svg": _qr(url)}
    photos: list[dict[str, str]] = []
    signature = None
    for photo in facts["photos"]:
        content = _picture(here, tenant_id, ticket_id, photo["sha256"])
        if content is None:
            continue
        name = f"{photo['photo_id']}.jpg"
        if photo["kind"] == "signature":
            signature, pictures[name] = name, content
        elif len(photos) < MOST_PHOTOS:
            pictures[name] = content
            caption = f"{said.say('photo_' + photo['kind'])} · {said.at(photo['taken_at'])} · {photo['sha256'][:12]}"
            photos.append({"file": name, "caption": caption})
    tenant, number = said.own(facts["tenant_name"]), facts["ticket_no"]
    texts = {
        "lang": said.language,
        "tenant": tenant,
        "title": said.say("title"),
        "number": said.say("number", no=number),
        "scan": said.say("scan"),
        "facts": _facts(facts, said),
        "sections": [
            s for s in (_machines(facts, said), _checklist(facts, said), _parts(facts, said)) if s["rows"]
        ],
        "photos": photos,
        "photos_title": said.say("photos"),
        "signature": signature,
        "signature_title": said.say("signature"),
        "signed": said.at(facts["accepted_at"]),
        "seal_title": said.say("seal"),
        "seal": [
            [said.say("content"), issued.content_hash.hex()],
            [said.say("chain"), f"{issued.chain_hash.hex()} · {issued.seq}"],
        ],
        "footer": said.say("footer", tenant=tenant, no=number, at=said.at(here.house.now())),
    }
    return texts, pictures


def _qr(url: str) -> bytes:
    kept = io.BytesIO()
    segno.make(url, error="m").save(kept, kind="svg", scale=4, border=1)
    return kept.getvalue()


def _picture(here: Rooms, tenant_id: UUID, ticket_id: UUID, sha256: str) -> bytes | None:
    """The stamped picture; None where its bytes are gone: the paper is made without it."""
    try:
        return large_picture(here.blobs, tenant_id, sha256, ticket_id)
    except NotFound:
        return None


def _facts(facts: Mapping[str, Any], said: Said) -> list[list[str]]:
    accepted = (
        f"{said.at(facts['accepted_at'])} · {said.known('by_' + facts['accepted_by'], facts['accepted_by'])}"
    )
    rows = [
        [said.say("work"), said.own(facts["work_type"])],
        [said.say("address"), facts["address"]],
        [said.say("engineer"), facts["engineer_name"] or "–"],
        [said.say("arrived"), said.at(facts["checked_in_at"])],
        [said.say("completed"), said.at(facts["completed_at"])],
        [said.say("accepted"), accepted],
        [said.say("outcome"), said.known(f"outcome_{facts['outcome']}", facts["outcome"] or "–")],
    ]
    if facts["what_was_done"]:
        rows.append([said.say("done"), facts["what_was_done"]])
    if facts["rating"]:
        rows.append([said.say("rating"), "★" * facts["rating"]])
    if facts["quote"]:
        total = money_text(facts["quote"]["total_minor"], facts["quote"]["currency"])
        rows.append([said.say("total"), total])
    return rows


def _machines(facts: Mapping[str, Any], said: Said) -> dict[str, Any]:
    rows = [
        [f"{said.own(m['name'])} {m['serial'] or ''}".strip(), said.known(f"outcome_{m['outcome']}", "–")]
        for m in facts["machines"]
    ]
    return {"title": said.say("machines"), "rows": rows}


def _checklist(facts: Mapping[str, Any], said: Said) -> dict[str, Any]:
    items = {item["item"]: item for item in facts["items"]}
    rows = []
    for answer in facts["checklist"]:
        item = items.get(answer["item"], {})
        if item.get("kind") not in ("photo", "signature"):
            label = said.own(item.get("label")) or answer["item"]
            rows.append([label, _answer(item, answer["value"], said)])
    return {"title": said.say("checklist"), "rows": rows}


def _answer(item: Mapping[str, Any], value: Any, said: Said) -> str:
    if isinstance(value, bool):
        return said.say("yes" if value else "no")
    for choice in item.get("choices") or ():
        if choice["code"] == value:
            return said.own(choice["label"])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value} {item.get('unit') or ''}".strip()


def _parts(facts: Mapping[str, Any], said: Said) -> dict[str, Any]:
    rows = []
    for part in facts["parts"]:
        quantity = part["quantity"].rstrip("0").rstrip(".") if "." in part["quantity"] else part["quantity"]
        serial = f" · {part['serial']}" if part["serial"] else ""
        rows.append([said.own(part["name"]), f"{quantity} {part['unit']}{serial}"])
    return {"title": said.say("parts"), "rows": rows}
