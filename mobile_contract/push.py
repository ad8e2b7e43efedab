"""What a push carries to the phone: a hint to pull, never the truth and never anything personal."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

PUSH_BYTES_MAX = 4096

PushType = Literal["offer", "offer_withdrawn", "assigned", "ticket_changed", "request_answered"]


class PushPayload(BaseModel):
    """The data of one push. On the wire every value is a string: see `to_data`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Literal["1"] = "1"
    type: PushType
    offer_id: UUID | None = Field(default=None, description="The offer; for offer and offer_withdrawn.")
    ticket_id: UUID | None = Field(
        default=None, description="Absent only where a request is about no ticket."
    )
    request_id: UUID | None = Field(default=None, description="The request; for request_answered.")
    seq: int = Field(ge=0, description="The event behind the push: pull at least up to here.")
    exp: AwareDatetime = Field(description="Worthless from then on; on the wire Unix time in seconds.")

    @model_validator(mode="after")
    def _offer_named(self) -> "PushPayload":
        if self.type.startswith("offer") != (self.offer_id is not None):
            raise ValueError("offer_id belongs to the types offer and offer_withdrawn, and only to them")
        if (self.type == "request_answered") != (self.request_id is not None):
            raise ValueError("request_id belongs to the type request_answered, and only to it")
        if self.ticket_id is None and self.request_id is None:
            raise ValueError("ticket_id is missing")
        return self

    def to_data(self) -> dict[str, str]:
        """The strings that are sent, far below the 4,096 bytes allowed; absent fields are left out."""
        data = {
            "v": self.v,
            "type": self.type,
            "seq": str(self.seq),
            "exp": str(int(self.exp.timestamp())),
        }
        ids = {"ticket_id": self.ticket_id, "offer_id": self.offer_id, "request_id": self.request_id}
        return data | {name: str(one) for name, one in ids.items() if one is not None}

    @classmethod
    def from_data(cls, data: dict[str, str]) -> "PushPayload":
        """The payload a phone received. Raises pydantic.ValidationError for anything else."""
        fields: dict[str, object] = dict(data)
        if data.get("exp", "").isdecimal():
            fields["exp"] = datetime.fromtimestamp(int(data["exp"]), tz=UTC)
        return cls.model_validate(fields)
