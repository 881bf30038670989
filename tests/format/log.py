"""From pages to the bytes of the log: sections 3 and 6 of FORMAT.md."""

from __future__ import annotations

from dataclasses import dataclass

from .pages import Damaged, Page, read_header, read_pages


@dataclass(frozen=True)
class Live:
    """A part of the log and the page that answers for it."""

    start: int
    to: int
    page: Page


@dataclass(frozen=True)
class Log:
    runs: list[tuple[int, bytes]]
    """The contents: positions and the bytes from there on, with gaps between."""
    end: int
    epoch: int


def read_log(image: bytes) -> Log:
    """Opens an image as a reader does: up to, but without, the cut to a whole transaction."""
    pages = read_pages(image, read_header(image))
    mark_number, mark_end, mark_census = max((page.mark for page in pages), default=(0, 0, 0))

    live: list[Live] = []
    for page in pages:
        if page.number <= mark_number:
            live = apply(live, page)
    live = cut_off(live, mark_end)
    if not abuts(live, mark_end):
        raise Damaged("the pages below the mark leave a gap")
    census = sum(one.census() for one in {part.page.number: part.page for part in live}.values())
    if census % (1 << 64) != mark_census:
        raise Damaged("the pages below the mark are not those that were synced")

    end, expected, epoch = mark_end, mark_number + 1, 0
    for page in pages:
        if page.number < expected:
            epoch = max(epoch, page.epoch)
            continue
        if page.number > expected or page.start > end or page.end not in (page.to, end):
            break
        live = apply(live, page)
        end, expected, epoch = page.end, page.number + 1, page.epoch
    return Log(contents(live), end, epoch)


def apply(live: list[Live], page: Page) -> list[Live]:
    """A page write takes over its interval, and cuts off what lies at or behind its end."""
    if not page.holds_something():
        return cut_off(live, page.end)
    kept = []
    for part in live:
        if part.start < page.start:
            kept.append(Live(part.start, min(part.to, page.start), part.page))
        if part.to > page.to:
            kept.append(Live(max(part.start, page.to), part.to, part.page))
    kept.append(Live(page.start, page.to, page))
    kept.sort(key=lambda part: part.start)
    return cut_off(kept, page.end)


def cut_off(live: list[Live], end: int) -> list[Live]:
    return [Live(part.start, min(part.to, end), part.page) for part in live if part.start < end]


def abuts(live: list[Live], end: int) -> bool:
    borders = [0, *(part.to for part in live)]
    return borders[-1] == end and [part.start for part in live] == borders[:-1]


def contents(live: list[Live]) -> list[tuple[int, bytes]]:
    """What the live pages hold; runs that touch are one."""
    runs: list[tuple[int, bytearray]] = []
    for part in live:
        for position, held in part.page.runs:
            begin, until = max(position, part.start), min(position + len(held), part.to)
            if begin >= until:
                continue
            if not runs or runs[-1][0] + len(runs[-1][1]) != begin:
                runs.append((begin, bytearray()))
            runs[-1][1].extend(held[begin - position : until - position])
    return [(position, bytes(held)) for position, held in runs]
