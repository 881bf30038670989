"""How the cost of an operation grows: nanoseconds by size, and the slope of a line through their
logarithms. 0 is a cost that stays, 1 one that grows in proportion."""

import math
import re
from collections import defaultdict
from statistics import linear_regression

from results import Results, Row, short

NAME = re.compile(r"growth, (.+), (\d+) (\w+)")

Curve = dict[int, float]  # nanoseconds by size
Curves = dict[str, dict[str, Curve]]  # by what is done and what grows, then by subject


def curves(results: Results) -> Curves:
    """Every series of every subject."""
    found: Curves = defaultdict(lambda: defaultdict(dict))
    for (workload, subject), cell in results.cells.items():
        if named := NAME.fullmatch(workload):
            what, size, grows = named.groups()
            found[f"{what}, by {grows}"][subject][int(size)] = 1e9 / cell.median
    return found


def slope(curve: Curve) -> float | None:
    """Of the line that fits best, or nothing where there is no line."""
    if len(curve) < 2:
        return None
    logarithms = [math.log(size) for size in curve], [math.log(cost) for cost in curve.values()]
    return linear_regression(*logarithms).slope


def table(results: Results, subjects: dict[str, str]) -> tuple[list[str], list[Row]]:
    """A row for each series and subject."""
    found = curves(results)
    sizes = sorted(
        {size for series in found.values() for curve in series.values() for size in curve}
    )
    rows: list[Row] = []
    for what, series in found.items():
        for subject, title in subjects.items():
            if not (curve := series.get(subject)):
                continue
            fitted = slope(curve)
            row = [(f"{what}: {title}", "")]
            row += [(short(curve[size]) if size in curve else "–", "") for size in sizes]
            rows.append([*row, ("–" if fitted is None else f"{fitted:.2f}", "")])
    return ["ns each", *(f"{size:,}" for size in sizes), "slope"], rows
