"""revwatch answers what etcdctl answered: stdout byte for byte, and the exit code.

`golden/` was recorded from etcdctl 3.4.23 by `record.py`; `differences.py` lists where revwatch is
meant to differ. Nothing else is masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from commands import revwatch_program
from differences import DIFFERENCES
from scenario import Outcome, Session
from scenarios import SCENARIOS

GOLDEN = Path(__file__).parent / "golden"
# Watches mostly wait, so several scenarios run at once.
WORKERS = 4

Outcomes = dict[str, "Future[list[Outcome]]"]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcomes]:
    """What revwatch answers to every scenario that is tested, as soon as it has."""
    specs: list[Any] = [getattr(item, "callspec", None) for item in request.session.items]
    names = {str(spec.params["scenario"]) for spec in specs if spec and "scenario" in spec.params}
    folder = tmp_path_factory.mktemp("stores")

    def run(name: str) -> list[Outcome]:
        session = Session(revwatch_program(folder / f"{name}.rw"))
        return [session.step(step) for step in SCENARIOS[name].steps]

    with ThreadPoolExecutor(WORKERS) as pool:
        yield {name: pool.submit(run, name) for name in sorted(names)}


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_same_as_etcdctl(scenario: str, outcomes: Outcomes) -> None:
    golden = json.loads((GOLDEN / f"{scenario}.json").read_text(encoding="ascii"))["steps"]
    assert [list(step.args) for step in SCENARIOS[scenario].steps] == [
        step["args"] for step in golden
    ], "the scenario has changed: run record.py again"
    problems = [
        problem
        for number, (outcome, expected) in enumerate(
            zip(outcomes[scenario].result(), golden, strict=True)
        )
        for problem in compare(scenario, number, outcome, expected)
    ]
    assert not problems, "\n".join(problems)


def test_every_difference_is_one() -> None:
    for (scenario, number), difference in DIFFERENCES.items():
        golden = json.loads((GOLDEN / f"{scenario}.json").read_text(encoding="ascii"))
        step = golden["steps"][number]
        assert difference.stdout not in (None, step["stdout"]) or difference.exit not in (
            None,
            step["exit"],
        ), f"{scenario} step {number} is the same now: {difference.reason}"


def compare(scenario: str, number: int, outcome: Outcome, golden: dict[str, Any]) -> Iterator[str]:
    """Says how the outcome of a step, and of those within it, is not as expected."""
    stdout, exit_code = golden["stdout"], golden["exit"]
    if difference := DIFFERENCES.get((scenario, number)):
        stdout = stdout if difference.stdout is None else difference.stdout
        exit_code = exit_code if difference.exit is None else difference.exit
    same = outcome.stdout == stdout
    if stdout == "<help>\n":
        same = bool(outcome.stdout) == (exit_code == 0)
    if not same or outcome.exit != exit_code:
        yield (
            f"{scenario} step {number}: {list(outcome.args)} {outcome.stdin!r}\n"
            f"  expected {stdout!r}, exit {exit_code} ({golden['stderr_remark']})\n"
            f"  got      {outcome.stdout!r}, exit {outcome.exit} ({outcome.stderr.strip()})"
        )
    for inner, expected in zip(outcome.then, golden.get("then", []), strict=True):
        yield from compare(scenario, -1, inner, expected)
