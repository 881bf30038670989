"""How many tests passed, failed and were skipped: read from what the test runners print."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Skip:
    """One skipped test, as far as its runner tells."""

    name: str
    reason: str


@dataclass
class Tally:
    """The counts of one suite, or of several added up."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    skips: list[Skip] = field(default_factory=list)
    problem: str = ""  # why the counts alone do not tell

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.skips + other.skips,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.skipped


def libtest(log: str) -> Tally:
    """`cargo test` (every binary and the doctests) and wasm-bindgen-test-runner."""
    summary = r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored"
    tally = Tally()
    for passed, failed, ignored in re.findall(summary, log, re.M):
        tally += Tally(int(passed), int(failed), int(ignored))
    for name, reason in re.findall(r"^test (.+) \.\.\. ignored(?:, (.*))?$", log, re.M):
        tally.skips.append(Skip(name, reason))
    return tally


def pytest(log: str) -> Tally:
    """pytest with `-rs --no-fold-skipped`, which names each skipped test. An error is a failure."""
    tally = Tally()
    counts = r"\d+ [a-z]+(?:, \d+ [a-z]+)*"
    for summary in re.findall(rf"^(?:=+ )?({counts}) in [\d.]+s.*$", log, re.M):
        for number, word in re.findall(r"(\d+) ([a-z]+)", summary):
            match word:
                case "passed" | "xpassed":
                    tally.passed += int(number)
                case "failed" | "error" | "errors":
                    tally.failed += int(number)
                case "skipped" | "xfailed":
                    tally.skipped += int(number)
    for name, reason in re.findall(r"^SKIPPED (.+?) - (?:Skipped: )?(.*)$", log, re.M):
        tally.skips.append(Skip(name, reason))
    return tally


def node(log: str) -> Tally:
    """`node --test`, whichever of its two formats (TAP or spec) it chose."""
    tally = Tally()
    summary = r"^[#ℹ] (pass|fail|cancelled|skipped|todo) (\d+)$"
    for word, number in re.findall(summary, log, re.M):
        match word:
            case "pass":
                tally.passed += int(number)
            case "fail" | "cancelled":
                tally.failed += int(number)
            case _:
                tally.skipped += int(number)
    tap = r"^ *ok \d+ - (.+?) # (?:SKIP|TODO) ?(.*)$"
    spec = r"^ *﹣ (.+?) \([\d.]+ms\)(?: # (.*))?$"
    for name, reason in re.findall(tap, log, re.M) + re.findall(spec, log, re.M):
        tally.skips.append(Skip(name, "" if reason == "SKIP" else reason))
    return tally


def plain(log: str) -> Tally:
    """Programs that end with our own line, and print `SKIP name: reason` for each skipped test."""
    tally = Tally()
    summary = r"^(\d+) passed, (\d+) failed, (\d+) skipped$"
    for passed, failed, skipped in re.findall(summary, log, re.M):
        tally += Tally(int(passed), int(failed), int(skipped))
    for name, reason in re.findall(r"^SKIP (.+?): (.*)$", log, re.M):
        tally.skips.append(Skip(name, reason))
    return tally


PARSERS: dict[str, Callable[[str], Tally]] = {
    "libtest": libtest,
    "pytest": pytest,
    "node": node,
    "plain": plain,
}


def read(parser: str, log: str, exit_code: int) -> Tally:
    """The tally of a finished suite.

    `parser` names one or more formats (`libtest+node`), or `check`: the command itself is the one
    test; or `step`: it is no test at all, and only its failure counts. A command that fails without
    a failed test, and a suite in which no test ran, count as one failure.
    """
    if parser in ("check", "step"):
        return Tally(passed=int(exit_code == 0 and parser == "check"), failed=int(exit_code != 0))
    log = re.sub(r"\x1b\[[\d;]*m", "", log)
    tally = sum((PARSERS[name](log) for name in parser.split("+")), Tally())
    if tally.total == 0:
        return Tally(failed=1, problem="no test ran")
    if tally.failed == 0 and exit_code != 0:
        tally.failed, tally.problem = 1, f"no test failed, but the command did ({exit_code})"
    return tally
