"""What revwatch is to reach, as the issues of the project set it, and what this run measured."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from results import Results, Row, times

MEMORY, FILE, ETCD, MAP = "revwatch-memory", "revwatch-file", "etcd", "btreemap"
PEERS = ("redb", "sqlite", "lmdb", "sled", "fjall")
# On disk they compress, so their sizes are those of other bytes.
COMPRESSING = ("sled",)
FAMILIES = (
    "keys",
    "prefixes",
    "prefixes of 20 lengths",
    "disjoint spans",
    "spans, 4.5 at each key",
)

BEHIND = re.compile(r"memory, a watcher (\d+) revisions behind, beyond one that reads")

Figure = Callable[[Results], float | None]


@dataclass(frozen=True)
class Goal:
    """A figure, and the least or the most that it is to be."""

    what: str
    figure: Figure
    least: float | None = None
    most: float | None = None
    of_peers: bool = False

    @property
    def text(self) -> str:
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:,}"

    def holds(self, value: float) -> bool:
        """The figures are quoted to two digits: so exact a comparison as that is meant."""
        if self.least is not None:
            return value >= self.least
        return self.most is not None and value <= self.most


def present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def ratio(workload: str, subject: str, to: str = ETCD) -> Figure:
    return lambda results: results.ratio(workload, subject, to)


def worst(figures: Iterable[Figure]) -> Figure:
    """The least of several ratios."""
    each = list(figures)
    return lambda results: min(present(figure(results) for figure in each), default=None)


def longer(workload: str, other: str) -> Figure:
    """How many times one duration is another, where that is worst."""

    def figure(results: Results) -> float | None:
        pairs = [(results.median(workload, s), results.median(other, s)) for s in (MEMORY, FILE)]
        return max((one / base for one, base in pairs if one and base), default=None)

    return figure


def dearer(workload: str, other: str) -> Figure:
    """How many times what is done in one workload costs what it costs in another."""

    def figure(results: Results) -> float | None:
        many, few = results.median(workload, MEMORY), results.median(other, MEMORY)
        return few / many if many and few else None

    return figure


def held(*workloads: str) -> Figure:
    """Bytes, the most of several."""
    return lambda results: max(present(results.median(w, MEMORY) for w in workloads), default=None)


def stalled(results: Results) -> float | None:
    """Bytes that a watcher far behind takes more than one with a full queue, in the longest run."""
    found: dict[int, float] = {}
    for workload in results.units:
        if named := BEHIND.fullmatch(workload):
            found[int(named[1])] = results.median(workload, MEMORY) or 0
    return max(found[max(found)] - found[min(found)], 0) if len(found) > 1 else None


def one_prefix(results: Results) -> float | None:
    """Each at its best number of streams."""
    names = [f"watch, 1000 on one prefix, streams: {streams}" for streams in (1, 64)]
    own = present(results.median(name, MEMORY) for name in names)
    other = present(results.median(name, ETCD) for name in names)
    return max(own) / max(other) if own and other else None


def to_best_peer(workload: str) -> Figure:
    """The least ratio to any peer: that to the best one."""
    return lambda results: min(
        present(
            results.ratio(workload, "revwatch", peer)
            for peer in PEERS
            if not ("bytes" in results.units.get(workload, "") and peer in COMPRESSING)
        ),
        default=None,
    )


def found(families: Iterable[str], what: str) -> Figure:
    """The worst ratio to etcd's watcher groups, of these families at every size."""
    names = [f"match, {count} {family}: {what}" for family in families for count in COUNTS]
    return worst(ratio(name, MEMORY) for name in names)


COUNTS = (100_000, 1_000_000)
CROWDED = "put, one of {} {}"

GOALS = (
    Goal("get, memory, to a BTreeMap", ratio("get", MEMORY, MAP), least=1),
    Goal("get, memory, to etcd", ratio("get", MEMORY), least=12),
    Goal("put, memory, to a BTreeMap", ratio("put", MEMORY, MAP), least=0.77),
    Goal("put, memory, to etcd", ratio("put", MEMORY), least=7),
    Goal("range of 1000 keys, memory, to etcd", ratio("range of 1000 keys", MEMORY), least=15),
    Goal("put, then get it, memory, to etcd", ratio("put, then get it", MEMORY), least=100),
    Goal("put, file, to etcd", ratio("put", FILE), least=6),
    Goal("100 puts a transaction, file, to etcd", ratio("put, 100 a transaction", FILE), least=6),
    Goal("compaction, memory, to etcd", ratio("compaction", MEMORY), least=10),
    Goal(
        "bytes of a key with one revision, beyond its text",
        held("memory, a key with one revision, beyond its text"),
        most=80,
    ),
    Goal(
        "bytes of a further revision of a key",
        held("memory, a further revision of a key"),
        most=12,
    ),
    Goal(
        "durable put, to the bare loop", ratio("durable put", "revwatch", "bare"), 0.83, None, True
    ),
    Goal("durable put, to the best peer", to_best_peer("durable put"), 1, None, True),
    Goal(
        "durable put, 8 threads, to a bare group commit",
        ratio("durable put, 8 threads", "revwatch", "bare"),
        0.8,
        None,
        True,
    ),
    Goal(
        "bulk load, any order, to the best peer",
        to_best_peer("bulk load, any order"),
        1,
        None,
        True,
    ),
    Goal("random get, cached, to the best peer", to_best_peer("random get"), 0.83, None, True),
    Goal(
        "scan in key order, to LMDB",
        ratio("scan in key order", "revwatch", "lmdb"),
        0.33,
        None,
        True,
    ),
    Goal(
        "scan in history order, to the best peer",
        to_best_peer("scan in history order"),
        1,
        None,
        True,
    ),
    Goal(
        "size on disk, to the best that does not compress",
        to_best_peer("size on disk after the load"),
        1,
        None,
        True,
    ),
    *(
        Goal(
            f"opening 1,000,000 revisions of {keys:,} keys by {how}, to etcd",
            ratio(f"{workload}, {keys} keys", FILE),
            least=least,
        )
        for how, workload, least in (
            ("a scan", "open without checkpoint", 10),
            ("the checkpoint", "open", 50),
        )
        for keys in (100_000, 10_000)
    ),
    Goal(
        "puts with 100,000 watchers of keys, memory, to etcd",
        ratio("watch, 100000 keys", MEMORY),
        least=8,
    ),
    Goal(
        "puts with 100,000 watchers of prefixes, memory, to etcd",
        ratio("watch, 100000 prefixes", MEMORY),
        least=8,
    ),
    *(
        Goal(
            f"cost of a put with 1,000,000 watchers of {kind}, in that with 1000",
            dearer(CROWDED.format(1_000_000, kind), CROWDED.format(1_000, kind)),
            most=most,
        )
        for kind, most in (("keys", 1.5), ("prefixes", 2), ("spans", 2))
    ),
    Goal("events to 1000 watchers of one prefix, memory, to etcd", one_prefix, least=10),
    Goal("finding who watches a key by prefix, to etcd", found(FAMILIES[1:3], "find"), least=10),
    Goal("finding who watches a key by span, to etcd", found(FAMILIES[3:], "find"), least=4),
    Goal("registering a watcher, to etcd", found(FAMILIES, "register"), least=4),
    Goal("cancelling a watcher, to etcd", found(FAMILIES, "cancel"), least=4),
    Goal(
        "registering 10,000 spans with one end, to etcd",
        ratio("match, 10000 spans with one end: register", MEMORY),
        least=4,
    ),
    Goal(
        "catch-up over 200,000 revisions, memory, to etcd",
        ratio("catch-up over 200000 revisions", MEMORY),
        least=200,
    ),
    Goal(
        "catch-up of 1000 watchers over 20,000 revisions, memory, to etcd",
        ratio("catch-up of 1000 watchers over 20000 revisions", MEMORY),
        least=10,
    ),
    Goal(
        "p99 of a put beside a reader 300,000 revisions behind, in that alone",
        longer("put, beside a reader 300,000 revisions behind, p99", "put, alone, p99"),
        most=1.2,
    ),
    Goal(
        "bytes of a watcher of a key, beyond its text",
        held("memory, a watcher of a key, beyond its text"),
        most=100,
    ),
    Goal(
        "bytes of a watcher of a range, beyond its text",
        held(*(f"memory, a watcher of a {kind}, beyond its text" for kind in ("prefix", "span"))),
        most=160,
    ),
    Goal("bytes of a stream", held("memory, a stream"), most=500),
    Goal("bytes of a stalled watcher, beyond those of a full queue", stalled, most=1_024),
    Goal(
        "bytes of 1,000,000 watchers, counted or resident",
        held(
            *(
                f"memory, 1000000 watchers of a {kind} each{resident}"
                for kind in ("key", "prefix", "span")
                for resident in ("", ", resident")
            )
        ),
        most=200_000_000,
    ),
)


def table(results: Results, peers: Results | None) -> tuple[list[str], list[Row]]:
    """A row for each goal; a dash where this run has not measured it."""
    rows: list[Row] = []
    for goal in GOALS:
        of = peers if goal.of_peers else results
        value = goal.figure(of) if of else None
        verdict = "–" if value is None else "yes" if goal.holds(value) else "**no**"
        shown = f"{value:,.0f}" if value is not None and value >= 1e4 else times(value)
        rows.append([(goal.what, ""), (goal.text, ""), (shown, ""), (verdict, "")])
    return ["figure", "to be", "is", "reached"], rows
