"""What a scenario of the command line is, and how one is run.

A scenario is a list of steps on one fresh store. The same runner drives etcdctl against a real
etcd (`record.py`, which writes `golden/`) and revwatch against a file (`test_golden.py`), so that
both are asked exactly the same thing.

Text in golden files is UTF-8 with surrogate escapes: every byte sequence survives the round trip.

What varies from run to run is normalised, by these rules and no others:

* a response header keeps only its revision (etcd's cluster, member and raft term have no
  counterpart in a file);
* a lease id that etcd chose at random becomes `@NAME@` (hexadecimal) or `@NAME:dec@`;
* the seconds that a lease still has become `<TTL>`;
* where a program says the same `again` until another one has run, it has said it once;
* etcdctl's help, which it prints on stdout at a wrong flag too, becomes `<help>`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

GRACE_SECONDS = 0.3
# Who waits so long waits for ever: nothing that works well comes near, however busy the machine is.
PATIENCE_SECONDS = 60.0
COMMAND_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Run:
    """One command that ends by itself."""

    args: Sequence[str]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    capture: str = ""
    """Name of the lease id printed by this command; `@NAME@` in later arguments stands for it."""


@dataclass(frozen=True)
class Watch:
    """A command that goes on for ever: stopped once it printed `lines` lines.

    It must not print more; with `lines=0` it prints nothing. With `stdin` it is stopped by the end
    of its input, else by an interrupt. `then` runs while it watches.
    """

    args: Sequence[str]
    lines: int
    then: Sequence[Run] = ()
    begun: int = 0
    """So many lines show that `then` can run; 0 if nothing shows it."""
    again: bool = False
    """How often it says the same until `then` is done depends on how long that takes: a line like
    the one before it counts once."""
    stdin: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


Step = Run | Watch


@dataclass(frozen=True)
class Outcome:
    """What one step printed and how it ended; a negative exit is the number of a signal."""

    args: Sequence[str]
    stdin: str
    stdout: str
    exit: int
    stderr: str
    then: Sequence[Outcome] = ()


@dataclass
class Program:
    """A command line under test."""

    command: Sequence[str]
    env: Mapping[str, str]
    settle_seconds: float
    """How long a watch may take to begin."""
    ready: Callable[[int], bool] | None = None
    """Whether the watch of this process has begun, where that can be seen."""


def hear_interrupts() -> None:
    """Programs inherit that interrupts are ignored, as they are for jobs in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Session:
    """The steps of one scenario, run one after the other; remembers captured lease ids."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.leases: dict[str, int] = {}

    def step(self, step: Step) -> Outcome:
        return self.watch(step) if isinstance(step, Watch) else self.run(step)

    def run(self, step: Run) -> Outcome:
        done = subprocess.run(
            self._command(step.args),
            input=encode(self._fill(step.stdin)),
            capture_output=True,
            env=self._env(step.env),
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
        if step.capture:
            self._capture(step.capture, done.stdout)
        return self._outcome(step.args, step.stdin, done.stdout, done.returncode, done.stderr)

    def watch(self, step: Watch) -> Outcome:
        process = subprocess.Popen(
            self._command(step.args),
            stdin=subprocess.DEVNULL if step.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._env(step.env),
        )
        printed, complained = _Collector(process.stdout), _Collector(process.stderr)
        if step.stdin is not None and process.stdin is not None:
            process.stdin.write(encode(self._fill(step.stdin)))
            process.stdin.flush()
        if step.begun:
            _wait_for_lines(process, printed, step.begun)
        elif step.then or not step.lines:
            self._settle(process)
        then = [self.run(one) for one in step.then]
        _wait_for_lines(process, printed, step.lines)
        if process.stdin is not None:
            process.stdin.close()
        elif process.poll() is None:
            process.send_signal(signal.SIGINT)
        exit_code = process.wait(COMMAND_TIMEOUT_SECONDS)
        stdout, stderr = printed.join(), complained.join()
        if step.again:
            stdout = b"".join(line for line, _ in groupby(stdout.splitlines(keepends=True)))
        one = self._outcome(step.args, step.stdin or "", stdout, exit_code, stderr)
        return Outcome(one.args, one.stdin, one.stdout, one.exit, one.stderr, tuple(then))

    def _settle(self, process: subprocess.Popen[bytes]) -> None:
        """Returns when the watch has begun."""
        deadline = time.monotonic() + self.program.settle_seconds
        ready = self.program.ready
        while process.poll() is None and time.monotonic() < deadline:
            if ready is not None and ready(process.pid):
                break
            time.sleep(0.05)
        time.sleep(GRACE_SECONDS)

    def _command(self, args: Sequence[str]) -> list[bytes]:
        return [encode(word) for word in [*self.program.command, *map(self._fill, args)]]

    def _env(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "ETCD" not in name}
        return {**kept, **self.program.env, **extra}

    def _fill(self, text: str) -> str:
        for name, lease in self.leases.items():
            text = text.replace(f"@{name}@", f"{lease:016x}")
        return text

    def _capture(self, name: str, stdout: bytes) -> None:
        text = decode(stdout)
        if found := re.search(r"lease ([0-9a-f]{16}) granted", text):
            self.leases[name] = int(found[1], 16)
        elif found := re.search(r'"ID" ?: ?(\d+)', text):
            self.leases[name] = int(found[1])
        else:
            raise AssertionError(f"no lease id in {text!r}")

    def _outcome(
        self, args: Sequence[str], stdin: str, stdout: bytes, exit_code: int, stderr: bytes
    ) -> Outcome:
        text = normalise(decode(stdout), self.leases, timetolive="timetolive" in args)
        remark = normalise(decode(stderr), self.leases, timetolive=False)
        return Outcome(tuple(args), stdin, text, exit_code, remark)


class _Collector:
    """Reads a pipe to its end in the background."""

    def __init__(self, pipe: object) -> None:
        self._pipe = pipe
        self._data = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        descriptor = self._pipe.fileno()  # type: ignore[attr-defined]
        while chunk := os.read(descriptor, 65536):
            self._data += chunk

    def lines(self) -> int:
        return self._data.count(b"\n")

    def join(self) -> bytes:
        self._thread.join(COMMAND_TIMEOUT_SECONDS)
        return bytes(self._data)


def _wait_for_lines(process: subprocess.Popen[bytes], printed: _Collector, lines: int) -> None:
    """Returns when enough was printed or the program ended; then a grace, to catch too much."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while printed.lines() < lines and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is None:
        time.sleep(GRACE_SECONDS)


def normalise(text: str, leases: Mapping[str, int], *, timetolive: bool) -> str:
    """Applies the rules at the top of this file."""
    if text.startswith("NAME:\n\t"):
        return "<help>\n"
    text = re.sub(r'"(cluster|member)_id":\d+,', "", text)
    text = re.sub(r',?"raft_term":\d+', "", text)
    text = re.sub(r'(?m)^"(ClusterID|MemberID|RaftTerm)" : \d+\n', "", text)
    for name, lease in leases.items():
        text = text.replace(f"{lease:016x}", f"@{name}@").replace(str(lease), f"@{name}:dec@")
    if timetolive:
        text = re.sub(r"remaining\(\d+s\)", "remaining(<TTL>s)", text)
        text = re.sub(r'(?m)("ttl":|"TTL" : )\d+', r"\1<TTL>", text)
    return text
