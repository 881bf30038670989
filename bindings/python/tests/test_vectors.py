"""The cases that every language answers alike, on stores in memory and in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import revwatch
from vectors import Json, Runner, canonical, from_bytes

FOLDER = Path(__file__).resolve().parents[3] / "tests/vectors"
FILES = sorted(FOLDER.glob("*.json"))


def test_there_are_vectors() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_store_in_memory_answers_as_expected(file: Path) -> None:
    stores: list[revwatch.Store] = []

    def open_store(keep: bool, options: Json) -> revwatch.Store:
        # A store in memory ends when it is closed, so there a reopening only loses the watchers.
        if not keep:
            for store in stores:
                store.close()
            stores.append(revwatch.open(clock="manual", **options))
        return stores[-1]

    Runner(open_store, json.loads(file.read_text(encoding="utf-8"))).run()


# In batches, watchers hear of a write later than the vectors expect: when it is durable.
@pytest.mark.parametrize("durability", ["commit", "never"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_store_in_a_file_answers_as_expected(
    file: Path, durability: revwatch.Durability, tmp_path: Path
) -> None:
    run_in_files(json.loads(file.read_text(encoding="utf-8")), tmp_path, durability)


def run_in_files(vector: Json, folder: Path, durability: revwatch.Durability) -> None:
    stores: list[revwatch.Store] = []
    number = 0

    def open_store(keep: bool, options: Json) -> revwatch.Store:
        nonlocal number
        for store in stores:
            store.close()
        number += not keep
        path = folder / f"{number}.revwatch"
        stores.append(revwatch.open(path, clock="manual", durability=durability, **options))
        return stores[-1]

    Runner(open_store, vector).run()


def test_a_wrong_expectation_fails() -> None:
    vector = {
        "name": "wrong",
        "steps": [{"op": "put", "args": {"key": "a"}, "expect": {"revision": 3}}],
    }
    with pytest.raises(AssertionError, match="step 0"):
        Runner(lambda keep, options: revwatch.open(clock="manual"), vector).run()


@pytest.mark.parametrize(
    "step",
    [
        {"op": "dance"},
        {"op": "put", "args": {"key": "a", "colour": "red"}},
        {"op": "put", "args": {"key": "a"}, "expected": {}},
        {"op": "put", "args": {"key": "a"}, "error": "EmptyKey"},
        {"op": "put", "args": {"key": ""}, "expect": {}},
        {"op": "put", "args": {"key": ""}, "error": "Compacted"},
    ],
)
def test_what_is_not_known_fails(step: dict[str, object]) -> None:
    with pytest.raises((AssertionError, TypeError)):
        vector = {"name": "x", "steps": [step]}
        Runner(lambda keep, options: revwatch.open(clock="manual"), vector).run()


def test_values_have_one_spelling() -> None:
    assert from_bytes(b"text") == "text"
    assert from_bytes(b"\0") == {"hex": "00"}
    assert canonical({"a": 0, "b": False, "c": b"", "d": [], "e": {"hex": "00"}, "f": None}) == {
        "e": {"hex": "00"}
    }
    assert canonical({"key": {"repeat": "ab", "times": 2}}) == {"key": "abab"}
