"""Where revwatch is meant to answer otherwise than etcdctl 3.4.23, and why.

The key is a scenario and the number of the step in it. Beyond these there is one rule: help is our
own text, and at a wrong flag there is only a message on stderr, where etcdctl prints its help on
stdout too.
"""

from __future__ import annotations

from dataclasses import dataclass

import revwatch


@dataclass(frozen=True)
class Difference:
    """What revwatch answers; `None` where it does not differ."""

    reason: str
    stdout: str | None = None
    exit: int | None = None


_CRASH = "etcdctl crashes (Go's panic, 2); revwatch says which line is wrong"
_LEASE = "etcdctl crashes; revwatch compares the lease, written in hexadecimal as everywhere"
_QUOTES = "etcdctl cuts 'words' after as many bytes as there are words; revwatch at the quotes"
_TABLE = "etcdctl writes first and then finds that it cannot print a table; revwatch the reverse"
_NEGATIVE = "etcd 3.4.23 waits in silence; as in newer ones, negative revisions are compacted ones"
_TOMBSTONE = "etcd 3.4.23 drops a delete at exactly the compacted revision; newer ones keep it"

_TABLE_AFTER = (
    '"Revision" : 4\n"Key" : "k"\n"CreateRevision" : 2\n"ModRevision" : 4\n"Version" : 2\n'
    '"Value" : "-"\n"Lease" : 0\n"More" : false\n"Count" : 1\n'
)
_CANCELED = '{"Header":{},"Events":null,"CompactRevision":0,"Canceled":true,"Created":false}\n'

DIFFERENCES: dict[tuple[str, int], Difference] = {
    ("environment", 4): Difference(
        "the version of another program",
        stdout=f"revwatch version: {revwatch.__version__}\nAPI version: 3.4\n",
    ),
    ("put_errors", 15): Difference(_TABLE, stdout=_TABLE_AFTER),
    **{("txn_compare_crash", step): Difference(_CRASH, exit=3) for step in (1, 2, 3, 5)},
    ("txn_compare_crash", 4): Difference(_LEASE, stdout="SUCCESS\n", exit=0),
    ("txn_quotes", 0): Difference(_QUOTES, stdout="SUCCESS\n\nOK\n\nk\na b c\n"),
    ("txn_quotes", 1): Difference(_QUOTES, stdout="SUCCESS\n\nOK\n\nk\n\n"),
    ("watch_refused", 12): Difference(_NEGATIVE, exit=5),
    ("watch_refused", 13): Difference(_NEGATIVE, stdout=_CANCELED, exit=5),
    ("watch_tombstone_at_compaction", 6): Difference(_TOMBSTONE, stdout="DELETE\na\n\nPUT\na\n5\n"),
}
