"""What goes in and comes out: keys with their values, events, and the answers to requests.

Everything here is an immutable tuple with named fields, because a watcher that catches up makes a
million of them. The names are etcd's.

>>> kv = KeyValue(b"key", b"value", create_revision=2, mod_revision=3, version=2, lease=0)
>>> kv.value, kv.version
(b'value', 2)
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Durability: TypeAlias = Literal["commit", "batch", "never"]
"""What a write waits for: its own sync, nothing until the next batch's sync, or nothing at all."""

SortOrder: TypeAlias = Literal["none", "ascend", "descend"]
SortTarget: TypeAlias = Literal["key", "version", "create", "mod", "value"]
CompareTarget: TypeAlias = Literal["value", "version", "create", "mod", "lease"]
CompareOp: TypeAlias = Literal["=", "!=", "<", ">"]
EventType: TypeAlias = Literal["PUT", "DELETE"]


class KeyValue(NamedTuple):
    """A key with its value and the revisions that made it."""

    key: bytes
    value: bytes
    create_revision: int
    """The revision of the put that created the key; 0 in the event of a delete."""
    mod_revision: int
    """The revision of the change that this is the result of."""
    version: int
    """How many puts the key has seen since it was created; 0 in the event of a delete."""
    lease: int
    """The lease that the key is attached to, or 0."""


class Event(NamedTuple):
    """One change of one key, as watchers see it."""

    type: EventType
    kv: KeyValue
    """The key's state after the change; for a delete its key and ``mod_revision`` only."""
    prev_kv: KeyValue | None
    """The key's state before the transaction, if it was asked for and there was one."""


class ResumeToken(NamedTuple):
    """A point in history that stays meaningful after a crash: the last revision that was seen, and
    the epoch in which it was seen. Record its two numbers, and make it again by their names: where
    a token is asked for, a mere pair is refused.

    >>> ResumeToken(epoch=1, revision=7).revision
    7
    """

    epoch: int
    revision: int


class KeyRange(NamedTuple):
    """A range of keys: ``key`` alone, or up to ``range_end``, or all that begin with it, or all
    from it on.

    >>> KeyRange(b"/task/", prefix=True)
    KeyRange(key=b'/task/', range_end=None, prefix=True, from_key=False)
    """

    key: bytes
    range_end: bytes | None = None
    prefix: bool = False
    from_key: bool = False


class PutResponse(NamedTuple):
    """The answer to a put."""

    revision: int
    prev_kv: KeyValue | None = None
    """What the key was before, if that was asked for and it existed."""


class RangeResponse(NamedTuple):
    """The answer to a range."""

    revision: int
    """The store's current revision, also when an older one was read."""
    kvs: list[KeyValue]
    more: bool
    """Whether the limit left some out."""
    # A tuple has a method of this name, which nobody calls on an answer; etcd's name wins.
    count: int  # type: ignore[assignment]
    """How many keys are in the range at that revision, whatever the limit and revision bounds."""


class DeleteRangeResponse(NamedTuple):
    """The answer to a delete."""

    revision: int
    """One higher than before if something was deleted."""
    deleted: int
    prev_kvs: list[KeyValue]
    """What was deleted, in key order, if that was asked for."""


class TxnResponse(NamedTuple):
    """The answer to a transaction."""

    revision: int
    """The store's revision after it; 0 in the answer to a nested one, as in etcd."""
    succeeded: bool
    """Whether all comparisons held."""
    responses: list[OpResponse]
    """An answer for each operation of the branch that was taken."""


OpResponse: TypeAlias = PutResponse | RangeResponse | DeleteRangeResponse | TxnResponse


class LeaseGrantResponse(NamedTuple):
    """A lease that was granted."""

    id: int
    ttl_ms: int
    """The time-to-live in milliseconds, raised to the store's minimum."""
    revision: int


class LeaseTimeToLive(NamedTuple):
    """How long a lease has yet to live."""

    id: int
    ttl_ms: int
    """Milliseconds left; -1 if there is no such lease."""
    granted_ttl_ms: int
    keys: list[bytes]
    """The attached keys, if they were asked for."""


class WatchResponse(NamedTuple):
    """What a watcher is told: that it was created, events of one or more whole revisions, how far
    it is, or that it has ended."""

    watch_id: int
    revision: int
    """The store's revision when this was sent."""
    events: list[Event]
    created: bool = False
    canceled: bool = False
    compact_revision: int = 0
    """Not 0: the history that was asked for is compacted, and begins here now."""
    cancel_reason: str = ""
    rewound: bool = False
    """What was seen last was lost in a crash, or what was told early with a failed sync;
    ``revision`` is the last that was not."""
    progress: bool = False
    """Everything up to ``revision`` was told: to this watcher, or with the ``watch_id`` -1 to all
    of the stream."""
    fragment: bool = False
    """The watcher's next response goes on with the revision of the last event here."""


class WatcherReport(NamedTuple):
    """Where a watcher stands."""

    stream_id: int
    """Its stream; followers and cursors have one of their own each."""
    watch_id: int
    state: Literal["synced", "unsynced", "victim"]
    """It waits for the next change; is behind and reads history when it is polled; or holds what
    found no room in its stream's queue, and goes on when that is polled."""
    ranges: list[KeyRange]
    """What it watches, in order, each with a ``range_end``."""
    next_revision: int
    """The first revision that it has been given nothing of yet."""
    queued_responses: int
    """Responses with events that wait to be polled."""
    queued_bytes: int
    """Bytes of keys and values in those, and in what a victim holds."""
    lag: int
    """Published revisions that it has not been given yet."""


class HistoryPage(NamedTuple):
    """Past events, whole revisions at a time."""

    events: list[Event]
    next_revision: int | None
    """The ``start_revision`` to go on with; ``None`` if this reached the newest revision."""


class Status(NamedTuple):
    """How a store stands."""

    revision: int
    """The newest revision; 1 for an empty store."""
    published_revision: int
    """The newest revision that watchers may see: durable as the store promises."""
    compact_revision: int
    """History before this revision was compacted; -1 before any compaction."""
    epoch: int
    """Counts the openings after which revisions may have been lost."""
    keys: int
    size_in_use: int
    """Bytes that are needed for what is kept."""
    size_allocated: int
    """Bytes of the file, or of memory."""
    leases: int
    watch_streams: int
    watchers: int
    unsynced_watchers: int
    """Those of them that are behind and read history."""
    victim_watchers: int
    """Those of them that hold a batch because their stream is full."""
    compacting: bool
    """Something that was compacted waits to be reclaimed."""
    read_only: bool
    poisoned: bool
    """A write or sync failed: reopen the store to write again."""


class HashKv(NamedTuple):
    """A hash of what is kept, the same as that of an etcd with the same history."""

    revision: int
    """The store's current revision."""
    hash_revision: int
    """Changes up to this revision were hashed."""
    compact_revision: int
    """History before this is gone; -1 before any compaction."""
    hash: int


class FollowState(NamedTuple):
    """Some of the keys that there are at the revision which the follow begins at, in key order."""

    kvs: list[KeyValue]


class FollowSynced(NamedTuple):
    """The state is complete, as of this revision; from now on come changes."""

    revision: int


class FollowEvents(NamedTuple):
    """Changes after the state, whole revisions at a time."""

    revision: int
    """Everything up to and including this revision has been told now."""
    events: list[Event]


class FollowReset(NamedTuple):
    """Compaction or a crash took the history in between: forget the state, it comes anew."""

    revision: int


FollowResponse: TypeAlias = FollowState | FollowSynced | FollowEvents | FollowReset


class CursorEvents(NamedTuple):
    """Changes that a cursor's consumer had yet to see, whole revisions at a time."""

    revision: int
    """Everything up to and including this revision has been told now, and can be acknowledged."""
    events: list[Event]


class CursorCompacted(NamedTuple):
    """Compaction took changes that the consumer had yet to see. Those that are kept follow, from
    this revision on; who needs the state reads the range as of this revision first."""

    compact_revision: int


class CursorRewound(NamedTuple):
    """A crash took what the consumer says that it has seen after this revision. What follows the
    last acknowledgement comes next."""

    revision: int


CursorResponse: TypeAlias = CursorEvents | CursorCompacted | CursorRewound


class CursorReport(NamedTuple):
    """What there is to know about a cursor."""

    name: bytes
    key: bytes
    """The range, in etcd's convention."""
    range_end: bytes
    acked_revision: int
    """Everything up to and including this revision was acknowledged."""
    lag_revisions: int
    """How many revisions the store has come beyond that."""
    hold: bool
    """Whether it holds back compaction."""
    open: bool
    """Whether it is open in this store."""


class Progress(NamedTuple):
    """How far something has come that takes long."""

    done: int
    """Bytes."""
    total: int
    """About how many bytes there are; exactly as many as are done at the end."""


class SnapshotHead(NamedTuple):
    """What a snapshot is of."""

    since: int
    """The revision that a store must stand at to take it; 0 if it is a whole store."""
    revision: int
    """The revision that the store stands at afterwards."""
    compact_revision: int
    """History before this is not in it; -1 if none was compacted."""
    epoch: int
    """The epoch that its store was in."""
    store_id: bytes
    """The id of its store."""


class SnapshotStatus(NamedTuple):
    """A snapshot that was read through and is whole."""

    head: SnapshotHead
    changes: int
    """Puts and deletes in it."""
    size: int
    """Bytes of it."""


class Lost(NamedTuple):
    """Two revisions between which, without themselves, changes are missing."""

    after: int
    before: int


class RepairReport(NamedTuple):
    """What repair saved of a damaged store, and what it could not."""

    revision: int
    """The revision that the new store is at."""
    compact_revision: int
    """The new store has no history before this; -1 if it has all."""
    saved_changes: int
    """Puts and deletes that were saved."""
    pages: int
    """Pages of the damaged store."""
    valid_pages: int
    """Those of them that held a valid page of the log."""
    damaged_pages: list[int]
    """Those that held something else: damage, or a write that was cut short."""
    lost_between: list[Lost]
    """Where changes are missing. Keys that were last changed there are missing too."""
    lost_the_newest: bool
    """Whether changes after ``revision`` are missing; how many is not known."""
    uncertain_keys: list[bytes]
    """Keys that may have been changed or deleted in what was lost: they are as last known."""
    affected_keys: list[bytes]
    """Keys of which a change was lost that is known to have been: they are as after it."""
    uncertain_leases: list[int]
    """Leases that may have been revoked or renewed in what was lost."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing that is known to have been there."""
        return not self.lost_between and not self.lost_the_newest
