"""snapshot and repair on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import revwatch

PAGE = 4096


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Revisions 2 to 4: a=1, b=2, a=3."""
    path = tmp_path / "store.rw"
    for words in (["a", "1"], ["b", "2"], ["a", "3"]):
        assert revwatch(path, ["put", *words]).exit == 0
    return path


def facts(text: str) -> dict[str, str]:
    return dict(line.partition(" ")[::2] for line in text.splitlines())


def test_a_store_is_saved_and_restored(store: Path, tmp_path: Path) -> None:
    file, copy = tmp_path / "all.snapshot", tmp_path / "copy.rw"
    saved = revwatch(store, ["snapshot", "save", str(file)])
    assert (saved.exit, saved.stdout) == (0, f"Snapshot saved at {file}\n")
    told = facts(revwatch(store, ["snapshot", "status", str(file)]).stdout)
    assert (told["since"], told["revision"], told["changes"]) == ("0", "4", "3")
    assert int(told["size"]) == file.stat().st_size
    done = revwatch(store, ["snapshot", "restore", str(file), "--to", str(copy)])
    assert (done.exit, done.stdout) == (0, "revision 4\n")
    history = ["history", "", "--prefix"]
    assert revwatch(copy, history).stdout == revwatch(store, history).stdout
    assert revwatch(copy, ["check"]).stdout == "ok\n"
    done = revwatch(store, ["snapshot", "restore", str(file), "--to", str(copy)])
    assert done.exit == 1 and "a store at this place already" in done.stderr


def test_a_copy_is_brought_up_to_date(store: Path, tmp_path: Path) -> None:
    file, copy = tmp_path / "some.snapshot", tmp_path / "copy.rw"
    assert revwatch(store, ["snapshot", "save", str(file)]).exit == 0
    assert revwatch(store, ["snapshot", "restore", str(file), "--to", str(copy)]).exit == 0
    assert revwatch(store, ["del", "b"]).exit == 0
    assert revwatch(store, ["snapshot", "save", str(file), "--since=4"]).exit == 0
    status = json.loads(revwatch(store, ["snapshot", "status", str(file), "-w", "json"]).stdout)
    assert (status["since"], status["revision"], status["changes"]) == (4, 5, 1)
    assert revwatch(copy, ["snapshot", "apply", str(file)]).stdout == "revision 5\n"
    assert revwatch(copy, ["get", "b"]).stdout == ""
    done = revwatch(copy, ["snapshot", "apply", str(file)])
    assert done.exit == 1 and "after revision 4" in done.stderr
    new = tmp_path / "new.rw"
    done = revwatch(store, ["snapshot", "restore", str(file), "--to", str(new)])
    assert done.exit == 1 and "after revision 4" in done.stderr


def test_what_is_no_snapshot_is_refused_by_name(store: Path, tmp_path: Path) -> None:
    file, copy = tmp_path / "all.snapshot", tmp_path / "copy.rw"
    assert revwatch(store, ["snapshot", "save", str(file)]).exit == 0
    file.write_bytes(file.read_bytes()[:-1])
    for words in (["status", str(file)], ["restore", str(file), "--to", str(copy)]):
        done = revwatch(store, ["snapshot", *words])
        assert done.exit == 1 and "last chunk is missing" in done.stderr
    done = revwatch(copy, ["get", "a"])
    assert done.exit == 1 and "is not complete" in done.stderr
    done = revwatch(store, ["snapshot", "status", str(tmp_path / "none")])
    assert done.exit == 1 and "none: No such file" in done.stderr
    assert revwatch(store, ["snapshot", "restore", str(file)]).exit == 128
    assert revwatch(store, ["snapshot", "save"]).exit == 128


def test_repair_saves_what_is_left_and_lists_what_is_not(tmp_path: Path) -> None:
    store, new = tmp_path / "store.rw", tmp_path / "new.rw"
    for i in range(40):
        assert revwatch(store, ["put", f"key{i:02}", "x" * 900]).exit == 0
    image = bytearray(store.read_bytes())
    # The pages that are full hold four puts each.
    full = [
        slot for slot in range(2, len(image) // PAGE) if b"key10" in image[slot * PAGE :][:PAGE]
    ]
    for slot in full:
        image[slot * PAGE + 3000] ^= 1
    store.write_bytes(image)
    assert revwatch(store, ["check"]).exit == 1
    done = revwatch(store, ["repair", str(store), "--to", str(new)])
    assert done.exit == 0
    told = facts(done.stdout)
    assert (told["whole"], told["revision"], told["lost_the_newest"]) == ("0", "41", "0")
    assert told["damaged_pages"].split() == [str(slot) for slot in full]
    after, before = map(int, told["lost_between"].split(".."))
    assert after < 12 < before
    keys = revwatch(new, ["get", "", "--prefix", "--keys-only"]).stdout.split()
    assert keys == [f"key{i:02}" for i in range(40) if not after < i + 2 < before]
    assert set(told["uncertain_keys"].split()) == {f"key{i:02}" for i in range(after - 1)}
    assert revwatch(new, ["check"]).stdout == "ok\n"
