"""The part of the page about other embedded stores."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import median

from goals import COMPRESSING, PEERS
from results import Results, Row, as_page, is_rate, times

SUBJECTS = {
    "revwatch": "revwatch",
    "redb": "redb",
    "sqlite": "SQLite",
    "lmdb": "LMDB",
    "sled": "sled",
    "fjall": "fjall",
    "bare": "bare loop",
    "btreemap": "BTreeMap",
}

INTRODUCTION = """\
## Beside other embedded stores

Ratios are above 1 where revwatch does better. Of rates more is better, of all else less. The floor
is the bare loop, or a BTreeMap where nothing is durable. The last column is the ratio of processor
time to the peer that needs the least: what is left of the comparison where others use the machine.
"""

COUNTS = """\
### Syncs and bytes

Syncs per commit, and below them bytes handed to the system per byte of keys and values; counted,
not timed. A sync that several concurrent commits share counts for each of them as a part.
"""


class Counted:
    """What was written, synced and computed: medians for each workload and subject."""

    def __init__(self, measurements: Path) -> None:
        self.syncs: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.bytes: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.processor: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.workloads: list[str] = []
        for line in map(json.loads, measurements.read_text().splitlines()[1:]):
            if "absent" in line:
                continue
            of = (line["workload"], line["subject"])
            if line["processor_seconds"]:
                self.processor[of].append(line["processor_seconds"] / line["count"])
            if not line["commits"] or not line["written_bytes"]:
                continue
            if of[0] not in self.workloads:
                self.workloads.append(of[0])
            self.syncs[of].append(line["syncs"] / line["commits"])
            self.bytes[of].append(line["written_bytes"] / line["user_bytes"])

    def processor_ratio(self, workload: str) -> tuple[str, str]:
        """How many times less processor time than the peer that needs least, and which it is."""
        own = self.processor.get((workload, "revwatch"))
        of_peers = [
            (median(seconds), peer)
            for peer in PEERS
            if (seconds := self.processor.get((workload, peer)))
        ]
        if not own or not of_peers:
            return ("–", "")
        least, peer = min(of_peers)
        return (times(least / median(own)), SUBJECTS[peer])

    def row(self, workload: str) -> Row:
        """A cell for each subject."""
        cells: Row = [(workload, "")]
        for subject in SUBJECTS:
            if syncs := self.syncs.get((workload, subject)):
                written = median(self.bytes[workload, subject])
                cells.append((f"{median(syncs):.2f}", f"{written:.1f}"))
            else:
                cells.append(("–", ""))
        return cells


def best_peer(results: Results, workload: str) -> str | None:
    """The peer that does best; where sizes are compared, of those that do not compress."""
    unit = results.units[workload]
    compared = [
        peer
        for peer in PEERS
        if (workload, peer) in results.cells and not ("bytes" in unit and peer in COMPRESSING)
    ]
    best = max if is_rate(unit) else min
    return best(compared, key=lambda peer: results.cells[workload, peer].median, default=None)


def row(results: Results, workload: str) -> Row:
    """Medians with their spread, and ratios to the best peer and to the floors."""
    cells: Row = [(f"{workload}, {results.units[workload]}", "")]
    for subject in SUBJECTS:
        cell = results.cells.get((workload, subject))
        cells.append(cell.texts if cell else ("–", ""))
    best = best_peer(results, workload)
    to_best = results.ratio(workload, "revwatch", best) if best else None
    cells.append((times(to_best), SUBJECTS[best] if best and to_best else ""))
    floor = "bare" if (workload, "bare") in results.cells else "btreemap"
    cells += [(times(results.ratio(workload, "revwatch", to)), "") for to in ("lmdb", floor)]
    return cells


def section(results: Results, measurements: Path) -> tuple[list[str], list[Row], str]:
    """The table, for the terminal, and the part of the page."""
    counted = Counted(measurements)
    heads = ["workload", *SUBJECTS.values(), "to the best peer", "to LMDB", "to the floor"]
    heads.append("in processor time")
    rows = [
        [*row(results, workload), counted.processor_ratio(workload)] for workload in results.units
    ]
    counts = [counted.row(workload) for workload in counted.workloads]
    built: dict[str, str] = json.loads(json.dumps(results.machine["peers"]))
    versions = ", ".join(f"{SUBJECTS[peer]}: {version}" for peer, version in built.items())
    rounds = min(len(results.cells[workload, "revwatch"].values) for workload in results.units)
    text = "\n".join(
        [
            INTRODUCTION,
            as_page(heads, rows),
            COUNTS,
            as_page(["workload", *SUBJECTS.values()], counts),
            *results.ended,
            f"Versions: {versions}. Scale: {results.machine['scale']}, {rounds} rounds.",
            f"Load by other processes: {results.noise}.\n",
        ]
    )
    return heads, rows, text
