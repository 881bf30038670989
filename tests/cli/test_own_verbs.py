"""status, check, history and follow, which etcdctl does not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import revwatch, revwatch_program
from scenario import Run, Session, Watch


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Revisions 2 to 5: a=1, b=2, a and b=3 at once, a deleted."""
    path = tmp_path / "store.rw"
    for args, stdin in [
        (["put", "a", "1"], ""),
        (["put", "b", "2"], ""),
        (["txn"], "\nput b 3\nput a 3\n\n\n"),
        (["del", "a"], ""),
    ]:
        assert revwatch(path, args, stdin).exit == 0
    return path


def test_history_is_every_kept_change_in_order(store: Path) -> None:
    done = revwatch(store, ["history", "", "--prefix"])
    assert (done.exit, done.stdout) == (
        0,
        "revision 2\nPUT\na\n1\nrevision 3\nPUT\nb\n2\nrevision 4\nPUT\nb\n3\nPUT\na\n3\n"
        "revision 5\nDELETE\na\n\n",
    )
    assert revwatch(store, ["history", "a", "--rev=4", "--hex"]).stdout == (
        "revision 4\nPUT\n\\x61\n\\x33\nrevision 5\nDELETE\n\\x61\n\n"
    )
    assert revwatch(store, ["history", "a", "b"]).stdout.count("PUT") == 2
    assert revwatch(store, ["history", "b", "--from-key"]).stdout.count("PUT") == 2
    assert revwatch(store, ["history", "none"]).stdout == ""


def test_history_is_one_json_line_for_each_revision(store: Path) -> None:
    lines = revwatch(store, ["history", "a", "-w", "json"]).stdout.splitlines()
    assert [json.loads(line)["revision"] for line in lines] == [2, 4, 5]
    assert lines[-1] == '{"revision":5,"events":[{"type":1,"kv":{"key":"YQ==","mod_revision":5}}]}'


def test_compacted_history_is_gone(store: Path) -> None:
    assert revwatch(store, ["compaction", "4"]).exit == 0
    assert revwatch(store, ["history", "", "--prefix"]).stdout == (
        "revision 4\nPUT\nb\n3\nPUT\na\n3\nrevision 5\nDELETE\na\n\n"
    )
    done = revwatch(store, ["history", "a", "--rev=2"])
    assert (done.exit, done.stdout) == (1, "")


def test_status_counts(store: Path) -> None:
    told = dict(line.split() for line in revwatch(store, ["status"]).stdout.splitlines())
    assert (told["revision"], told["compact_revision"], told["keys"]) == ("5", "-1", "1")
    assert int(told["size_allocated"]) >= int(told["size_in_use"]) > 0
    status = json.loads(revwatch(store, ["status", "-w", "json"]).stdout)
    assert {name: str(value) for name, value in status.items()} == told
    assert revwatch(store, ["status", "-w", "fields"]).exit == 4
    assert revwatch(store, ["status", "x"]).exit == 128


def test_check_says_ok(store: Path) -> None:
    done = revwatch(store, ["check"])
    assert (done.exit, done.stdout) == (0, "ok\n")
    assert revwatch(store, ["check", "-w", "json"]).stdout == '{"ok":true}\n'


def test_follow_is_the_state_a_mark_and_then_changes(store: Path) -> None:
    session = Session(revwatch_program(store))
    done = session.watch(
        Watch(
            ["follow", "", "--prefix"],
            lines=9,
            begun=3,
            then=[Run(["put", "c", "4"]), Run(["del", "b"])],
        )
    )
    assert done.stdout == "b\n3\nsynced 5\nPUT\nc\n4\nDELETE\nb\n\n"
    assert done.exit == -2


def test_follow_in_json_names_each_kind(store: Path) -> None:
    done = Session(revwatch_program(store)).watch(
        Watch(["follow", "b", "-w", "json"], lines=3, begun=2, then=[Run(["put", "b", "4"])])
    )
    kv = '"create_revision":3,"mod_revision":4,"version":2,"value":"Mw=="'
    new = '"create_revision":3,"mod_revision":6,"version":3,"value":"NA=="'
    assert done.stdout.splitlines() == [
        f'{{"type":"state","kvs":[{{"key":"Yg==",{kv}}}]}}',
        '{"type":"synced","revision":5}',
        f'{{"type":"events","revision":6,"events":[{{"kv":{{"key":"Yg==",{new}}}}}]}}',
    ]


@pytest.mark.parametrize("verb", ["history", "follow"])
@pytest.mark.parametrize(
    "words", [[], ["a", "b", "c"], ["a", "b", "--prefix"], ["a", "--prefix", "--from-key"]]
)
def test_what_to_show_must_be_clear(verb: str, words: list[str], tmp_path: Path) -> None:
    done = revwatch(tmp_path / "store.rw", [verb, *words])
    assert (done.exit, done.stdout) == (128, "")
    assert done.stderr.startswith(f"revwatch: {verb}: ")
