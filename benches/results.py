"""What one run measured: medians, spread, ratios, and whether all did and read the same."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

# Above this many cores used by others, a run competes for a core or its caches.
QUIET_CORES = 0.25

ENDED = """\
These programs failed, or were ended by the system, as it does where memory does not suffice: what
they had not measured by then is absent.
"""

Row = list[tuple[str, str]]  # texts with what stands below each


@dataclass
class Cell:
    """All rounds of one workload on one subject."""

    values: list[float] = field(default_factory=list)
    evidence: dict[int, tuple[int, str]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def texts(self) -> tuple[str, str]:
        """The median, and the spread that goes below it."""
        if len(self.values) == 1:
            return short(self.median), ""
        return short(self.median), f"{short(min(self.values))} to {short(max(self.values))}"


@dataclass
class Results:
    """The lines of one file of measurements."""

    machine: dict[str, str | int]
    units: dict[str, str] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    others: list[float] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    rounds: int = 0

    @classmethod
    def read(cls, file: Path) -> "Results":
        first, *lines = map(json.loads, file.read_text().splitlines())
        results = cls(machine=first)
        for line in lines:
            if "absent" in line:
                results.absent.append(line["absent"])
                continue
            workload = line["workload"]
            results.units[workload] = line["unit"]
            cell = results.cells.setdefault((workload, line["subject"]), Cell())
            cell.values.append(line["value"])
            cell.evidence[line["round"]] = (line["count"], line.get("digest", ""))
            results.others.append(line["others"])
            results.rounds = max(results.rounds, line["round"] + 1)
        return results

    @property
    def ended(self) -> list[str]:
        """What the page says of programs that did not come to their end."""
        return [ENDED, *(f"- `{command}`" for command in self.absent), ""] if self.absent else []

    def median(self, workload: str, subject: str) -> float | None:
        """Nothing where that subject has no such feature, or was absent."""
        cell = self.cells.get((workload, subject))
        return cell.median if cell else None

    def ratio(self, workload: str, subject: str, to: str) -> float | None:
        """How many times better a subject does than another, by medians."""
        own, other = self.median(workload, subject), self.median(workload, to)
        if not own or not other:
            return None
        return own / other if is_rate(self.units[workload]) else other / own

    def disagreements(self, subjects: Collection[str]) -> list[str]:
        """Workloads in which two subjects did not do and read the same. What is absent disagrees
        only where every program came to its end."""
        found: list[str] = []
        for workload in self.units:
            cells = {
                subject: cell
                for subject in subjects
                if (cell := self.cells.get((workload, subject)))
            }
            for number in sorted({number for cell in cells.values() for number in cell.evidence}):
                seen = {subject: cell.evidence.get(number) for subject, cell in cells.items()}
                if self.absent:
                    seen = {subject: evidence for subject, evidence in seen.items() if evidence}
                if len(set(seen.values())) > 1:
                    found.append(f"{workload}, round {number + 1}: {seen}")
        return found

    @property
    def loud(self) -> int:
        """How many measurements had to compete."""
        return sum(others > QUIET_CORES for others in self.others)

    @property
    def noise(self) -> str:
        """How quiet the machine was."""
        return (
            f"median {median(self.others):.2f} cores; above {QUIET_CORES} in {self.loud} of "
            f"{len(self.others)} measurements"
        )


def is_rate(unit: str) -> bool:
    """Whether more is better."""
    return unit.endswith("/s")


def short(value: float) -> str:
    """Three significant digits, with thousands and millions as letters."""
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            digits = ".3g" if value < 1000 * limit else ".0f"
            return f"{value / limit:{digits}}{letter}"
    return f"{value:.3g}"


def times(ratio: float | None) -> str:
    """A ratio, or a dash where there is nothing to compare."""
    if ratio is None:
        return "–"
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def as_page(heads: list[str], rows: list[Row]) -> str:
    """A table for a page."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for cells in rows:
        texts = [f"{top}<br><sub>{below}</sub>" if below else top for top, below in cells]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def as_text(heads: list[str], rows: list[Row]) -> str:
    """A table for a terminal, without what stands below."""
    table = [heads, *([top for top, _ in cells] for cells in rows)]
    widths = [max(len(texts[i]) for texts in table) for i in range(len(heads))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if i else text.ljust(width)
            for i, (text, width) in enumerate(zip(texts, widths, strict=True))
        )
        for texts in table
    )
