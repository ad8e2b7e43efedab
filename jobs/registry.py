"""Names of jobs and what runs for each; the modules register themselves on import."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from dispatch.actions.step import House, Step, run_step
from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.push import PushSender
from dispatch.domain.commands import system
from dispatch.store.transactions import Result


@dataclass(frozen=True, slots=True)
class Wired:
    """The worker's parts: the house, who sends pushes (nobody where none is configured), the other channels
    (None: nobody is told by them), the address that links begin with, and who asks strangers' addresses."""

    house: House
    push: PushSender | None
    book: ChannelBook | None = None
    public_url: str = "http://127.0.0.1:8080"
    outside: OutsideClient = field(default_factory=OutsideClient)


@dataclass(frozen=True, slots=True)
class About:
    """What a job is about: the event's tenant, subject and ticket, and how deep the chain is."""

    tenant_id: UUID
    subject_id: UUID
    ticket_id: UUID
    seq: int
    depth: int


Job = Callable[[Wired, About], None]
JOBS: dict[str, Job] = {}


def job(work: Job) -> Job:
    """Register a function under its own name."""
    JOBS[work.__name__] = work
    return work


def in_step(wired: Wired, about: About, work: Callable[[Step], Result]) -> Result:
    """`work` by the system in one transaction; its events are one deeper in the chain of reactions."""
    return run_step(wired.house, system(about.tenant_id), work, about.depth + 1)
