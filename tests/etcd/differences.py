"""What etcd 3.4.23 is known to do otherwise than revwatch, which follows the newest etcd.

Nothing else is masked: every answer and every event that is not named here must be equal.
"""

from __future__ import annotations

from revwatch import Event, Range, RangeResponse, Txn, TxnResponse
from revwatch.txn import Op
from revwatch.types import OpResponse


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
