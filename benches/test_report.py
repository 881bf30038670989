"""The report must not flatter: what differs is not compared, and less is better where it is."""

import json
from pathlib import Path

import goals
import growth
import pytest
from results import Results

Line = dict[str, str | int | float]


def measured(folder: Path, *lines: Line) -> Results:
    file = folder / "measurements.jsonl"
    whole = [{"count": 1, "digest": "a", "round": 0, "others": 0.0, **line} for line in lines]
    file.write_text("\n".join(map(json.dumps, [{"cpu": "any"}, *whole])))
    return Results.read(file)


def line(subject: str, workload: str, unit: str, value: float, **others: str | int) -> Line:
    return {"subject": subject, "workload": workload, "unit": unit, "value": value, **others}


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_a_slope_is_the_power_of_growth(tmp_path: Path, power: float) -> None:
    sizes = (10_000, 30_000, 100_000)
    results = measured(
        tmp_path,
        *(line("etcd", f"growth, get, {n} keys", "gets/s", 1e9 / n**power) for n in sizes),
    )
    curve = growth.curves(results)["get, by keys"]["etcd"]
    assert list(curve) == list(sizes)
    assert growth.slope(curve) == pytest.approx(power)


def test_a_ratio_is_above_one_where_a_subject_does_better(tmp_path: Path) -> None:
    results = measured(
        tmp_path,
        line("own", "put", "puts/s", 20),
        line("other", "put", "puts/s", 10),
        line("own", "memory", "bytes", 20),
        line("other", "memory", "bytes", 10),
    )
    assert results.ratio("put", "own", "other") == 2
    assert results.ratio("memory", "own", "other") == 0.5
    assert results.ratio("put", "own", "absent") is None


@pytest.mark.parametrize("other", [{"digest": "b"}, {"count": 2}])
def test_who_did_or_read_something_else_is_named(tmp_path: Path, other: dict[str, str]) -> None:
    same = line("own", "put", "puts/s", 1)
    results = measured(tmp_path, same, line("other", "put", "puts/s", 1, **other))
    [found] = results.disagreements(["own", "other"])
    assert found.startswith("put, round 1")
    assert not results.disagreements(["own"])


def test_a_goal_is_reached_only_by_what_was_measured(tmp_path: Path) -> None:
    def verdict(*lines: Line) -> str:
        _, rows = goals.table(measured(tmp_path, *lines), None)
        return next(row[3][0] for row in rows if row[0][0] == "put, memory, to etcd")

    etcd = line("etcd", "put", "puts/s", 10)
    assert verdict(etcd, line("revwatch-memory", "put", "puts/s", 70)) == "yes"
    assert verdict(etcd, line("revwatch-memory", "put", "puts/s", 69)) == "**no**"
    assert verdict(etcd) == "–"
