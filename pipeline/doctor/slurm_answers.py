"""What SLURM's commands print, as data; nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

NODES_FORMAT = "%N|%R|%T|%G|%c|%m"
"""Of `sinfo --Node`, which `nodes` reads."""
ASSOCIATIONS_FORMAT = "account,partition,qos"
"""Of `sacctmgr show assoc`, which `associations` reads."""

_UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600}
_SERVING = frozenset(
    {"idle", "mixed", "allocated", "completing", "planned", "reserved", "powered_down"}
)


@dataclass(frozen=True)
class Partition:
    """A partition as `scontrol show partition` tells it."""

    name: str
    state: str
    """UP, or what keeps jobs from starting: DOWN, DRAIN, INACTIVE."""
    default: bool
    longest: str
    """MaxTime as SLURM writes it."""
    accounts: frozenset[str] | None
    """Lower case; None is all."""
    denied: frozenset[str] = frozenset()

    def takes(self, account: str) -> bool:
        """Whether jobs of `account` may run in it."""
        name = account.lower()
        return name not in self.denied and (self.accounts is None or name in self.accounts)


@dataclass(frozen=True)
class Node:
    """A node in one of its partitions."""

    name: str
    partition: str
    state: str
    """As sinfo says it, with the sign that may follow: idle, down*, mixed-."""
    gres: str
    cpus: int
    memory_mb: int

    @property
    def serves(self) -> bool:
        """Whether jobs can run there now or when others have ended; `*` does not respond."""
        return "*" not in self.state and self.state.rstrip("~#%$@^+-!") in _SERVING


@dataclass(frozen=True)
class Association:
    """One line of what a user may submit with."""

    account: str
    partition: str
    """Empty is every partition."""
    qos: tuple[str, ...]


def configuration(text: str) -> dict[str, str]:
    """Keys and values of `scontrol show config`; of a key that is there twice the first."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip():
            found.setdefault(key.strip(), value.strip())
    return found


def seconds(text: str) -> int | None:
    """A time as the configuration writes it (`300 sec`); None where it is none."""
    found = re.match(r"(\d+)\s*([a-zA-Z]*)", text.strip())
    if not found:
        return None
    unit = found[2].lower()
    factor = _UNITS.get(unit, _UNITS.get(unit.removesuffix("s")))
    return None if factor is None else int(found[1]) * factor


def partitions(text: str) -> dict[str, Partition]:
    """The partitions in the output of `scontrol show partition`, on one line each or on many."""
    found = {}
    for block in re.split(r"(?m)^(?=PartitionName=)", text):
        members = dict(re.findall(r"(\w+)=(\S*)", block))
        if "PartitionName" not in members:
            continue
        found[members["PartitionName"]] = Partition(
            name=members["PartitionName"],
            state=members.get("State", "UNKNOWN"),
            default=members.get("Default") == "YES",
            longest=members.get("MaxTime", "UNLIMITED"),
            accounts=_names(members.get("AllowAccounts", "ALL")),
            denied=_names(members.get("DenyAccounts", "")) or frozenset(),
        )
    return found


def nodes(text: str) -> list[Node]:
    """The nodes in the output of sinfo in NODES_FORMAT."""
    lines = [line.strip().split("|") for line in text.splitlines() if line.count("|") == 5]
    return [
        Node(name, partition, state.lower(), gres, _number(cpus), _number(memory))
        for name, partition, state, gres, cpus, memory in lines
    ]


def associations(text: str) -> list[Association]:
    """The lines of `sacctmgr --parsable2 show assoc` in ASSOCIATIONS_FORMAT."""
    lines = [line.strip().split("|") for line in text.splitlines() if line.count("|") == 2]
    return [
        Association(account, partition, tuple(q for q in qos.split(",") if q))
        for account, partition, qos in lines
    ]


def resources(gres: str) -> dict[str, int]:
    """How many of each generic resource: `gpu:a100:4(S:0-1)` is {"gpu": 4, "gpu:a100": 4}."""
    found: dict[str, int] = {}
    for item in re.sub(r"\([^)]*\)", "", gres).split(","):
        words = [word for word in item.strip().split(":") if word]
        if not words or words[0] == "N/A":
            continue
        count = _number(words.pop()) if words[-1][0].isdigit() and len(words) > 1 else 1
        for name in dict.fromkeys((words[0], ":".join(words))):
            found[name] = found.get(name, 0) + count
    return found


def most_of(resource: str, among: Iterable[Node]) -> int:
    """The most of a generic resource (`gpu`, `gpu:a100`) that one of these nodes has."""
    return max((resources(node.gres).get(resource, 0) for node in among), default=0)


def _names(text: str) -> frozenset[str] | None:
    if text == "ALL":
        return None
    return frozenset(name.lower() for name in text.split(",") if name and name != "(null)")


def _number(text: str) -> int:
    """The number that `text` begins with: sinfo writes `6000+` where nodes differ."""
    found = re.match(r"\d+", text.strip())
    return int(found[0]) if found else 0
