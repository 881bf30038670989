"""A reader written from FORMAT.md alone finds in an image what the library finds there.

``REVWATCH_SEED`` sets where the random histories and damages begin.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import revwatch
from revwatch import DeleteRange, KeyValue, Op, Put, Store
from xxhash import xxh3_64_intdigest

from .contents import Change, Contents, Cursor, read_contents
from .pages import HEADER, MAGIC, Damaged
from .scenarios import GOLDEN, SCENARIOS, killed

SEED = int(os.environ.get("REVWATCH_SEED", "1"))
PAGE = 4096
IMAGES = sorted(GOLDEN.glob("*.revwatch"))


def told(store: Store) -> Contents:
    """What the library says that a store holds, in the words of the reader."""
    status = store.status()
    found = Contents(status.revision, status.compact_revision)
    for event in store.history(b"\0", from_key=True):
        found.changes.append(change_of(event.kv, event.type == "PUT"))
    found.leases = {id: store.lease_time_to_live(id).granted_ttl_ms for id in store.leases()}
    for number, cursor in enumerate(store.cursors()):
        found.cursors[number] = Cursor(*cursor[:4], hold=cursor.hold)
    return found


def change_of(kv: KeyValue, is_put: bool) -> Change:
    if not is_put:
        return Change(kv.mod_revision, 0, kv.key)
    return Change(kv.mod_revision, 0, kv.key, kv.value, kv.create_revision, kv.version, kv.lease)


def without_subs(changes: list[Change]) -> list[tuple[object, ...]]:
    return [(c.main, c.key, c.value, c.create_revision, c.version, c.lease) for c in changes]


def assert_same(read: Contents, store: Store) -> None:
    """The reader and the library have found the same: history, state at each end of it, leases."""
    by_library = told(store)
    assert read.revision == by_library.revision
    assert read.compact_revision == by_library.compact_revision
    assert without_subs(read.history()) == without_subs(by_library.changes)
    assert read.leases == by_library.leases
    by_name = sorted(read.cursors.values(), key=lambda cursor: cursor.name)
    assert by_name == list(by_library.cursors.values())
    for revision in {max(read.compact_revision, 1), read.revision}:
        kvs = store.range(b"\0", from_key=True, revision=revision).kvs
        state = read.state(revision)
        assert [kv.key for kv in kvs] == sorted(state)
        assert without_subs([change_of(kv, True) for kv in kvs]) == without_subs(
            [state[kv.key] for kv in kvs]
        )


@pytest.fixture(params=IMAGES, ids=lambda path: path.name)
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    copy: Path = tmp_path / request.param.name
    shutil.copy(request.param, copy)
    return copy


def test_there_is_an_image_of_every_scenario_closed_and_killed() -> None:
    names = {f"{name}{how}.revwatch" for name in SCENARIOS for how in ("", ".killed")}
    assert {path.name for path in IMAGES} == names


def test_an_image_of_old_is_read_as_what_was_done_to_it(image: Path) -> None:
    read = read_contents(image.read_bytes())
    with revwatch.open(clock="manual") as store:
        SCENARIOS[image.name.split(".")[0]](store)
        assert_same(read, store)


def test_the_library_reads_an_image_of_old_and_goes_on_with_it(image: Path) -> None:
    with revwatch.open(image, read_only=True, clock="manual") as store:
        store.check()
        assert_same(read_contents(image.read_bytes()), store)
    with revwatch.open(image, clock="manual") as store:
        store.check()
        assert store.put(b"one more", b"value").revision == store.status().revision
    with revwatch.open(image, read_only=True, clock="manual") as store:
        assert_same(read_contents(image.read_bytes()), store)


def test_an_opening_after_a_crash_begins_an_epoch_that_the_reader_finds(image: Path) -> None:
    with revwatch.open(image, clock="manual") as store:
        epoch = store.status().epoch
    records = read_contents(image.read_bytes()).epochs
    assert epoch == max((number for number, _ in records), default=1)
    assert (epoch > 1) == (".killed" in image.name)


def consume(store: Store, rng: random.Random) -> None:
    """Makes, moves or deletes a durable cursor."""
    name = b"cursor %d" % rng.randint(0, 2)
    if rng.random() < 0.2:
        if name in {cursor.name for cursor in store.cursors()}:
            store.delete_cursor(name)
        return
    with store.cursor(name, b"k", prefix=True) as cursor:
        response = cursor.poll()
        if response is not None and rng.random() < 0.7:
            cursor.ack()


def random_history(store: Store, rng: random.Random) -> Iterator[None]:
    """Makes a random history; pauses after each operation."""
    keys = [b"k%d" % number * rng.randint(1, 3) for number in range(12)]
    now_ms = 0
    while True:
        key, value = rng.choice(keys), rng.randbytes(rng.choice((0, 3, 50, 900, 9_000)))
        match rng.randint(0, 17):
            case 0 | 1:
                store.delete_range(key, prefix=rng.random() < 0.3)
            case 2:
                ops: list[Op] = [Put(key, value), DeleteRange(b"k1", prefix=True)]
                store.txn([], rng.sample(ops, rng.randint(1, 2))[:1], [])
            case 3:
                store.txn([], [Put(key + bytes([n]), value[:90]) for n in range(6)], [])
            case 4:
                store.lease_grant(rng.randint(2_000, 50_000), rng.randint(-5, -1))
                # A lease may be there already.
            case 5 if store.leases():
                store.put(key, value, lease=rng.choice(store.leases()))
            case 6 if store.leases():
                store.lease_revoke(rng.choice(store.leases()))
            case 7:
                status = store.status()
                low = max(status.compact_revision + 1, 1)
                if low <= status.revision:
                    store.compact(rng.randint(low, status.revision))
            case 8:
                consume(store, rng)
            case 9:
                now_ms += rng.randint(0, 3_000)
                store.step(now_ms, rng.choice((1_000, 1 << 20)))
            case _:
                store.put(key, value)
        yield


def run(store: Store, rng: random.Random, operations: int) -> None:
    history = random_history(store, rng)
    for _ in range(operations):
        try:
            next(history)
        except revwatch.LeaseExists:
            history = random_history(store, rng)


@pytest.mark.parametrize("seed", range(SEED, SEED + 12))
def test_random_stores_are_read_as_the_library_reads_them(seed: int, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "store"
    for _session in range(3):
        with revwatch.open(path, clock="manual") as store:
            run(store, rng, 250)
            store.flush()  # acknowledgements wait for no disk
            read = read_contents(path.read_bytes())
            assert_same(read, store)
        killed(lambda store: run(store, rng, 40), path)
        read = read_contents(path.read_bytes())
        with revwatch.open(path, read_only=True, clock="manual") as store:
            assert_same(read, store)


def unsynced(store: Store) -> None:
    """The tail is written again and again, and nothing is synced."""
    for turn in range(60):
        store.put(b"key %d" % turn, b"value " * 50)
        store.step(turn * 1000, 1 << 20)


def broken(image: bytes, rng: random.Random) -> bytes:
    """One page is damaged, lost, moved, or lacks its end."""
    pages = len(image) // PAGE
    slot, other = rng.randrange(pages), rng.randrange(pages)
    page = bytearray(image[slot * PAGE :][:PAGE])
    match rng.randint(0, 3):
        case 0:
            page[rng.randrange(PAGE)] ^= 1 << rng.randrange(8)
        case 1:
            page[:] = bytes(PAGE)
        case 2:
            page[:] = image[other * PAGE :][:PAGE]
        case _:
            sector = 512 * rng.randrange(1, 8)
            page[sector:] = bytes(PAGE - sector)
    return image[: slot * PAGE] + bytes(page) + image[(slot + 1) * PAGE :]


@pytest.mark.parametrize("seed", range(SEED, SEED + 4))
def test_a_damaged_image_is_refused_or_read_alike(seed: int, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "damaged"
    agreed = {"refused": 0, "read": 0}
    # Many pages beyond the mark: nobody was promised them, and not all of them can count.
    killed(unsynced, path, durability="never")
    images = [path.read_bytes(), *(golden.read_bytes() for golden in IMAGES)]
    for _ in range(100):
        image = rng.choice(images)
        for _ in range(rng.randint(1, 2)):
            image = broken(image, rng)
        path.write_bytes(image)
        try:
            read = read_contents(image)
        except Damaged:
            agreed["refused"] += 1
            # A store that opens by its checkpoint reads its pages later.
            with (
                pytest.raises(revwatch.RevwatchError),
                revwatch.open(path, read_only=True, clock="manual") as store,
            ):
                store.check()
            continue
        agreed["read"] += 1
        with revwatch.open(path, read_only=True, clock="manual") as store:
            assert_same(read, store)
    assert all(agreed.values()), agreed


@pytest.mark.parametrize("image", [b"", b"revwatch", bytes(5 * PAGE), b"SQLite format 3\0" * 1000])
def test_the_reader_refuses_what_is_no_store(image: bytes) -> None:
    with pytest.raises(Damaged):
        read_contents(image)


def test_the_reader_refuses_a_later_format() -> None:
    image = bytearray(IMAGES[0].read_bytes())
    for copy in (0, PAGE):
        image[copy + len(MAGIC)] += 1
        covered = image[copy : copy + HEADER.size - 8]
        checksum = xxh3_64_intdigest(covered).to_bytes(8, "little")
        image[copy + HEADER.size - 8 : copy + HEADER.size] = checksum
    with pytest.raises(Damaged, match="version 2"):
        read_contents(bytes(image))
