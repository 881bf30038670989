"""watch: history, live changes, commands, compaction."""

from __future__ import annotations

from collections.abc import Sequence

from scenario import Run, Step, Watch

HISTORY: list[Step] = [
    Run(["put", "a", "1"]),
    Run(["put", "a", "2"]),
    Run(["put", "b", "3"]),
    Run(["del", "a"]),
    Run(["txn"], stdin="\nput c 4\nput a 5\ndel b\n\n\n"),
]
_ETCD_VARIABLES = "env | grep ^ETCD_WATCH_ | sort"

SCENARIOS: dict[str, tuple[str, Sequence[Step]]] = {
    "watch_history": (
        "from a past revision, in every format",
        [
            *HISTORY,
            Watch(["watch", "a", "--rev=2"], lines=12),
            Watch(["watch", "a", "--rev=2", "--prev-kv"], lines=16),
            Watch(["watch", "a", "--rev=3"], lines=9),
            Watch(["watch", "--rev", "2", "a", "--hex", "--prev-kv"], lines=16),
            Watch(["watch", "a", "--rev=2", "-w", "json"], lines=1),
            Watch(["watch", "a", "--rev=2", "-w", "json", "--prev-kv"], lines=1),
            Watch(["watch", "a", "--rev=2", "-w", "fields"], lines=29),
            Watch(["watch", "a", "--rev=2", "-w", "fields", "--prev-kv"], lines=41),
            Watch(["watch", "", "--prefix", "--rev=1"], lines=21),
            Watch(["watch", "", "--prefix", "--rev=5", "-w", "json"], lines=1),
            Watch(["watch", "a", "c", "--rev=2"], lines=18),
            Watch(["watch", "a", "c", "x", "--rev=2"], lines=12),
            Watch(["watch", "a", "", "--rev=2"], lines=12),
            Watch(["watch", "a", "--rev=2", "-w", "table"], lines=99),
            Watch(["watch", "a", "--rev=2", "-w", "nope"], lines=99),
            Watch(["watch", "", "--rev=2"], lines=0, then=[Run(["put", "d", "x"])]),
        ],
    ),
    "watch_live": (
        "changes while watching, each revision as it comes",
        [
            Watch(
                ["watch", "k", "--prefix"],
                lines=15,
                then=[
                    Run(["put", "k1", "v1"]),
                    Run(["put", "other", "x"]),
                    Run(["txn"], stdin="\nput k2 v2\nput k0 v3\ndel k1\n\n\n"),
                    Run(["del", "k2"]),
                ],
            ),
            Watch(
                ["watch", "j", "--prefix", "-w", "json"],
                lines=2,
                then=[Run(["put", "j1", "v1"]), Run(["del", "j1"])],
            ),
            Watch(
                ["watch", "j", "--prev-kv", "-w", "fields"],
                lines=22,
                then=[Run(["put", "j", "v1"]), Run(["put", "j", "v2"])],
            ),
            Watch(
                ["watch", "f", "--rev=12"],
                lines=3,
                then=[Run(["put", "f", "10"]), Run(["put", "f", "11"]), Run(["put", "f", "12"])],
            ),
            Watch(["watch", "never"], lines=0, then=[Run(["put", "f", "v"])]),
        ],
    ),
    "watch_lease": (
        "what a revoked lease deletes",
        [
            Run(["lease", "grant", "600"], capture="A"),
            Watch(
                ["watch", "k", "--rev=2", "-w", "json"],
                lines=2,
                then=[
                    Run(["put", "k", "v", "--lease=@A@"]),
                    Run(["lease", "revoke", "@A@"]),
                ],
            ),
        ],
    ),
    "watch_compacted": (
        "a watch from a compacted revision is told so and ends",
        [
            *HISTORY,
            Run(["compaction", "4"]),
            Watch(["watch", "a", "--rev=3"], lines=1),
            Watch(["watch", "a", "--rev=3", "-w", "json"], lines=9),
            Watch(["watch", "a", "--rev=3", "-w", "fields"], lines=99),
            Watch(["watch", "a", "--rev=3", "--", "echo", "event"], lines=1),
            Watch(["watch", "a", "--rev=-1"], lines=1),
            Watch(["watch", "b", "--rev=4"], lines=6),
        ],
    ),
    "watch_tombstone_at_compaction": (
        "a delete at exactly the compacted revision",
        [
            *HISTORY,
            Run(["compaction", "5"]),
            Watch(["watch", "a", "--rev=5"], lines=3),
        ],
    ),
    "watch_refused": (
        "what cannot be watched",
        [
            Run(["watch"]),
            Run(["watch", "--"]),
            Run(["watch", "k", "--"]),
            Run(["watch", "--", "echo", "hi"]),
            Run(["watch", "k", "l", "--prefix"]),
            Run(["watch", "k", "--rev=x"]),
            Run(["watch", "k", "--nope"]),
            Run(["watch", "k", "--from-key"]),
            Watch(["watch", "l", "k"], lines=1),
            Watch(["watch", "l", "k", "-w", "json"], lines=9),
            Watch(["watch", "l", "k", "-w", "fields"], lines=99),
            Watch(["watch", "k", "k"], lines=1),
            Watch(["watch", "k", "--rev=-1"], lines=0),
            Watch(["watch", "k", "--rev=-1", "-w", "json"], lines=0),
        ],
    ),
    "watch_command": (
        "a command for every event",
        [
            *HISTORY,
            Watch(["watch", "a", "--rev=2", "--", "echo", "event"], lines=16),
            Watch(["watch", "--rev=2", "a", "--", "echo", "--prefix"], lines=16),
            Watch(["watch", "a", "c", "--rev", "2", "--", "echo", "e"], lines=24),
            Watch(["watch", "--prefix", "", "--rev=5", "--", "echo", "e"], lines=16),
            Watch(["watch", "a", "--rev=5", "--", "sh", "-c", _ETCD_VARIABLES], lines=14),
            Watch(["watch", "a", "--rev=5", "-w", "json", "--", "echo", "e"], lines=3),
            Watch(["watch", "a", "--rev=2", "--", "sh", "-c", "exit 3"], lines=99),
            Watch(["watch", "a", "--rev=2", "--", "no-such-program-here"], lines=99),
            Watch(["watch", "a", "--rev=5", "--", "echo", "--", "x"], lines=8),
            Run(["put", "a\n\udcff", "\udcfe\u4e16"]),
            Watch(["watch", "a\n\udcff", "--rev=7", "--", "sh", "-c", _ETCD_VARIABLES], lines=8),
        ],
    ),
    "watch_environment": (
        "key and range end from the environment",
        [
            *HISTORY,
            Watch(["watch", "--rev=2"], lines=12, env={"ETCDCTL_WATCH_KEY": "a"}),
            Watch(
                ["watch", "--rev=2"],
                lines=18,
                env={"ETCDCTL_WATCH_KEY": "a", "ETCDCTL_WATCH_RANGE_END": "c"},
            ),
            Watch(["watch", "--rev=5", "--", "echo", "e"], lines=8, env={"ETCDCTL_WATCH_KEY": "a"}),
            Run(["watch", "b", "--rev=2"], env={"ETCDCTL_WATCH_KEY": "a"}),
            Run(["watch", "b", "--", "echo", "e"], env={"ETCDCTL_WATCH_KEY": "a"}),
            Run(["watch", "--rev=2"], env={"ETCDCTL_WATCH_RANGE_END": "c"}),
        ],
    ),
    "watch_interactive": (
        "requests line by line from stdin",
        [
            *HISTORY,
            Watch(["watch", "-i"], lines=12, stdin="watch a --rev=2\n"),
            Watch(["watch", "-i"], lines=12, stdin='watch --rev 2 "a" \n'),
            Watch(["watch", "-i", "-w", "json"], lines=1, stdin="watch --prefix a --rev=2\n"),
            Watch(["watch", "-i"], lines=8, stdin="watch a --rev=5 -- echo e\n"),
            Watch(["watch", "-i"], lines=3, stdin="nonsense\n\nwatch\nwatch c --rev=6\n"),
            Watch(["watch", "-i"], lines=3, stdin="watch c d --prefix\nwatch c --rev=6\n"),
            Watch(["watch", "-i"], lines=9, stdin=""),
            Watch(["watch", "-i"], lines=9, stdin="watch a --nope\n"),
            Watch(["watch", "-i"], lines=9, stdin="watch a --\n"),
            Watch(["watch", "-i"], lines=9, stdin="watch --rev=1\n"),
            Watch(
                ["watch", "-i"],
                lines=3,
                stdin="watch\n",
                then=[Run(["put", "a", "6"])],
                env={"ETCDCTL_WATCH_KEY": "a"},
            ),
        ],
    ),
}
