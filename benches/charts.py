"""The charts of the page, drawn by matplotlib: small, and the same bytes for the same figures."""

import importlib
import re
from pathlib import Path
from typing import Any

import growth
from results import Results, is_rate

# Colours that all eyes tell apart (Okabe and Ito).
COLOURS = {
    "revwatch-memory": "#0072B2",
    "revwatch-file": "#56B4E9",
    "revwatch": "#0072B2",
    "etcd": "#D55E00",
    "etcd-server": "#CC79A7",
    "btreemap": "#999999",
    "redb": "#E69F00",
    "sqlite": "#009E73",
    "lmdb": "#F0E442",
    "sled": "#CC79A7",
    "fjall": "#D55E00",
}
THROUGHPUT = (
    "put",
    "put, 100 a transaction",
    "put, Kubernetes",
    "get",
    "get, Kubernetes",
    "put, then get it",
    "compaction",
    "watch, 1000 keys",
    "watch, 100000 keys",
    "watch, 100000 prefixes",
    "watch, each kind, Kubernetes",
    "watch, 1000 on one prefix, streams: 64",
    "catch-up over 200000 revisions",
    "catch-up of 1000 watchers over 20000 revisions",
)
BESIDE_PEERS = (
    "durable put",
    "durable put, 8 threads",
    "bulk load, any order",
    "random get",
    "scan in key order",
    "scan in history order",
    "overwriting, 100 a transaction",
    "size on disk after the load",
)
LATENCY = re.compile(r"latency of a (.+), (p[\d.]+|max)")
INCHES = 9.0


class Charts:
    """Draws into a folder."""

    def __init__(self, folder: Path) -> None:
        matplotlib = importlib.import_module("matplotlib")
        matplotlib.use("svg")
        # Without a salt the names within a file are random; as text, letters need no outlines.
        matplotlib.rcParams.update(
            {
                "svg.hashsalt": "revwatch",
                "svg.fonttype": "none",
                "font.size": 9,
                "axes.spines.top": False,
                "axes.spines.right": False,
            }
        )
        self.plot: Any = importlib.import_module("matplotlib.pyplot")
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def save(self, figure: Any, name: str) -> None:
        path = self.folder / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
        self.plot.close(figure)
        text = "\n".join(line.rstrip() for line in path.read_text().splitlines())
        path.write_text(text + "\n")

    def bars(self, rows: dict[str, dict[str, float]], titles: dict[str, str], label: str) -> Any:
        """Horizontal bars on a logarithmic scale, a group for each row."""
        subjects = [name for name in titles if any(name in row for row in rows.values())]
        thick = 0.8 / max(len(subjects), 1)
        figure, axes = self.plot.subplots(figsize=(INCHES, 1 + 0.45 * len(rows)))
        for i, subject in enumerate(subjects):
            at = [n + i * thick for n, row in enumerate(rows.values()) if subject in row]
            long = [row[subject] for row in rows.values() if subject in row]
            axes.barh(at, long, thick, color=COLOURS[subject], label=titles[subject])
        axes.set_yticks([n + 0.4 - thick / 2 for n in range(len(rows))], list(rows))
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlabel(label)
        axes.grid(axis="x", alpha=0.3)
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1), ncols=len(subjects))
        return figure

    def panels(self, names: list[str], columns: int) -> tuple[Any, list[Any]]:
        """A figure with a place for each name."""
        rows = -(-len(names) // columns)
        figure, grid = self.plot.subplots(
            rows, columns, figsize=(INCHES, 2.9 * rows), squeeze=False, layout="constrained"
        )
        places = list(grid.flat)
        for place in places[len(names) :]:
            place.set_visible(False)
        for place, name in zip(places, names, strict=False):
            place.set_title(name, fontsize=9)
            place.grid(alpha=0.3)
        return figure, places[: len(names)]


def throughput(charts: Charts, results: Results, titles: dict[str, str]) -> bool:
    """Operations a second of each subject."""
    rows: dict[str, dict[str, float]] = {}
    for workload in THROUGHPUT:
        row = {name: value for name in titles if (value := results.median(workload, name))}
        if row:
            rows[f"{workload} ({results.units[workload]})"] = row
    if rows:
        charts.save(charts.bars(rows, titles, "a second, more is better"), "throughput")
    return bool(rows)


def beside_peers(charts: Charts, results: Results, titles: dict[str, str]) -> bool:
    """How each peer does, with revwatch as 1."""
    rows: dict[str, dict[str, float]] = {}
    shown = {name: title for name, title in titles.items() if name in COLOURS}
    for workload in BESIDE_PEERS:
        row = {
            name: value for name in shown if (value := results.ratio(workload, name, "revwatch"))
        }
        if row:
            note = "" if is_rate(results.units[workload]) else " (inverse)"
            rows[workload + note] = row
    if rows:
        figure = charts.bars(rows, shown, "times as good as revwatch, more is better")
        figure.axes[0].axvline(1, color="black", linewidth=0.8)
        charts.save(figure, "peers")
    return bool(rows)


def curves(charts: Charts, results: Results, titles: dict[str, str]) -> bool:
    """What an operation costs as something grows."""
    found = growth.curves(results)
    if not found:
        return False
    figure, places = charts.panels(list(found), 2)
    for place, series in zip(places, found.values(), strict=True):
        for subject, title in titles.items():
            if curve := series.get(subject):
                fitted = growth.slope(curve)
                label = title if fitted is None else f"{title}: slope {fitted:.2f}"
                line = {"color": COLOURS[subject], "label": label, "markersize": 3}
                place.plot(list(curve), list(curve.values()), "o-", **line)
        place.set_xscale("log")
        place.set_yscale("log")
        place.set_ylabel("ns each")
        place.legend(frameon=False, fontsize=7)
    charts.save(figure, "growth")
    return True


def latencies(charts: Charts, results: Results, titles: dict[str, str]) -> bool:
    """How long single operations take, by quantiles."""
    operations = {named[1] for workload in results.units if (named := LATENCY.fullmatch(workload))}
    if not operations:
        return False
    names = sorted(operations)
    figure, places = charts.panels(names, 2)
    for place, name in zip(places, names, strict=True):
        quantiles = [
            named[2]
            for workload in results.units
            if (named := LATENCY.fullmatch(workload)) and named[1] == name
        ]
        for subject, title in titles.items():
            micros = [
                results.median(f"latency of a {name}, {quantile}", subject)
                for quantile in quantiles
            ]
            if all(micros):
                place.plot(
                    quantiles, micros, "o-", color=COLOURS[subject], label=title, markersize=3
                )
        place.set_yscale("log")
        place.set_ylabel("microseconds")
        place.legend(frameon=False, fontsize=7)
    charts.save(figure, "latency")
    return True
