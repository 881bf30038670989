"""What etcd 3.4.23 is known to do otherwise than revwatch, which follows the newest etcd.

Nothing else is masked: every answer and every event that is not named here must be equal.
"""

from __future__ import annotations

from collections.abc import Iterable

from revwatch import Event, Range, RangeResponse, Txn, TxnResponse
from revwatch.txn import Op
from revwatch.types import OpResponse

from .watches import Watcher


def expected_answer(op: Op, answer: OpResponse) -> OpResponse:
    """What revwatch is to answer where this etcd answered ``answer``."""
    match op, answer:
        case Range(keys_only=True), RangeResponse() if op.sort_target != "value":
            # Newer etcds answer keys from the index alone, which does not know leases.
            return answer._replace(kvs=[kv._replace(lease=0) for kv in answer.kvs])
        case Txn(), TxnResponse():
            branch = op.success if answer.succeeded else op.failure
            pairs = zip(branch, answer.responses, strict=True)
            return answer._replace(responses=[expected_answer(*pair) for pair in pairs])
    return answer


def expected_events(theirs: list[Event], ours: list[Event], compact_revision: int) -> list[Event]:
    """What revwatch is to tell a watcher from the compact revision on, where this etcd told
    ``theirs``: it drops the deletes at exactly that revision, which newer ones keep."""

    def is_dropped(event: Event) -> bool:
        return event.type == "DELETE" and event.kv.mod_revision == compact_revision

    rest = iter([event for event in theirs if not is_dropped(event)])
    expected = [event if is_dropped(event) else next(rest, None) for event in ours]
    return [event for event in expected if event is not None] + list(rest)


def hash_is_refused_by_etcd_alone(revision: int, compact_revision: int) -> bool:
    """Newer etcds hash at the compact revision, too."""
    return 0 < revision == compact_revision


def expected_by_watcher(watcher: Watcher) -> list[Event]:
    """What this etcd tells a watcher that revwatch has told ``watcher.ours``: who starts at the
    compact revision is not told of the deletes at exactly that revision."""

    def is_dropped(event: Event) -> bool:
        start = watcher.watch.start_revision
        return event.type == "DELETE" and event.kv.mod_revision == start == watcher.compacted_at

    return [event for event in watcher.ours.events if not is_dropped(event)]


def progress_is_told_by_etcd_alone(watchers: Iterable[Watcher], revision: int) -> bool:
    """This etcd says how far a stream is also while somebody waits there for a start in the future.
    Newer ones say nothing then."""
    alive = [watcher for watcher in watchers if not watcher.ours.ended]
    return any(watcher.watch.start_revision > revision + 1 for watcher in alive)


def id_is_kept_by_etcd_alone(watcher: Watcher) -> bool:
    """This etcd gives the id of a watcher that lost history to compaction to nobody else on the
    stream, though that watcher is gone. With revwatch every id that has ended is free."""
    return watcher.ours.compact_revision != 0
