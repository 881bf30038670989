"""How the tests call the command `revwatch`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scenario import PATIENCE_SECONDS, Outcome, Program, Run, Session

COMMAND = [sys.executable, "-m", "revwatch.cli"]


def revwatch_program(store: Path) -> Program:
    """The command on a store file."""

    def ready(process: int) -> bool:
        folder = Path(f"/proc/{process}/fd")
        try:
            return any(os.readlink(file) == os.fspath(store) for file in folder.iterdir())
        except OSError:
            return False

    return Program(COMMAND, {"REVWATCH_STORE": os.fspath(store)}, PATIENCE_SECONDS, ready)


def revwatch(store: Path, args: Sequence[str], stdin: str = "") -> Outcome:
    """Runs one command."""
    return Session(revwatch_program(store)).run(Run(args, stdin))
