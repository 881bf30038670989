"""Which file the commands work on, and what they say when they cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import COMMAND, revwatch, revwatch_program
from revwatch import open as open_store
from scenario import Program, Run, Session, Watch

EVERY_VERB = [
    ["put", "k", "v"],
    ["get", "k"],
    ["del", "k"],
    ["txn"],
    ["compaction", "1"],
    ["watch", "k"],
    ["lease", "grant", "10"],
    ["lease", "revoke", "1"],
    ["lease", "keep-alive", "1"],
    ["lease", "timetolive", "1"],
    ["lease", "list"],
    ["status"],
    ["check"],
    ["history", "k"],
    ["follow", "k"],
]


@pytest.mark.parametrize("args", EVERY_VERB, ids=" ".join)
def test_without_a_store_nothing_works(args: list[str]) -> None:
    done = Session(Program(COMMAND, {}, 1)).run(Run(args, stdin="\n\n\n"))
    assert (done.exit, done.stdout) == (128, "")
    assert "--store" in done.stderr and "REVWATCH_STORE" in done.stderr


def test_the_flag_wins_over_the_environment(tmp_path: Path) -> None:
    one, other = tmp_path / "one.rw", tmp_path / "other.rw"
    for args in (["--store", str(other), "put", "k", "v"], ["put", "k", "v", f"--store={other}"]):
        assert revwatch(one, args).exit == 0
    assert not one.exists()
    assert revwatch(other, ["get", "k"]).stdout == "k\nv\n"


@pytest.mark.parametrize(
    ("args", "stdout"),
    [
        (["get", "k"], ""),
        (["txn"], "SUCCESS\n\n"),
        (["lease", "list"], "found 0 leases\n"),
        (["lease", "timetolive", "1"], "lease 0000000000000001 already expired\n"),
    ],
)
def test_a_store_that_does_not_exist_is_an_empty_one_to_etcdctls_verbs(
    args: list[str], stdout: str, tmp_path: Path
) -> None:
    done = revwatch(tmp_path / "new.rw", args, stdin="\nget k\n\n\n")
    assert (done.exit, done.stdout, done.stderr) == (0, stdout, "")


@pytest.mark.parametrize("args", [["status"], ["check"], ["history", "k"]], ids=" ".join)
def test_to_look_at_a_store_does_not_create_it(args: list[str], tmp_path: Path) -> None:
    store = tmp_path / "new.rw"
    done = revwatch(store, args)
    assert (done.exit, done.stdout) == (1, "")
    assert str(store) in done.stderr and "there is no store" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_follow_of_a_store_that_does_not_exist_waits_for_its_first_key(tmp_path: Path) -> None:
    session = Session(revwatch_program(tmp_path / "store.rw"))
    done = session.watch(Watch(["follow", "k"], lines=4, begun=1, then=[Run(["put", "k", "v"])]))
    assert done.stdout == "synced 1\nPUT\nk\nv\n"


def test_a_writer_waits_for_another_as_long_as_it_is_told(tmp_path: Path) -> None:
    store = tmp_path / "store.rw"
    with open_store(store):
        for words, least, most in [
            (["--lock-timeout=0"], 0, 3),
            (["--lock-timeout", "1.5", "--command-timeout=0s"], 1.5, 4.5),
            (["--lock-timeout=0", "--command-timeout=1h"], 0, 3),
        ]:
            began = time.monotonic()
            done = revwatch(store, ["put", "k", "v", *words])
            assert least <= time.monotonic() - began < most, words
            assert (done.exit, done.stdout) == (1, "")
            assert str(os.getpid()) in done.stderr
        assert revwatch(store, ["get", "k", "--lock-timeout=0"]).exit == 0, "readers do not wait"
    assert revwatch(store, ["put", "k", "v", "--lock-timeout=0"]).exit == 0


@pytest.mark.parametrize("text", ["", "-1", "1s", "soon", "nan", "1e3"])
def test_a_time_to_wait_that_is_no_number_of_seconds_is_refused(text: str, tmp_path: Path) -> None:
    done = revwatch(tmp_path / "new.rw", ["get", "k", f"--lock-timeout={text}"])
    assert (done.exit, done.stdout) == (1, "")
    assert "--lock-timeout" in done.stderr and "seconds" in done.stderr


def test_the_help_tells_our_flags_from_those_that_are_ignored(tmp_path: Path) -> None:
    for args in ([], ["--help"], ["get", "--help"]):
        told = revwatch(tmp_path / "new.rw", args).stdout
        assert "--lock-timeout SECONDS" in told and "(5)" in told
        ours, _, ignored = told.partition("accepted and ignored")
        assert "--command-timeout" not in ours
        assert ("--command-timeout" in ignored) == (args != ["get", "--help"])


@pytest.mark.parametrize("args", EVERY_VERB, ids=" ".join)
def test_a_file_of_another_program_is_refused_and_left_alone(
    args: list[str], tmp_path: Path
) -> None:
    other = tmp_path / "letter.txt"
    content = b"Dear reader,\n" * 1000
    other.write_bytes(content)
    done = revwatch(other, args, stdin="\n\n\n")
    assert done.exit == 1
    assert "letter.txt" in done.stderr and "Traceback" not in done.stderr
    assert other.read_bytes() == content


@pytest.mark.parametrize("args", EVERY_VERB, ids=" ".join)
def test_a_folder_is_no_store(args: list[str], tmp_path: Path) -> None:
    done = revwatch(tmp_path, args, stdin="\n\n\n")
    assert done.exit == 1
    assert str(tmp_path) in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("args", EVERY_VERB, ids=" ".join)
def test_a_folder_that_cannot_be_written_to(args: list[str]) -> None:
    # Not even the superuser can make a file there.
    done = revwatch(Path("/proc/store.rw"), args, stdin="\n\n\n")
    assert done.exit == 1
    assert "/proc/store.rw" in done.stderr and "Traceback" not in done.stderr


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    store = tmp_path / "store.rw"
    for number in range(40):
        assert revwatch(store, ["put", f"k{number}", "v" * 1000]).exit == 0
    image = bytearray(store.read_bytes())
    # Whichever of these pages are the log's now, one of them holds an early key.
    for page in range(0, len(image), 4096):
        if b"k10" in image[page : page + 4096]:
            image[page + 96 : page + 160] = bytes(64)
    store.write_bytes(image)
    done = revwatch(store, ["check"])
    assert done.exit == 1
    assert done.stdout == "" and "page" in done.stderr
    told = revwatch(store, ["check", "-w", "json"])
    assert told.exit == 1 and told.stdout.startswith('{"ok":false,"problem":"')


def test_one_watches_while_another_writes(tmp_path: Path) -> None:
    session = Session(revwatch_program(tmp_path / "store.rw"))
    puts = [Run(["put", f"k{number}", str(number)]) for number in range(10)]
    done = session.watch(Watch(["watch", "k", "--prefix"], lines=30, then=puts))
    assert done.stdout == "".join(f"PUT\nk{number}\n{number}\n" for number in range(10))


def test_writers_take_turns(tmp_path: Path) -> None:
    store = tmp_path / "store.rw"
    env = {**os.environ, "REVWATCH_STORE": str(store)}
    writers = [
        subprocess.Popen([*COMMAND, "put", f"k{number}", "v"], env=env, stdout=subprocess.DEVNULL)
        for number in range(8)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 8
    assert revwatch(store, ["get", "k", "--prefix", "--keys-only"]).stdout.count("k") == 8


def _watching(store: Path, *args: str) -> subprocess.Popen[bytes]:
    """A watch from the first revision on, which has printed its first line."""
    env = {**os.environ, "REVWATCH_STORE": str(store)}
    process = subprocess.Popen(
        [*COMMAND, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("args", [("watch", "k", "--rev=1"), ("follow", "k")], ids=" ".join)
def test_a_signal_ends_without_a_word(
    sent: signal.Signals, args: tuple[str, ...], tmp_path: Path
) -> None:
    store = tmp_path / "store.rw"
    assert revwatch(store, ["put", "k", "v"]).exit == 0
    process = _watching(store, *args)
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (-sent, b"")


@pytest.mark.parametrize("args", [("watch", "k", "--rev=1"), ("follow", "k")], ids=" ".join)
def test_a_closed_pipe_ends_without_a_word_soon(args: tuple[str, ...], tmp_path: Path) -> None:
    store = tmp_path / "store.rw"
    assert revwatch(store, ["put", "k", "v"]).exit == 0
    process = _watching(store, *args)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    began = time.monotonic()
    assert process.wait(30) == -signal.SIGPIPE
    assert time.monotonic() - began < 10
    assert process.stderr.read() == b""
    process.stderr.close()


def test_closed_stdin_and_stdout_are_no_accident(tmp_path: Path) -> None:
    store = tmp_path / "store.rw"
    env = {**os.environ, "REVWATCH_STORE": str(store)}
    command = " ".join(COMMAND)
    assert revwatch(store, ["put", "k", "v"]).exit == 0
    for line, exit_code in [
        ("put k <&-", 128),
        ("txn <&-", 3),
        ("watch -i <&-", 3),
        ("get k >&-", 0),
        ("get k > /dev/full", 1),
    ]:
        done = subprocess.run(f"{command} {line}", shell=True, env=env, capture_output=True)
        assert (line, done.returncode) == (line, exit_code)
        assert b"Traceback" not in done.stderr and b"ignored" not in done.stderr


def test_a_failing_command_ends_an_interactive_watch_at_once(tmp_path: Path) -> None:
    store = tmp_path / "store.rw"
    assert revwatch(store, ["put", "k", "v"]).exit == 0
    env = {**os.environ, "REVWATCH_STORE": str(store)}
    process = subprocess.Popen(
        [*COMMAND, "watch", "-i"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(b"watch k --rev=1 -- false\n")
    process.stdin.flush()
    assert process.wait(30) == 1
    assert b"false" in process.stderr.read()
    process.communicate()
