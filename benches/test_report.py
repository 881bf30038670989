"""The report must not flatter: what differs is not compared, and less is better where it is."""

import json
import sys
from pathlib import Path
from subprocess import CalledProcessError

import goals
import growth
import pytest
import remaining
import report
import rounds
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


def test_a_round_that_a_subject_lacks_is_named_unless_a_program_ended_early(tmp_path: Path) -> None:
    lines = [line(subject, "put", "puts/s", 1, round=0) for subject in ("own", "other")]
    lines.append(line("own", "put", "puts/s", 1, round=1))
    [found] = measured(tmp_path, *lines).disagreements(["own", "other"])
    assert found.startswith("put, round 2")
    ended = measured(tmp_path, *lines, {"absent": "other --round 1: SIGKILL"})
    assert not ended.disagreements(["own", "other"])


def test_a_goal_is_reached_only_by_what_was_measured(tmp_path: Path) -> None:
    def verdict(*lines: Line) -> str:
        _, rows = goals.table(measured(tmp_path, *lines), None)
        return next(row[3][0] for row in rows if row[0][0] == "put, memory, to etcd")

    etcd = line("etcd", "put", "puts/s", 10)
    assert verdict(etcd, line("revwatch-memory", "put", "puts/s", 70)) == "yes"
    assert verdict(etcd, line("revwatch-memory", "put", "puts/s", 69)) == "**no**"
    assert verdict(etcd) == "–"


def test_what_the_system_kills_is_absent_and_ends_no_run(tmp_path: Path) -> None:
    told = json.dumps(line("etcd", "put", "puts/s", 10, count=1, round=0))
    kill = "import os; os.kill(os.getpid(), 9)"
    program = [sys.executable, "-c", f"print({told!r}, flush=True); {kill}", "--dir", "/somewhere"]
    done, absent = rounds.measure(program)
    assert done["value"] == 10
    assert str(absent["absent"]).endswith(": SIGKILL")
    assert "somewhere" not in str(absent["absent"])
    results = measured(tmp_path, done, absent)
    assert results.median("put", "etcd") == 10
    assert results.absent == [absent["absent"]]


def test_a_program_that_fails_ends_the_run_unless_it_is_a_peer() -> None:
    program = [sys.executable, "-c", "raise SystemExit(101)"]
    with pytest.raises(CalledProcessError):
        list(rounds.measure(program))
    (absent,) = rounds.measure(program, may_fail=True)
    assert str(absent["absent"]).endswith(": exit status 101")


def test_what_is_left_is_guessed_by_the_pace_so_far() -> None:
    left = remaining.Remaining([60, 120, 60], later=60)
    assert left.minutes == 5
    left.finished(60, took=180)  # three times as long as on the quiet machine
    assert left.minutes == 12
    left.finished(120, took=0)
    assert left.minutes == 2


def test_each_workload_stands_in_its_section() -> None:
    assert report.section_of("get, Zipf") == "Beside etcd"
    assert report.section_of("get, 64 clients") == "Beside a real etcd"
    assert report.section_of("latency of a durable put, p99") == "Beside a real etcd"
    assert report.section_of("latency of a put, p99") == "Latency"
