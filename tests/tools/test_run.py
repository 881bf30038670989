"""The runner must never call a suite good that was not: each parser against real output."""

import pathlib

import pytest
import run
import suites
import tally
from suites import SUITES, Suite
from tally import Skip, Tally

LIBTEST = """
running 4 tests
test b ... ignored, slow, see: b
test c ... ignored
test a ... ok
test d ... FAILED
test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.07s
   Doc-tests revwatch
test core/src/lib.rs - Store::put (line 4) ... ignored
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""

PYTEST = """
sss.xFE                                                        [100%]
SKIPPED tests/test_a.py::test_b[a b] - Skipped: no etcd: here
SKIPPED tests/test_a.py::test_c - because - so
========== 1 failed, 1 passed, 2 skipped, 1 xfailed, 1 error in 0.01s ==========
"""

NODE_TAP = """TAP version 13
ok 2 - later # SKIP no browser here
ok 3 - later too # SKIP
    ok 4 - inner # TODO soon
# tests 7
# pass 2
# fail 1
# cancelled 1
# skipped 2
# todo 1
"""

NODE_SPEC = """
\x1b[32m✔ adds (0.684882ms)\x1b[39m
\x1b[90m﹣ later (0.078598ms) # no browser here\x1b[39m
﹣ later too (0.057215ms) # SKIP
\x1b[34mℹ pass 2\x1b[39m
ℹ fail 1
ℹ cancelled 1
ℹ skipped 2
ℹ todo 0
"""

PLAIN = "ok put\nSKIP leaks: no valgrind here\n7 passed, 0 failed, 1 skipped\n"


def test_libtest_sums_binaries_and_doctests() -> None:
    found = tally.read("libtest", LIBTEST, 101)
    assert (found.passed, found.failed, found.skipped) == (3, 1, 3)
    assert found.skips == [
        Skip("b", "slow, see: b"),
        Skip("c", ""),
        Skip("core/src/lib.rs - Store::put (line 4)", ""),
    ]


def test_pytest_errors_are_failures_and_skips_have_reasons() -> None:
    found = tally.read("pytest", PYTEST, 1)
    assert (found.passed, found.failed, found.skipped) == (1, 2, 3)
    assert found.skips == [
        Skip("tests/test_a.py::test_b[a b]", "no etcd: here"),
        Skip("tests/test_a.py::test_c", "because - so"),
    ]


def test_pytest_quiet_summary_is_read_too() -> None:
    assert tally.read("pytest", "12 passed, 3 warnings in 75.31s (0:01:15)\n", 0) == Tally(12)


@pytest.mark.parametrize(("log", "todo"), [(NODE_TAP, 1), (NODE_SPEC, 0)])
def test_node_is_read_in_both_formats(log: str, todo: int) -> None:
    found = tally.read("node", log, 1)
    assert (found.passed, found.failed, found.skipped) == (2, 2, 2 + todo)
    assert found.skips[:2] == [Skip("later", "no browser here"), Skip("later too", "")]


def test_plain_line_is_read() -> None:
    assert tally.read("plain", PLAIN, 0) == Tally(7, 0, 1, [Skip("leaks", "no valgrind here")])


def test_formats_of_one_suite_are_added_up() -> None:
    assert tally.read("libtest+node+plain", LIBTEST + NODE_TAP + PLAIN, 1).passed == 3 + 2 + 7


@pytest.mark.parametrize("parser", sorted(tally.PARSERS))
def test_a_suite_without_tests_is_a_failure(parser: str) -> None:
    found = tally.read(parser, "nothing here\n", 0)
    assert found.failed == 1 and found.problem == "no test ran"


def test_filtering_out_every_test_is_a_failure() -> None:
    nothing = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out"
    assert tally.read("libtest", nothing, 0).failed == 1


def test_a_bad_exit_is_a_failure_though_all_tests_passed() -> None:
    assert tally.read("plain", "7 passed, 0 failed, 0 skipped\n", 139).failed == 1


def test_steps_count_only_when_they_fail() -> None:
    assert tally.read("step", "", 0) == Tally()
    assert tally.read("step", "", 1) == Tally(failed=1)
    assert tally.read("check", "", 0) == Tally(passed=1)


def test_selecting_a_language_brings_what_it_needs_in_order() -> None:
    names = [suite.name for suite in suites.select(["etcd"])]
    assert names == ["basics", "venv", "etcd-server", "package", "etcd"]


def test_unknown_names_are_an_error_with_a_list() -> None:
    with pytest.raises(ValueError, match=r"pyhton; languages: .*python.*; suites: .*simulator"):
        suites.select(["pyhton"])


def test_the_table_is_sound() -> None:
    seen: set[str] = set()
    for suite in SUITES:
        assert suite.name not in seen
        assert suite.language in suites.LANGUAGES and suite.share in suites.BUDGETS
        assert suite.parser in ("check", "step") or set(suite.parser.split("+")) <= {*tally.PARSERS}
        assert seen.issuperset(suite.needs), "what is needed stands above what needs it"
        seen.add(suite.name)


def test_only_listed_skips_are_allowed_in_ci() -> None:
    listed = run.allowed_skips("# why\n\netcd: test_a: no cluster here: ever\n")
    both = Tally(1, 0, 3, [Skip("test_a", "x"), Skip("test_b", "x")])
    assert run.forbidden("etcd", both, listed) == [
        "skipped, but not in allowed-skips.txt: test_b",
        "skipped without a name",
    ]
    with pytest.raises(ValueError, match="not 'suite: test name: reason'"):
        run.allowed_skips("etcd: test_a")


@pytest.fixture
def logs(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(run, "LOGS", tmp_path)
    return tmp_path


def dummy(command: str, parser: str = "plain", **rest: int) -> Suite:
    return Suite("dummy", "c", "store", "a dummy", command, parser, ("basics",), **rest)


def test_a_suite_is_run_logged_and_counted(logs: pathlib.Path) -> None:
    result = run.run(dummy("echo '2 passed, 0 failed, 0 skipped'"), set(), None)
    assert result.ok and result.tally == Tally(2)
    assert (logs / "dummy.log").read_text().startswith("2 passed")


@pytest.mark.usefixtures("logs")
def test_a_failure_anywhere_in_a_pipe_counts() -> None:
    assert not run.run(dummy("false | echo '2 passed, 0 failed, 0 skipped'"), set(), None).ok


@pytest.mark.usefixtures("logs")
def test_a_failing_suite_shows_its_whole_log(capsys: pytest.CaptureFixture[str]) -> None:
    run.run(dummy("echo first; echo last; exit 3"), set(), None)
    assert "first\nlast\n" in capsys.readouterr().out


def test_a_suite_whose_needs_failed_is_a_failure_and_does_not_run(logs: pathlib.Path) -> None:
    result = run.run(dummy("echo '1 passed, 0 failed, 0 skipped'"), {"basics"}, None)
    assert result.problems == ["not run: basics failed"] and not result.ok
    assert not (logs / "dummy.log").exists()


@pytest.mark.usefixtures("logs")
def test_a_hanging_suite_is_stopped_with_its_children() -> None:
    result = run.run(dummy("sleep 60 & wait", minutes=0), set(), None)
    assert not result.ok and result.seconds < 10 and "stopped" in result.problems[0]


def test_the_report_ends_with_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    bad = run.Result(dummy(""), Tally(3, 1, 2, [Skip("a", "why"), Skip("b", "why")]), 500.0)
    assert str(run.report([bad])) == "3 passed, 1 failed, 2 skipped"
    text = capsys.readouterr().out
    assert "skipped in dummy: a, b (2): why" in text and "WARNING: over budget" in text
