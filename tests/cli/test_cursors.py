"""cursor, changes and apply, which etcdctl does not have."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND, revwatch


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Revisions 2 to 4: a=1, b=2, a=3."""
    path = tmp_path / "store.rw"
    for words in (["a", "1"], ["b", "2"], ["a", "3"]):
        assert revwatch(path, ["put", *words]).exit == 0
    return path


def test_a_cursor_goes_on_after_what_was_acknowledged(store: Path) -> None:
    made = revwatch(store, ["cursor", "create", "mailer", "a", "--rev=1", "--hold"])
    assert made.stdout == "mailer\nrange a\nacked_revision 0\nlag_revisions 4\nhold 1\n"
    both = "revision 2\nPUT\na\n1\nrevision 4\nPUT\na\n3\n"
    assert revwatch(store, ["cursor", "poll", "mailer"]).stdout == both
    assert revwatch(store, ["cursor", "poll", "mailer", "--limit=1"]).stdout == both[:19]
    assert revwatch(store, ["cursor", "ack", "mailer", "2"]).exit == 0
    assert revwatch(store, ["cursor", "poll", "mailer", "--ack"]).stdout == both[19:]
    assert revwatch(store, ["cursor", "poll", "mailer"]).stdout == ""


def test_a_hold_stops_compaction_until_the_cursor_is_gone(store: Path) -> None:
    assert revwatch(store, ["cursor", "create", "c", "", "--prefix", "--rev=1", "--hold"]).exit == 0
    done = revwatch(store, ["compaction", "4"])
    assert done.exit == 1
    assert 'the cursor "c"' in done.stderr
    assert revwatch(store, ["cursor", "delete", "c"]).exit == 0
    assert revwatch(store, ["compaction", "4"]).exit == 0
    assert revwatch(store, ["cursor", "list"]).stdout == ""


def test_a_lost_history_is_told_beside_the_events(store: Path) -> None:
    assert revwatch(store, ["cursor", "create", "c", "a", "--rev=1"]).exit == 0
    assert revwatch(store, ["compaction", "4"]).exit == 0
    done = revwatch(store, ["cursor", "poll", "c"])
    assert (done.exit, done.stdout) == (0, "revision 4\nPUT\na\n3\n")
    assert "before revision 4 was compacted" in done.stderr


def test_cursors_in_json(store: Path) -> None:
    revwatch(store, ["cursor", "create", "c", "a", "b"])
    line = revwatch(store, ["cursor", "list", "-w", "json"]).stdout
    assert json.loads(line) == {
        "name": "Yw==",
        "key": "YQ==",
        "range_end": "Yg==",
        "acked_revision": 4,
        "lag_revisions": 0,
        "hold": False,
    }


def test_what_cannot_be_is_refused(store: Path) -> None:
    assert revwatch(store, ["cursor", "poll", "none"]).exit == 1
    assert revwatch(store, ["cursor", "delete", "none"]).exit == 1
    assert revwatch(store, ["cursor", "list"]).stdout == ""
    revwatch(store, ["cursor", "create", "c", "a"])
    beyond = revwatch(store, ["cursor", "ack", "c", "9"])
    assert beyond.exit == 1
    assert "delivery has come to 4" in beyond.stderr
    for words in (["ack", "c"], ["ack", "c", "x"], ["create", "c"], ["list", "x"], ["poll"]):
        assert revwatch(store, ["cursor", *words]).exit == 128
    assert revwatch(store, ["cursor", "list", "-w", "fields"]).exit == 4


def test_changes_make_another_file_the_same_store(store: Path, tmp_path: Path) -> None:
    def run(path: Path, words: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [*COMMAND, "--store", str(path), *words]
        return subprocess.run(command, input=stdin, capture_output=True, check=False)

    copy = tmp_path / "copy.rw"
    first = run(store, ["changes", "1", "3"])
    assert run(copy, ["apply"], first.stdout).stdout == b"revision 3\n"
    rest = run(store, ["changes", "3"])
    assert run(copy, ["apply"], rest.stdout).stdout == b"revision 4\n"
    everything = ["history", "", "--prefix"]
    assert run(copy, everything).stdout == run(store, everything).stdout
    again = run(copy, ["apply"], rest.stdout)
    assert again.returncode == 1
    assert b"begin after revision 3, the store is at 4" in again.stderr
    assert run(copy, ["apply"], b"junk").returncode == 1
    assert run(store, ["changes", "9"]).returncode == 1
    assert run(store, ["changes", "x"]).returncode == 128
