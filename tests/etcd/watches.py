"""Random watches, and what each of two stores has told them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from revwatch import Event, WatchStream
from revwatch.types import WatchResponse

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
    progress_notify: bool = False
    fragment: bool = False


@dataclass
class Told:
    """What one store has told one watcher."""

    events: list[Event] = field(default_factory=list)
    ended: bool = False
    compact_revision: int = 0
    # Everything up to here was told, as it was said.
    progress: int = 0
    # Whether the rest of the last response is to come, and how often it was.
    in_fragments: bool = False
    fragments: int = 0

    def take(self, response: WatchResponse, *, may_divide: bool) -> None:
        """Whole revisions at a time unless they may be divided, in order, nothing that progress has
        covered, nothing after the last word."""
        assert not self.ended, response
        if response.progress:
            assert response.revision >= self.progress, response
            self.progress = response.revision
            return
        assert may_divide or not response.fragment, response
        revisions = [event.kv.mod_revision for event in response.events]
        assert revisions == sorted(revisions), response
        if revisions:
            before = self.events[-1].kv.mod_revision if self.events else 0
            assert before < revisions[0] or (self.in_fragments and before == revisions[0]), response
            assert self.progress < revisions[0], response
            self.in_fragments = response.fragment
            self.fragments += response.fragment
        self.events += response.events
        self.ended = response.canceled
        self.compact_revision = response.compact_revision


@dataclass
class Watcher:
    """One watcher of both stores."""

    watch: Watch
    # The compact revision when it was created.
    compacted_at: int
    ours: Told = field(default_factory=Told)
    theirs: Told = field(default_factory=Told)


def responses(stream: WatchStream) -> Iterator[WatchResponse]:
    """All that a stream of ours has to say. One poll reads so much history at most: who finds
    nothing in it is to come back at once."""
    while (response := stream.poll()) is not None or stream.next_poll() == 0:
        if response is not None:
            yield response


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
        progress_notify=random.random() < 0.2,
        fragment=random.random() < 0.2,
    )
