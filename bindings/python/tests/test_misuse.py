"""What is asked wrongly is refused with a clear error, and never damages anything."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import revwatch


def test_a_closed_store_refuses_everything(store: revwatch.Store) -> None:
    store.close()
    store.close()
    uses: list[Callable[[], Any]] = [
        lambda: store.put(b"k", b""),
        lambda: store.get(b"k"),
        lambda: store.range(b"k"),
        lambda: store.range_stream(b"k"),
        lambda: store.hash_kv(),
        lambda: store.delete_range(b"k"),
        lambda: store.txn([], [], []),
        lambda: store.compact(1),
        lambda: store.lease_grant(1000),
        lambda: store.lease_revoke(1),
        lambda: store.lease_keep_alive(1),
        lambda: store.lease_time_to_live(1),
        lambda: store.leases(),
        lambda: store.status(),
        lambda: store.check(),
        lambda: store.flush(),
        lambda: store.step(),
        lambda: list(store.history(b"k")),
        lambda: store.watch(b"k"),
        lambda: store.watch_stream(),
        lambda: store.follow(b"k"),
        lambda: store.resume_token(),
        lambda: store.__enter__(),
    ]
    for number, use in enumerate(uses):
        with pytest.raises(revwatch.Closed) as caught:
            use()
        assert "closed" in str(caught.value), number


def test_a_closed_store_invalidates_its_children() -> None:
    store = revwatch.open()
    watch, follow = store.watch(b"k"), store.follow(b"k")
    stream, history = store.watch_stream(), store.history(b"k")
    kvs = store.range_stream(b"k")
    store.put(b"k", b"")
    store.close()
    for use in (
        watch.poll,
        follow.poll,
        stream.poll,
        lambda: stream.watch(b"k"),
        lambda: stream.cancel(0),
        lambda: next(history),
        lambda: next(kvs),
        kvs.next_kvs,
        lambda: next(iter(watch)),
        lambda: next(iter(follow)),
    ):
        with pytest.raises(revwatch.Closed, match="store"):
            use()
    for child in (watch, follow, stream, kvs):
        child.close()


def test_what_was_not_yet_asked_for_is_gone_when_the_store_is_closed() -> None:
    store = revwatch.open()
    watch = store.watch(b"k")
    for _ in range(3):
        store.put(b"k", b"")
    assert watch.poll() is not None
    store.close()
    with pytest.raises(revwatch.Closed):
        watch.poll()


def test_a_closed_child_refuses_and_leaves_the_store_alone(store: revwatch.Store) -> None:
    for child in (store.watch(b"k"), store.follow(b"k"), store.watch_stream()):
        child.close()
        child.close()
        with pytest.raises(revwatch.Closed):
            child.poll()
    assert store.status().watch_streams == 0
    store.put(b"k", b"")


@pytest.mark.parametrize("wrong", ["text", 5, None, 1.5, ["list"], object()])
def test_what_is_not_bytes_is_a_type_error(store: revwatch.Store, wrong: Any) -> None:
    uses: list[Callable[[], Any]] = [
        lambda: store.put(wrong, b""),
        lambda: store.put(b"k", wrong),
        lambda: store.get(wrong),
        lambda: store.range_stream(wrong),
        lambda: store.delete_range(wrong),
        lambda: store.watch(wrong),
        lambda: store.follow(wrong),
        lambda: store.history(wrong),
        lambda: store.txn([], [revwatch.Put(wrong, b"")], []),
    ]
    for use in uses:
        with pytest.raises(TypeError, match="encode" if isinstance(wrong, str) else "bytes"):
            use()
    assert store.status().revision == 1
    assert store.status().watchers == 0


def test_numbers_that_do_not_fit_are_refused(store: revwatch.Store) -> None:
    for number in (2**63, -(2**63) - 1, 2**200):
        with pytest.raises(ValueError, match=rf"lease is {number}: .* 9223372036854775807"):
            store.put(b"k", b"", lease=number)
        with pytest.raises(ValueError, match=rf"revision is {number}: .* -9223372036854775808"):
            store.range(b"k", revision=number)
    with (
        store.watch(b"k") as watch,
        pytest.raises(ValueError, match=r"max_events is -1: .* from 0"),
    ):
        watch.poll(max_events=-1)
    with pytest.raises(TypeError, match="limit is a str"):
        store.range(b"k", limit="all")  # type: ignore[arg-type]
    assert store.status().revision == 1


def test_numbers_given_by_themselves_are_refused_by_name(store: revwatch.Store) -> None:
    with store.watch_stream() as stream:
        uses: list[tuple[str, Callable[[Any], Any]]] = [
            ("revision", store.compact),
            ("revision", store.hash_kv),
            ("revision", lambda wrong: store.get(b"k", revision=wrong)),
            ("revision", lambda wrong: store.range_stream(b"k", revision=wrong)),
            ("max_keys", lambda wrong: store.range_stream(b"k").next_kvs(wrong)),
            ("max_bytes", lambda wrong: store.range_stream(b"k").next_kvs(1, wrong)),
            ("ttl_ms", store.lease_grant),
            ("id", lambda wrong: store.lease_grant(1000, wrong)),
            ("id", store.lease_revoke),
            ("id", store.lease_keep_alive),
            ("id", store.lease_time_to_live),
            ("now_ms", store.step),
            ("budget_bytes", lambda wrong: store.step(budget_bytes=wrong)),
            ("watch_id", stream.cancel),
            ("watch_id", lambda wrong: stream.watch(b"k", watch_id=wrong)),
            (
                "operand",
                lambda wrong: store.txn([revwatch.Compare(b"k", "mod", "=", wrong)], [], []),
            ),
        ]
        for name, use in uses:
            for number in (2**64, -(2**63) - 1):
                with pytest.raises(ValueError, match=f"^{name} is {number}: give "):
                    use(number)
            with pytest.raises(TypeError, match=name if name != "operand" else "mod is compared"):
                use("7")
    with pytest.raises(ValueError, match="now_ms is -1"):
        store.step(-1)
    status = store.status()
    assert (status.revision, status.leases, status.watchers) == (1, 0, 0)


@pytest.mark.parametrize(
    "name",
    [
        "quota_bytes",
        "retain_revisions",
        "retain_ms",
        "request_bytes",
        "txn_ops",
        "lease_min_ttl_ms",
    ],
)
@pytest.mark.parametrize("wrong", [-1, -5, 2**64, "1", 1.5])
def test_a_bound_that_is_none_is_refused_by_its_name(name: str, wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError, revwatch.InvalidOption), match=f"^{name} is "):
        revwatch.open(**{name: wrong})


@pytest.mark.parametrize("wrong", ["x", (1, 2), [1, 2], 7, b"12", object()])
def test_what_is_no_resume_token_is_a_type_error(store: revwatch.Store, wrong: Any) -> None:
    uses: list[Callable[[], Any]] = [
        lambda: store.follow(b"k", resume=wrong),
        lambda: store.watch(b"k", resume=wrong),
        lambda: store.watch_stream().watch(b"k", resume=wrong),
    ]
    for use in uses:
        with pytest.raises(TypeError, match=f"resume is a {type(wrong).__name__}: .* ResumeToken"):
            use()
    half: Any = revwatch.ResumeToken(1, "2")  # type: ignore[arg-type]
    for use in (lambda: store.follow(b"k", resume=half), lambda: store.watch(b"k", resume=half)):
        with pytest.raises(TypeError, match="revision is a str"):
            use()
    assert store.status().watchers == 0


def test_words_that_do_not_exist_are_refused(store: revwatch.Store) -> None:
    with pytest.raises(ValueError, match="sort_order"):
        store.range(b"k", sort_order="up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sort_target"):
        store.range(b"k", sort_target="size")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="durability"):
        revwatch.open(durability="perhaps")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="exclude"):
        store.range(b"k", b"l", prefix=True)
    with pytest.raises(ValueError, match="exclude"):
        store.watch(b"k", prefix=True, from_key=True)


def test_an_empty_key_is_refused(store: revwatch.Store) -> None:
    for use in (
        lambda: store.put(b"", b"v"),
        lambda: store.range(b""),
        lambda: store.delete_range(b"", b"z"),
    ):
        with pytest.raises(revwatch.EmptyKey):
            use()


def test_a_value_beyond_the_limit_is_refused_and_one_below_it_kept(
    store: revwatch.Store,
) -> None:
    with pytest.raises(revwatch.RequestTooLarge, match="limit"):
        store.put(b"k", bytes(2 * 1024 * 1024))
    with pytest.raises(revwatch.RequestTooLarge):
        store.put(bytes(64 * 1024 * 1024), b"")
    large = random.Random(1).randbytes(1_500_000)
    store.put(b"k", large)
    kv = store.get(b"k")
    assert kv is not None and kv.value == large


def test_a_watch_that_can_never_match_is_refused(store: revwatch.Store) -> None:
    with pytest.raises(revwatch.EmptyWatchRange):
        store.watch(b"k", b"a")
    assert store.status().watch_streams == 0


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "such" / "folder" / "file"
    with pytest.raises(revwatch.StoreNotFound, match="no/such/folder"):
        revwatch.open(nowhere)
    with pytest.raises(revwatch.StoreNotFound):
        revwatch.open(tmp_path / "absent", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_a_store(tmp_path: Path) -> None:
    with pytest.raises(revwatch.RevwatchError):
        revwatch.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("empty", ["", b""])
@pytest.mark.parametrize("read_only", [False, True])
def test_an_empty_path_is_said_to_be_empty(empty: str | bytes, read_only: bool) -> None:
    with pytest.raises(ValueError, match="path is empty"):
        revwatch.open(empty, read_only=read_only)


def test_a_path_with_a_zero_byte_is_refused() -> None:
    with pytest.raises((ValueError, revwatch.InvalidArgument)):
        revwatch.open("a\0b")


def test_a_folder_that_takes_no_files_is_said_to_be_so() -> None:
    # Even the superuser can create nothing there.
    with pytest.raises((revwatch.PermissionDenied, revwatch.StoreNotFound, revwatch.Io)) as caught:
        revwatch.open("/proc/self/revwatch-test")
    assert "/proc/self/revwatch-test" in str(caught.value)


def test_the_file_of_another_program_is_refused_and_left_as_it_was(path: Path) -> None:
    for content in (
        b"SQLite format 3\0" + bytes(8176),
        b"hello",
        random.Random(2).randbytes(8 * 4096),
    ):
        path.write_bytes(content)
        with pytest.raises(revwatch.RevwatchError) as caught:
            revwatch.open(path)
        assert isinstance(caught.value, revwatch.NotAStore | revwatch.Corrupt), content[:8]
        assert path.read_bytes() == content


def test_damage_is_an_error_or_leaves_a_store_that_was_once_true(path: Path) -> None:
    """One flipped byte anywhere: never a crash, never a value that nobody wrote."""
    with revwatch.open(path) as store:
        for number in range(400):
            store.put(b"key%d" % (number % 40), b"value%d" % number)
    image = path.read_bytes()
    rng = random.Random(3)
    refused = 0
    for _ in range(60):
        damaged = bytearray(image)
        damaged[rng.randrange(len(image))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            with revwatch.open(path) as store:
                for event in store.history(b"", prefix=True):
                    number = event.kv.mod_revision - 2
                    assert event.kv.key == b"key%d" % (number % 40)
                    assert event.kv.value == b"value%d" % number
                store.check()
        except revwatch.RevwatchError as error:
            assert isinstance(error, revwatch.Corrupt | revwatch.NotAStore), error
            assert "page" in str(error)
            refused += 1
    assert refused > 0, "a checksum that never complains checks nothing"


def test_a_truncated_file_is_noticed(path: Path) -> None:
    with revwatch.open(path) as store:
        for number in range(200):
            store.put(b"%d" % number, bytes(1000))
    image = path.read_bytes()
    path.write_bytes(image[: len(image) // 2 // 4096 * 4096])
    with pytest.raises(revwatch.Corrupt):
        revwatch.open(path)


def test_a_read_only_store_reads_and_refuses_writes(path: Path) -> None:
    with revwatch.open(path) as store:
        store.put(b"k", b"v")
    with revwatch.open(path, read_only=True) as store:
        kv = store.get(b"k")
        assert kv is not None and kv.value == b"v"
        assert store.status().read_only is True
        for use in (
            lambda: store.put(b"k", b""),
            lambda: store.delete_range(b"k"),
            lambda: store.compact(1),
            lambda: store.lease_grant(5000),
            lambda: store.txn([], [revwatch.Put(b"k", b"")], []),
        ):
            with pytest.raises(revwatch.ReadOnly):
                use()


def test_a_second_writer_of_the_same_process_is_refused(path: Path) -> None:
    with revwatch.open(path):
        with pytest.raises(revwatch.Locked, match=str(os.getpid())):
            revwatch.open(path, lock_timeout=0)
        with revwatch.open(path, read_only=True) as reader:
            assert reader.get(b"k") is None
    revwatch.open(path, lock_timeout=0).close()


def test_a_store_is_not_used_across_a_fork(path: Path) -> None:
    """A child has a copy of the memory, but the locks and the file belong to its parent."""
    with revwatch.open(path) as store:
        store.put(b"k", b"v")
        child = os.fork()
        if child == 0:
            try:
                store.put(b"k", b"from the child")
            except revwatch.Closed:
                os._exit(7)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        assert store.put(b"k", b"parent").revision == 3
    with revwatch.open(path) as store:
        store.check()
        assert store.status().revision == 3
