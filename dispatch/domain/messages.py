"""What people are told: one catalogue in two languages, quiet hours, and how bursts become one message.

Texts carry a ticket's number and its kind of work, instants and codes; names, phones and addresses never.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from string import Formatter
from zoneinfo import ZoneInfo

LANGUAGES = ("zh", "en")
DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class Template:
    """(title, text) in each language. `urgent` ignores quiet hours; `gathers`: a newer one replaces one that
    still waits. `lasts` is how long it is worth sending."""

    zh: tuple[str, str]
    en: tuple[str, str]
    urgent: bool = False
    gathers: bool = False
    lasts: timedelta = timedelta(hours=12)
    button: tuple[str, str] | None = None


TEMPLATES: dict[str, Template] = {
    # to customers
    "received": Template(
        ("已受理", "工单 {ticket_no}（{work_type}）已受理。"),
        ("Received", "Ticket {ticket_no} ({work_type}) has been received."),
    ),
    "assigned": Template(
        ("已派单", "工单 {ticket_no} 已安排工程师。"),
        ("Engineer assigned", "An engineer has been assigned to ticket {ticket_no}."),
        gathers=True,
    ),
    "en_route": Template(
        ("工程师已出发", "工单 {ticket_no} 的工程师正在前往。"),
        ("On the way", "The engineer for ticket {ticket_no} is on the way."),
        urgent=True,
        lasts=timedelta(hours=2),
    ),
    "arrived": Template(
        ("工程师已到达", "工单 {ticket_no} 的工程师已到达。"),
        ("Arrived", "The engineer for ticket {ticket_no} has arrived."),
        urgent=True,
        lasts=timedelta(hours=1),
    ),
    "delayed": Template(
        ("时间有变", "工单 {ticket_no} 的上门时间有变，请查看详情。"),
        ("Change of plan", "The visit for ticket {ticket_no} has changed. Please see the details."),
        gathers=True,
    ),
    "quote": Template(
        ("待确认报价", "工单 {ticket_no} 有新的报价，请确认。"),
        ("Quote to approve", "Ticket {ticket_no} has a quote waiting for your approval."),
        urgent=True,
    ),
    "acceptance": Template(
        ("请验收", "工单 {ticket_no} 已完工，请验收。"),
        ("Please accept the work", "The work on ticket {ticket_no} is done. Please accept it."),
        lasts=timedelta(days=2),
    ),
    "closed": Template(("已完结", "工单 {ticket_no} 已完结。"), ("Closed", "Ticket {ticket_no} is closed.")),
    "window_reminder": Template(
        ("上门提醒", "工单 {ticket_no} 预约于 {at} 上门。"),
        ("Appointment reminder", "The visit for ticket {ticket_no} is booked for {at}."),
        lasts=timedelta(hours=6),
    ),
    "rate_us": Template(
        ("请评价", "工单 {ticket_no} 服务得怎么样？请评价。"),
        ("How did we do?", "How was the service on ticket {ticket_no}? Please rate it."),
        lasts=timedelta(days=3),
    ),
    "closing_soon": Template(
        ("即将自动关闭", "工单 {ticket_no} 等待您的答复，将于 {at} 自动关闭。"),
        ("Closing soon", "Ticket {ticket_no} waits for your answer and closes on {at}."),
        lasts=timedelta(days=2),
    ),
    # to engineers
    "offer": Template(
        ("新派单", "{work_type}，工单 {ticket_no}，请于 {at} 前答复。"),
        ("New offer", "{work_type}, ticket {ticket_no}. Please answer before {at}."),
        urgent=True,
        lasts=timedelta(minutes=30),
        button=("接单", "Accept"),
    ),
    "visit_reminder": Template(
        ("出发提醒", "工单 {ticket_no} 预约于 {at} 上门。"),
        ("Visit ahead", "The visit for ticket {ticket_no} is booked for {at}."),
        urgent=True,
        lasts=timedelta(hours=6),
    ),
    "urged": Template(
        ("客户催单", "工单 {ticket_no} 的客户催单了。"),
        ("Customer is chasing", "The customer of ticket {ticket_no} is asking for it."),
        gathers=True,
        lasts=timedelta(hours=4),
    ),
    "visit_assigned": Template(
        ("新工单", "工单 {ticket_no}（{work_type}）已派给您。"),
        ("New ticket", "Ticket {ticket_no} ({work_type}) has been assigned to you."),
        urgent=True,
        lasts=timedelta(hours=4),
    ),
    "visit_changed": Template(
        ("工单有更新", "工单 {ticket_no} 有更新，请查看。"),
        ("Ticket changed", "Ticket {ticket_no} has changed. Please have a look."),
        gathers=True,
        lasts=timedelta(hours=4),
    ),
    "request_answered": Template(
        ("申请已答复", "您的{request}申请{answer}。"),
        ("Request answered", "Your request ({request}) was {answer}."),
        lasts=timedelta(days=2),
    ),
    # to dispatchers and duty managers
    "promise_at_risk": Template(
        ("时限预警", "工单 {ticket_no} 的{kind}时限已用 {pct}%。"),
        ("Promise at risk", "Ticket {ticket_no}: {pct}% of the time for {kind} has run."),
        gathers=True,
    ),
    "promise_broken": Template(
        ("时限超期", "工单 {ticket_no} 的{kind}时限已超期（{pct}%）。"),
        ("Promise broken", "Ticket {ticket_no}: the time for {kind} is over ({pct}%)."),
        urgent=True,
    ),
    "offer_unseen": Template(
        ("派单无人响应", "工单 {ticket_no} 的派单未被看到，请处理。"),
        ("Nobody has seen an offer", "The offer of ticket {ticket_no} has not been seen. Please look."),
        urgent=True,
    ),
    "unhappy": Template(
        ("差评回访", "工单 {ticket_no} 评价 {rating} 星，请回访。"),
        ("Unhappy customer", "Ticket {ticket_no} was rated {rating}. Please call back."),
        lasts=timedelta(days=2),
    ),
    "not_fixed": Template(
        ("未修复跟进", "工单 {ticket_no} 未修复，已建跟进工单。"),
        ("Not fixed", "Ticket {ticket_no} was not fixed; a follow-up has been made."),
    ),
}

KINDS = {
    "zh": {"response": "响应", "arrival": "到达", "resolution": "解决"},
    "en": {"response": "response", "arrival": "arrival", "resolution": "resolution"},
}
#: What engineers ask for, and what becomes of it.
REQUESTS = {
    "zh": {
        "overtime": "加班",
        "leave": "请假",
        "discount": "优惠",
        "part": "配件",
        "approved": "已批准",
        "refused": "未获批准",
    },
    "en": {
        "overtime": "overtime",
        "leave": "leave",
        "discount": "discount",
        "part": "part",
        "approved": "approved",
        "refused": "refused",
    },
}


def placeholders(text: str) -> set[str]:
    """The names a text asks for."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def render(name: str, language: str, facts: dict[str, object], zone: str) -> tuple[str, str]:
    """(title, text) in the language; instants in the zone's local time, kinds in words.

    Raises KeyError for a template or placeholder that is not there.
    """
    template = TEMPLATES[name]
    title, text = template.zh if language == "zh" else template.en
    words = {key: _word(key, value, language, zone) for key, value in facts.items()}
    return title.format(**words), text.format(**words)


def _word(key: str, value: object, language: str, zone: str) -> str:
    if key == "kind":
        return KINDS["zh" if language == "zh" else "en"].get(str(value), str(value))
    if key in ("request", "answer"):
        return REQUESTS["zh" if language == "zh" else "en"].get(str(value), str(value))
    if key == "at":
        at = datetime.fromisoformat(str(value)).astimezone(ZoneInfo(zone))
        return f"{at.month}月{at.day}日 {at:%H:%M}" if language == "zh" else f"{at:%d %b %H:%M}"
    if isinstance(value, dict):
        return str(value.get(language) or value.get("en") or "")
    return str(value)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the local day between which nobody is disturbed; over midnight where `from_min` is later."""

    from_min: int
    to_min: int

    def ends_after(self, now: datetime, zone: str) -> datetime | None:
        """The end of the quiet stretch that `now` lies in, None where it lies in none."""
        local = now.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        if self.from_min <= self.to_min:
            inside, days = self.from_min <= minute < self.to_min, 0
        else:
            inside, days = minute >= self.from_min or minute < self.to_min, int(minute >= self.from_min)
        if not inside:
            return None
        midnight = datetime.combine(local.date() + timedelta(days=days), time(), ZoneInfo(zone))
        end = midnight.replace(hour=self.to_min // 60 % 24, minute=self.to_min % 60)
        return max(end.astimezone(UTC), now)


def not_before(
    template: Template, now: datetime, quiet: Quiet | None, zone: str, on_call: bool, debounce_s: int
) -> datetime:
    """When a message may go: after the burst, and after quiet hours unless urgent or the person is on call."""
    at = now + timedelta(seconds=debounce_s if template.gathers else 0)
    if quiet is None or template.urgent or on_call:
        return at
    return quiet.ends_after(at, zone) or at
