"""Which channels there are: those of the installation, and those a tenant has keys for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dispatch.actions.step import Step
from dispatch.adapters import group_bots, wecom
from dispatch.adapters.channel import Channel, Clock
from dispatch.domain.errors import NotReady
from dispatch.store.personal import PersonalData
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.telling import ChannelSetting, TellRules

#: What a tenant enters for each channel of its own; every field is needed.
TENANT_CHANNELS: dict[str, tuple[str, ...]] = {
    "wecom": ("corp_id", "agent_id", "secret", "callback_token", "callback_key"),
    "dingtalk": ("access_token", "secret"),
    "feishu": ("hook", "secret"),
}
#: Group bots tell the dispatchers together; the others tell one person.
GROUP_CHANNELS = ("dingtalk", "feishu")
PERSON_CHANNELS = ("fcm", "webpush", "wecom", "sms", "voice", "mail")
VALUE_LENGTH_MAX = 500
_ACTIVE = "select channel, body_enc from channel_settings where tenant_id = %(tenant)s and active"


@dataclass
class ChannelBook:
    """`fixed` are the installation's; `urls` replace providers' addresses in tests and the demo."""

    clock: Clock
    fixed: Mapping[str, Channel] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    _made: dict[tuple[UUID, str, bytes], Channel] = field(default_factory=dict)

    def of(self, step: Step) -> dict[str, Channel]:
        """The channels this tenant can use now."""
        found = dict(self.fixed)
        for name, sealed in active_settings(step):
            key = (step.tenant_id, name, sealed)
            if key not in self._made:
                self._made = {k: v for k, v in self._made.items() if k[:2] != key[:2]}
                self._made[key] = self._make(name, opened(step.personal, step.tenant_id, name, sealed))
            found[name] = self._made[key]
        return found

    def _make(self, name: str, values: Mapping[str, str]) -> Channel:
        if name == "wecom":
            account = wecom_account(values)
            return wecom.WeComChannel(account, self.clock, self.urls.get(name, wecom.BASE_URL))
        if name == "dingtalk":
            return group_bots.DingTalkChannel(self.clock, self.urls.get(name, group_bots.DINGTALK_URL))
        return group_bots.FeishuChannel(self.clock, self.urls.get(name, group_bots.FEISHU_URL))


def active_settings(step: Step) -> list[tuple[str, bytes]]:
    """(channel, encrypted settings) of the tenant's active channels."""
    rows = fetch(step.db, _ACTIVE, {"tenant": step.tenant_id})
    return [(row["channel"], bytes(row["body_enc"])) for row in rows]


def opened(personal: PersonalData, tenant_id: UUID, channel: str, sealed: bytes) -> dict[str, str]:
    """What the tenant entered for a channel."""
    text = personal.decrypt(sealed, tenant_id, tenant_id, f"channel/{channel}")
    found: dict[str, str] = json.loads(text or "{}")
    return found


def group_target(step: Step, channel: str) -> str | None:
    """The target of a group bot: its token, a line break, its secret."""
    for name, sealed in active_settings(step):
        if name == channel:
            values = opened(step.personal, step.tenant_id, name, sealed)
            return f"{values[TENANT_CHANNELS[name][0]]}\n{values['secret']}"
    return None


def wecom_account(values: Mapping[str, str]) -> wecom.WeComAccount:
    return wecom.WeComAccount(
        values["corp_id"],
        int(values["agent_id"]),
        values["secret"],
        values["callback_token"],
        values["callback_key"],
    )


def put_rules(step: Step, quiet: tuple[int, int] | None, debounce_s: int, ladder_backup: bool) -> None:
    """Quiet hours (minutes of the local day), seconds a burst is gathered, and the ladder's backup."""
    row = step.db.get(TellRules, {"tenant_id": step.tenant_id}) or TellRules(tenant_id=step.tenant_id)
    row.quiet_from_min, row.quiet_to_min = quiet or (None, None)
    row.debounce_s, row.ladder_backup, row.updated_at = debounce_s, ladder_backup, step.now
    step.db.add(row)
    step.db.flush()


def put_channel(step: Step, channel: str, active: bool, values: Mapping[str, str]) -> None:
    """Keep a tenant's keys for a channel; without `values` those kept before. Raises NotReady
    `channel_unknown`, `channel_incomplete` with what is missing."""
    wanted = TENANT_CHANNELS.get(channel)
    if wanted is None:
        raise NotReady("channel_unknown", channel=channel, allowed=sorted(TENANT_CHANNELS))
    row = step.db.get(ChannelSetting, {"tenant_id": step.tenant_id, "channel": channel})
    if values or row is None:
        missing = [name for name in wanted if not values.get(name)]
        unknown = sorted(set(values) - set(wanted))
        long = [name for name, value in values.items() if len(value) > VALUE_LENGTH_MAX or "\n" in value]
        numeric = channel != "wecom" or values.get("agent_id", "").isdecimal()
        if missing or unknown or long or not numeric:
            facts: dict[str, Any] = {"missing": missing, "unknown": unknown + long}
            raise NotReady("channel_incomplete", channel=channel, **facts)
        sealed = step.personal.encrypt(
            json.dumps(dict(values)), step.tenant_id, step.tenant_id, f"channel/{channel}"
        )
        assert sealed is not None
        if row is None:
            row = ChannelSetting(tenant_id=step.tenant_id, channel=channel, body_enc=sealed)
            step.db.add(row)
        row.body_enc = sealed
    row.active, row.updated_at = active, step.now
    step.db.flush()
