"""watch, for one range, or with -i for each line of stdin; with a command for each event."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import revwatch

from ..types import Event, WatchResponse
from .call import Call, Verb
from .endless import POLL_SECONDS, check_stdout
from .exits import CommandError, Exit, UsageError
from .flags import Flag, FlagError, Values, parse
from .go_syntax import quote, to_bytes
from .printers.base import emit
from .requests import read_stdin_line
from .txn_parser import split_words

FLAGS = [
    Flag("rev", "number", "from which revision on; 0 for what happens from now on"),
    Flag("prefix", "switch", "all keys that begin with KEY"),
    Flag("prev-kv", "switch", "print what the key was before"),
    Flag("interactive", "switch", "watch what each line of stdin says", short="i"),
    Flag("progress-notify", "switch", "say how far it is when nothing happens for 10 minutes"),
]

_KEY, _RANGE_END = "ETCDCTL_WATCH_KEY", "ETCDCTL_WATCH_RANGE_END"


@dataclass(frozen=True)
class Request:
    """What to watch, and what to run for each event."""

    key: bytes
    range_end: bytes | None
    prefix: bool
    start_revision: int
    prev_kv: bool
    progress_notify: bool
    command: Sequence[str]


def parse_request(
    arguments: Sequence[str],
    flags: Values,
    after_dashes: Sequence[str] | None,
    environment: Mapping[str, str],
) -> Request:
    """From arguments, or from the environment in their place."""
    key, range_end = environment.get(_KEY, ""), environment.get(_RANGE_END, "")
    if range_end and not key:
        raise UsageError(f"watch: {_RANGE_END} is set, but {_KEY} is not; set both or none")
    if after_dashes is not None and not after_dashes:
        raise UsageError("watch: no command after --; leave out -- to run none")
    if key and arguments:
        raise UsageError(f"watch: a key as argument and in {_KEY}; give one of them")
    words = [word for word in (key, range_end) if word] or arguments
    if not words:
        raise UsageError("watch: no key; write watch KEY [RANGE_END] [-- COMMAND]")
    prefix = flags.on("prefix")
    # As in etcdctl, with more than two arguments only the first counts.
    pair = len(words) == 2
    if pair and prefix:
        raise UsageError("watch: a range end with --prefix; choose one")
    return Request(
        key=to_bytes(words[0]) or b"\0",
        range_end=to_bytes(words[1]) if pair and words[1] else None,
        prefix=prefix,
        start_revision=flags.number("rev"),
        prev_kv=flags.on("prev-kv"),
        progress_notify=flags.on("progress-notify"),
        command=after_dashes or (),
    )


def _watch(call: Call) -> int:
    if call.flags.on("interactive"):
        return _interactive(call)
    request = parse_request(call.arguments, call.flags, call.after_dashes, os.environ)
    with call.reading_or_creating() as store:
        _Watching(call, request).run(store, threading.Event())
    raise CommandError(Exit.INTERRUPTED, "watch: ended by the store, as said above")


class _Watching:
    """One watch, until it is canceled."""

    def __init__(self, call: Call, request: Request) -> None:
        self._call = call
        self._request = request

    def run(self, store: revwatch.Store, stop: threading.Event) -> None:
        """Prints what happens until the store ends the watch or `stop` is set."""
        asked = self._request
        everything = asked.prefix and asked.key == b"\0"
        try:
            watch = store.watch(
                asked.key,
                asked.range_end,
                prefix=asked.prefix and not everything,
                from_key=everything,
                start_revision=asked.start_revision,
                prev_kv=asked.prev_kv,
                progress_notify=asked.progress_notify,
            )
        except (revwatch.EmptyWatchRange, revwatch.Compacted) as error:
            self._print(WatchResponse(0, 0, [], canceled=True, cancel_reason=str(error)))
            return
        with watch:
            while not stop.is_set():
                if (response := watch.poll(timeout=POLL_SECONDS)) is None:
                    check_stdout()
                elif not response.created:
                    self._print(response)
                    if response.canceled:
                        return

    def _print(self, response: WatchResponse) -> None:
        if response.canceled:
            # An ended watch is not about a revision of the store: etcd sends none.
            response = response._replace(revision=0)
            print(f"revwatch watch: canceled: {response.cancel_reason}", file=sys.stderr)
        if response.progress:
            emit(f"progress notify: {response.revision}\n")
        self._call.printer.watch(response)
        for event in response.events if self._request.command else ():
            _run_command(self._request.command, response.revision, event)


def _run_command(command: Sequence[str], revision: int, event: Event) -> None:
    """Runs the command; if it fails, so do we."""
    environment = {
        "ETCD_WATCH_REVISION": str(revision),
        "ETCD_WATCH_EVENT_TYPE": quote(event.type.encode()),
        "ETCD_WATCH_KEY": quote(event.kv.key),
        "ETCD_WATCH_VALUE": quote(event.kv.value),
    }
    try:
        subprocess.run(command, env={**os.environ, **environment}, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CommandError(Exit.ERROR, f"watch: the command failed: {error}") from None


def _interactive(call: Call) -> int:
    """Each line `watch ...` starts a watch, `progress` prints the revision; ends with stdin."""
    stop = threading.Event()
    threads: list[threading.Thread] = []
    try:
        while (line := read_stdin_line()).endswith(b"\n"):
            if request := _read_request(call, line.decode("utf-8", "surrogateescape")):
                threads.append(threading.Thread(target=_run_thread, args=(call, request, stop)))
                threads[-1].start()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    raise CommandError(Exit.INVALID_INPUT, "watch: stdin ended, and with it what it asked for")


def _run_thread(call: Call, request: Request, stop: threading.Event) -> None:
    """One of several watches; if it fails, the program ends at once, whatever stdin waits for."""
    try:
        with call.reading_or_creating() as store:
            _Watching(call, request).run(store, stop)
    except (CommandError, revwatch.RevwatchError) as error:
        print(f"revwatch: {error}", file=sys.stderr, flush=True)
        os._exit(error.exit_code if isinstance(error, CommandError) else Exit.ERROR)


def _read_request(call: Call, line: str) -> Request | None:
    """The watch that a line asks for, if it does and can be understood."""
    words = split_words(line)
    if words[:1] == ["progress"]:
        _progress(call)
        return None
    if words[:1] != ["watch"] or (len(words) < 2 and not os.environ.get(_KEY)):
        print(f"revwatch watch: {line.strip()!r}: write watch KEY, or progress", file=sys.stderr)
        return None
    words, after = split_at_dashes(words[1:])
    try:
        flags, arguments = parse(words, FLAGS)
        request = parse_request(arguments, flags, after, os.environ)
    except FlagError as error:
        raise UsageError(f"watch: {error}") from None
    except UsageError as error:
        if "range end" not in str(error):
            raise
        print(f"revwatch {error}", file=sys.stderr)
        return None
    return request


def split_at_dashes(words: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """What stands before the first `--`, and what after it if it is there."""
    if "--" not in words:
        return list(words), None
    at = words.index("--")
    return list(words[:at]), list(words[at + 1 :])


def _progress(call: Call) -> None:
    with call.reading_or_creating() as store:
        revision = store.status().revision
    emit(f"progress notify: {revision}\n")
    call.printer.watch(WatchResponse(-1, revision, []))


VERBS = {
    "watch": Verb(
        "watch [KEY] [RANGE_END] [-- COMMAND...]",
        "Prints every change, or runs a command for it",
        _watch,
        FLAGS,
        runs_command=True,
    ),
}
