"""The guard must see a path that grew, and must not compare what cannot be compared."""

from dataclasses import asdict, replace

from instructions import Environment, compare, differences

HERE = Environment("rustc 1.95.0", "x86_64", "glibc 2.36", "x86_64 with AVX2", "valgrind-3.19.0")


def failed(recorded: dict[str, float], counted: dict[str, float]) -> list[str]:
    return [verdict.path for verdict in compare(recorded, counted) if verdict.failed]


def test_a_path_that_grew_by_more_than_five_percent_fails() -> None:
    recorded = {"put": 1000.0, "get": 1000.0, "range": 1000.0}
    assert failed(recorded, {"put": 1051.0, "get": 1049.0, "range": 100.0}) == ["put"]


def test_a_path_that_is_only_recorded_or_only_measured_fails() -> None:
    assert failed({"gone": 1.0}, {"new": 1.0}) == ["gone", "new"]


def test_only_the_environment_of_the_record_is_compared() -> None:
    assert differences(asdict(HERE), HERE) == []
    for name in asdict(HERE):
        [difference] = differences(asdict(HERE), replace(HERE, **{name: "another"}))
        assert difference.startswith(f"{name}: ")
