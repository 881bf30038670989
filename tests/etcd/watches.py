"""Random watches, and what each of two stores has told them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from revwatch import Event

from .histories import KEYS

# Chosen ids are far from those that a stream chooses by counting.
WATCH_IDS = [-7, -2, 500, 501]
RANGE_ENDS = [b"", b"", b"\0", b"b", b"c", b"c0", b"\xff\xff", b"a"]


@dataclass(frozen=True)
class Watch:
    """What a watcher asks for, as etcd says it."""

    key: bytes
    range_end: bytes
    start_revision: int
    watch_id: int
    prev_kv: bool
    no_put: bool
    no_delete: bool


@dataclass
class Told:
    """What one store has told one watcher."""

    events: list[Event] = field(default_factory=list)
    ended: bool = False
    compact_revision: int = 0


@dataclass
class Watcher:
    """One watcher of both stores."""

    watch: Watch
    # The compact revision when it was created.
    compacted_at: int
    ours: Told = field(default_factory=Told)
    theirs: Told = field(default_factory=Told)


def some_watch(random: Random, revision: int, compact_revision: int) -> Watch:
    """A watch from before, in or after what there is; now and then one that is refused. Never from
    a negative revision: newer etcds and revwatch refuse that, this etcd does not."""
    draw = random.random()
    if draw < 0.35:
        start_revision = 0
    elif draw < 0.65:
        start_revision = random.randint(max(compact_revision, 1), revision)
    elif draw < 0.75:
        start_revision = max(compact_revision, 1)
    elif draw < 0.85:
        start_revision = random.randint(1, max(compact_revision, 1))
    else:
        start_revision = revision + random.randint(1, 8)
    return Watch(
        key=b"" if random.random() < 0.05 else random.choice(KEYS),
        range_end=random.choice(RANGE_ENDS),
        start_revision=start_revision,
        watch_id=random.choice(WATCH_IDS) if random.random() < 0.25 else 0,
        prev_kv=random.random() < 0.4,
        no_put=random.random() < 0.15,
        no_delete=random.random() < 0.15,
    )
