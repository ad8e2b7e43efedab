"""CPU milliseconds of groups of processes, from /proc."""

import os
from pathlib import Path

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


class Cpu:
    """User and system time of the api processes and of PostgreSQL with all its children."""

    def __init__(self, apis: list[int], postmaster: int) -> None:
        self.apis, self.postmaster = apis, postmaster

    def read(self) -> dict[str, float]:
        """{"api": ms, "postgres": ms} since the processes began; children that ended count with their parent."""
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split()
        return {
            "api": sum(spent_ms(pid) for pid in self.apis),
            "postgres": spent_ms(self.postmaster, ended=True) + sum(spent_ms(int(pid)) for pid in children),
        }


def of_processes(pids: dict[str, int], postmaster: int) -> dict[str, float]:
    """CPU milliseconds so far of each named process with its children that ended, and of PostgreSQL."""
    return {name: spent_ms(pid, ended=True) for name, pid in pids.items()} | {
        "postgres": Cpu([], postmaster).read()["postgres"]
    }


def spent_ms(pid: int, ended: bool = False) -> float:
    """User and system milliseconds of a process so far, 0 of one that is gone; `ended` adds its ended children's."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) * TICK_MS
