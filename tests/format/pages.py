"""The pages of an image: sections 1, 2 and 4 of FORMAT.md."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

MAGIC = b"revwatch\x0d\x0a\x1a\x0a"
VERSION = 1
HEADER = struct.Struct("<12sII16sQ")
PAGE = struct.Struct("<QQQQQQQQQIIIIII")
PIECE = struct.Struct("<IH")
NOWHERE = 0xFFFF_FFFF
NUMBER_LIMIT = 1 << 62
FLAG_CLEAN, FLAG_SPARSE = 1, 2


class Damaged(Exception):
    """The image is not a store, or something that was durable is broken."""


@dataclass(frozen=True)
class Header:
    page_size: int
    store_id: bytes


@dataclass(frozen=True)
class Page:
    """A valid log page."""

    slot: int
    checksum: int
    number: int
    start: int
    to: int
    end: int
    epoch: int
    mark: tuple[int, int, int]  # number, end, census
    is_clean: bool
    runs: tuple[tuple[int, bytes], ...]
    """What it holds: positions and the bytes from there on, with gaps between."""

    def census(self) -> int:
        fields = struct.pack("<4Q", self.number, self.start, self.to, self.checksum)
        return xxh3_64_intdigest(fields)

    def holds_something(self) -> bool:
        return self.start < self.to


def read_header(image: bytes) -> Header:
    first = header_at(image, 0)
    # Without the first copy nothing says where the second one is: the page size is tried out.
    sizes = [first.page_size] if first else [512 << power for power in range(8)]
    copies = [first, *(header_at(image, size) for size in sizes)]
    found = {copy for copy in copies if copy}
    if len(found) != 1:
        raise Damaged(f"{len(found)} different headers")
    return found.pop()


def header_at(image: bytes, at: int) -> Header | None:
    if len(image) < at + HEADER.size:
        return None
    magic, version, page_size, store_id, checksum = HEADER.unpack_from(image, at)
    covered = image[at : at + HEADER.size - 8]
    if magic != MAGIC or checksum != xxh3_64_intdigest(covered):
        return None
    if version != VERSION:
        raise Damaged(f"format version {version}: this reader knows {VERSION}")
    return Header(page_size, store_id)


def read_pages(image: bytes, header: Header) -> list[Page]:
    """The valid log pages, in the order of their numbers."""
    slots = range(3, len(image) // header.page_size)
    pages = [page for slot in slots if (page := page_at(image, header, slot))]
    pages.sort(key=lambda page: page.number)
    for one, next_one in itertools.pairwise(pages):
        if one.number == next_one.number:
            raise Damaged(f"slots {one.slot} and {next_one.slot} are both page write {one.number}")
    return pages


def page_at(image: bytes, header: Header, slot: int) -> Page | None:
    page = image[slot * header.page_size :][: header.page_size]
    fields = PAGE.unpack_from(page)
    checksum, number, start, to, end, epoch, mark_number, mark_end, mark_census = fields[:9]
    _next, _predecessor, flags, used, first_frame, pieces = fields[9:]
    seed = xxh3_64_intdigest(header.store_id + struct.pack("<I", slot))
    if checksum != xxh3_64_intdigest(page[8:], seed=seed):
        return None
    believable = (
        0 < number < NUMBER_LIMIT
        and start <= to <= end
        and max(end, epoch, mark_end) < NUMBER_LIMIT
        and mark_number < number
        and flags & ~(FLAG_CLEAN | FLAG_SPARSE) == 0
        and used <= header.page_size - PAGE.size
        and (first_frame < used or first_frame == NOWHERE)
    )
    if not believable:
        return None
    contents = page[PAGE.size :][:used]
    runs = sparse_runs(contents, pieces, start, to) if flags & FLAG_SPARSE else None
    if not flags & FLAG_SPARSE and pieces == 0 and used == to - start:
        runs = ((start, contents),) if used else ()
    if runs is None:
        return None
    mark = (mark_number, mark_end, mark_census)
    is_clean = bool(flags & FLAG_CLEAN)
    return Page(slot, checksum, number, start, to, end, epoch, mark, is_clean, runs)


def sparse_runs(
    contents: bytes, pieces: int, start: int, to: int
) -> tuple[tuple[int, bytes], ...] | None:
    """The pieces of a sparse page; nothing if its table is not one."""
    table_bytes = pieces * PIECE.size
    if not start < to < start + (1 << 32) or table_bytes > len(contents):
        return None
    table = list(PIECE.iter_unpack(contents[:table_bytes]))
    runs = []
    begins, reached = table_bytes, start
    for row, (offset, at) in enumerate(table):
        until = table[row + 1][1] if row + 1 < pieces else len(contents)
        if at != begins or until <= at or start + offset < reached:
            return None
        runs.append((start + offset, contents[at:until]))
        begins, reached = until, start + offset + until - at
    return tuple(runs) if reached <= to and begins == len(contents) else None
