"""Task dispatch: one writer, three agents in two languages, one of them slow and one killed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path

import screen
import tasks
from agent_process import AgentProcess
from children import Child, Children
from compiled import compiled_agent
from promise import expect

HERE = Path(__file__).resolve().parent
STORE = "app.rw"

# The lines of tasks.txt that are put before any agent is there, in the morning, in the afternoon.
EARLY, MORNING = (1, 30), (31, 360)
AFTERNOON = (361, len(tasks.read()))

# After so many recorded tasks an agent is killed. By noon there are more, by evening many more: so
# it is in the middle, however slow or fast the machine is.
KILLED_AFTER = 50

# The slow agent works on one task until so many of its own are put: far more than those that it has
# done and the 128 responses that its watcher's queue has room for.
BUSY_UNTIL = 230


def run(folder: Path) -> None:
    """Takes some seconds; most of that is waiting for the disk."""
    python: list[str | Path] = [sys.executable, HERE / "agent.py"]
    with Children(folder) as children:
        ada = AgentProcess(children, folder, "ada", [compiled_agent()])
        ben = AgentProcess(children, folder, "ben", python, ["--busy-until", str(BUSY_UNTIL)])
        cleo = AgentProcess(children, folder, "cleo", python, ["--task-ms", "5"])
        agents = [ada, ben, cleo]
        _begin(children, agents)
        _kill_in_the_morning(children, agents, cleo)
        _go_on_in_the_afternoon(children, agents, cleo)
    screen.explain("Each agent's record is compared with the file of tasks.")
    _prove(ada, "in C")
    _prove(cleo, "in Python, killed and started again", done_again=1)
    _prove(ben, "in Python, slow")
    _prove_was_victim(ben)


def _begin(children: Children, agents: Sequence[AgentProcess]) -> None:
    screen.explain(
        f"A writer puts {EARLY[1]} tasks under /task/<agent>/. Then three agents begin to follow: "
        "each is given\nthe tasks that are there, and from exactly there on every change."
    )
    writer = _put(children, EARLY)
    children.wait_until("the first tasks are put", writer.has_ended)
    for agent in agents:
        agent.start()
    _wait(children, agents, "all agents follow", lambda: all(map(AgentProcess.done, agents)))
    for agent in agents:
        screen.step(f"{agent.name} has found {agent.done()} tasks and follows")


def _kill_in_the_morning(
    children: Children, agents: Sequence[AgentProcess], killed: AgentProcess
) -> None:
    screen.explain(
        f"In the morning the writer puts more. {killed.name} is killed (SIGKILL) in the middle of "
        "it: an agent\nrecords each task together with its place in history, so nothing else is "
        "needed to go on."
    )
    writer = _put(children, MORNING)
    _wait(children, agents, "some is done", lambda: killed.done() >= KILLED_AFTER)
    killed.kill()
    screen.step(f"{killed.name} is killed; its record ends at {killed.place()}")
    _wait(children, agents, "the morning is over", writer.has_ended)


def _go_on_in_the_afternoon(
    children: Children, agents: Sequence[AgentProcess], killed: AgentProcess
) -> None:
    screen.explain(
        f"In the afternoon another writer's process puts the rest, and {killed.name} is started "
        "again. ben is slow:\nwhat his queue has no room for, the store tells him later from its "
        "log. Nobody waits for him."
    )
    writer = _put(children, AFTERNOON)
    missed = killed.tasks_until(MORNING[1]) - killed.done()
    killed.start()
    screen.step(f"{killed.name} is back; {missed} of its tasks have been put meanwhile")
    _wait(children, agents, "all tasks are put", writer.has_ended)
    for agent in agents:
        screen.step(f"all tasks are put; {agent.name} has done {agent.done()} of its own")
    _wait(children, agents, "all go home", lambda: all(a.has_gone_home() for a in agents))
    screen.step("all agents have gone home")


def _put(children: Children, lines: tuple[int, int]) -> Child:
    """Starts a writer for these lines of the file."""
    first, last = map(str, lines)
    return children.start("writer", [sys.executable, HERE / "writer.py", STORE, first, last])


def _wait(
    children: Children, agents: Sequence[AgentProcess], what: str, holds: Callable[[], bool]
) -> None:
    """Waits, and shows how far the agents are."""

    def look() -> bool:
        screen.progress("   ".join(f"{a.name} {a.done()}/{len(a.expected)}" for a in agents))
        return holds()

    children.wait_until(what, look)


def _prove(agent: AgentProcess, what: str, done_again: int = 0) -> None:
    """Has the agent done every task of the file exactly once and in order?"""
    name, expected = agent.name, agent.expected
    _same(f"{name} has recorded", agent.recorded(), expected)
    work = agent.worked()
    again = len(work) - len(expected)
    _same(f"{name} has worked on", list(dict.fromkeys(work)), expected)
    expect(again <= done_again, f"{name} worked on {again} tasks again, not on {done_again}")
    screen.proved(
        f"{name:<4} has all {len(expected)} tasks, each exactly once and in order: {what}"
        + (f" ({again} was in hand then, and worked on again)" if again else "")
    )


def _same(what: str, found: Sequence[str], expected: Sequence[str]) -> None:
    """Are they the same? If not, says where they part."""
    for position, (one, other) in enumerate(zip_longest(found, expected), 1):
        expect(one == other, f"{what} as number {position}: {one!r}, not {other!r}")


def _prove_was_victim(agent: AgentProcess) -> None:
    """Was its watcher one that had to be told later?"""
    seen = agent.seen()
    name, looked, victim = agent.name, seen["looked"], seen["victim"]
    expect(victim > 0, f"{name} should have been a victim, but never was in {looked} looks")
    screen.proved(
        f"{name:<4} found its watcher a victim in {victim} of {looked} looks at its store"
    )
