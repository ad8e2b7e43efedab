"""What happens to a simulated ticket besides the ordinary: one story each, and the words people use."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

OFFERED = ("ac_repair", "leak", "power_fault")
DIRECT = ("lift_stopped", "network_down")
GRABBED = ("appliance_check",)
COLLECTED = ("drain_cleaning",)
POOL = GRABBED + COLLECTED
MANUAL = ("survey",)
LENT = ("charger_fault",)
ANY_ENGINEER = OFFERED + DIRECT + POOL


@dataclass(frozen=True, slots=True)
class Plot:
    """A turn a ticket may take: for which kinds of work, and how often among a day's tickets."""

    name: str
    work_types: tuple[str, ...]
    weight: float


#: The opening tells each of these once, in this order: long ones first.
PLOTS = (
    Plot("lent", LENT, 5),
    Plot("unnamed", LENT, 1),
    Plot("reopened", DIRECT, 2),
    Plot("rejected", DIRECT, 4),
    Plot("parts", OFFERED, 5),
    Plot("ran_out", OFFERED, 2),
    Plot("held", OFFERED, 3),
    Plot("unseen", DIRECT, 2),
    Plot("crew", MANUAL, 3),
    Plot("quote_yes", OFFERED, 5),
    Plot("quote_no", DIRECT, 2),
    Plot("handed_over", DIRECT, 3),
    Plot("handed_back", DIRECT, 3),
    Plot("not_fixed", DIRECT, 2),
    Plot("doubtful", DIRECT, 2),
    Plot("called_back", DIRECT, 2),
    Plot("declined", OFFERED, 4),
    Plot("ignored", OFFERED, 3),
    Plot("raced", GRABBED, 6),
    Plot("named", COLLECTED, 2),
    Plot("preempt", MANUAL, 2),
    Plot("contractor", MANUAL, 3),
    Plot("no_place", OFFERED, 4),
    Plot("turned_back", OFFERED, 2),
    Plot("off_site", OFFERED, 3),
    Plot("late_photo", OFFERED, 3),
    Plot("amended", OFFERED, 3),
    Plot("rebooked", OFFERED, 4),
    Plot("urged", ANY_ENGINEER, 4),
    Plot("witnessed", OFFERED, 8),
    Plot("offline", OFFERED, 3),
    Plot("remote", MANUAL, 3),
    Plot("by_phone", OFFERED, 2),
    Plot("twin", OFFERED, 2),
    Plot("customer_cancels", OFFERED, 3),
    Plot("dispatcher_cancels", OFFERED, 2),
    Plot("proof", OFFERED, 2),
    Plot("silent", OFFERED, 6),
    Plot("unclaimed", POOL, 2),
    Plot("plain", ANY_ENGINEER, 60),
)


@dataclass(slots=True)
class Story:
    """One simulated ticket as its teller knows it. `done` are the turns it has taken already."""

    plot: str
    work_type: str
    place: dict[str, Any]
    language: str
    channel: str
    ticket_no: str = ""
    ticket_id: str | None = None
    link: str | None = None
    twin_of: str | None = None
    done: set[str] = field(default_factory=set)

    def once(self, turn: str) -> bool:
        """True the first time a turn is asked for."""
        first = turn not in self.done
        self.done.add(turn)
        return first

    def turns(self, turn: str) -> bool:
        """Whether this story takes the turn of its plot's name, now for the first time."""
        return self.plot == turn and self.once(turn)


def tell(rnd: random.Random, places: list[dict[str, Any]]) -> Iterator[Story]:
    """Stories without end: every plot once, then by weight."""
    opening = iter(PLOTS)
    weights = [plot.weight for plot in PLOTS]
    while True:
        plot = next(opening, None) or rnd.choices(PLOTS, weights)[0]
        channel = rnd.choices(("api", "form", "dispatcher"), (60, 20, 20))[0]
        if plot.name in ("no_place", "twin", "preempt"):
            channel = "api"
        yield Story(
            plot=plot.name,
            work_type=rnd.choice(plot.work_types),
            place=rnd.choice(places),
            language="zh" if rnd.random() < 0.7 else "en",
            channel=channel,
        )


# fmt: off
FAULTS: dict[str, dict[str, tuple[str, ...]]] = {
    "ac_repair": {
        "zh": ("客厅空调不制冷，外机不转", "空调漏水，滴到木地板了", "柜机噪音很大", "会议室空调不出风"),
        "en": ("Living-room AC blows warm air", "AC drips on the wooden floor", "AC does not start"),
    },
    "leak": {
        "zh": ("厨房水槽下面漏水", "卫生间角阀滴水，关不紧", "楼上渗水到天花板", "热水器接口漏水"),
        "en": ("Water under the kitchen sink", "Ceiling is wet, leak from upstairs", "Boiler joint leaks"),
    },
    "power_fault": {
        "zh": ("跳闸后合不上", "插座冒火花", "整层照明不亮", "配电箱有焦味"),
        "en": ("Breaker trips again and again", "Socket gives sparks", "No light on the whole floor"),
    },
    "lift_stopped": {
        "zh": ("2号电梯停在5楼，门打不开", "电梯门反复开关", "货梯不平层"),
        "en": ("Lift 2 stands at floor 5, doors shut", "Lift doors keep opening"),
    },
    "network_down": {
        "zh": ("光猫亮红灯，上不了网", "办公室网络时断时续", "前台电话和网络都不通"),
        "en": ("Modem shows a red light", "Office network comes and goes"),
    },
    "appliance_check": {
        "zh": ("洗衣机不脱水", "冰箱不制冷", "抽油烟机异响"),
        "en": ("Washing machine does not spin", "Fridge is warm", "Cooker hood rattles"),
    },
    "drain_cleaning": {
        "zh": ("卫生间地漏堵了", "厨房下水很慢", "马桶堵塞"),
        "en": ("Bathroom drain is blocked", "Kitchen sink drains slowly"),
    },
    "charger_fault": {
        "zh": ("充电桩不充电，指示灯红色", "充电枪拔不出来"),
        "en": ("EV charger does not charge, red light", "Charging plug is stuck"),
    },
    "survey": {
        "zh": ("新装三台空调，请上门勘察", "设备间改造，需要现场看一下", "加装充电桩，先评估线路"),
        "en": ("Three new AC units: please survey", "Charger wanted: check the wiring first"),
    },
}
# fmt: on

DONE = {
    "zh": ("已更换老化部件，试运行二十分钟正常", "已清理并紧固接口，试用正常", "参数已调整，客户现场确认"),
    "en": ("Worn part replaced, ran 20 minutes without fault", "Cleaned and tightened, tested with customer"),
}
CALLED = {
    "zh": ("已联系客户，约定上门时间", "电话沟通，客户在家"),
    "en": ("Called the customer, time agreed", "Customer is at home, on my way soon"),
}
PRAISE = {
    "zh": ("师傅很准时，修得好", "服务态度好，谢谢", "速度快"),
    "en": ("On time and friendly", "Works again, thank you"),
}
COMPLAINT = {"zh": "还是老样子，没有修好", "en": "Still the same fault, not fixed"}
UNFINDABLE = {"zh": "老地方，门口有棵大榕树", "en": "The usual place, next to the big tree"}


def fault(rnd: random.Random, story: Story) -> str:
    """How the customer describes it."""
    return rnd.choice(FAULTS[story.work_type][story.language])
