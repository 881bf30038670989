"""The agent that is written in C, compiled as any program would be that uses the library."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from promise import BrokenPromise

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]


def compiled_agent() -> Path:
    """Where it is."""
    library = TARGET / "release"
    agent = TARGET / "demo" / "agent"
    agent.parent.mkdir(parents=True, exist_ok=True)
    # Besides building the library, this gives it the name that programs look for at run time.
    _run(["make", "--no-print-directory", "-C", ROOT / "bindings/c"])
    include, link = f"-I{ROOT / 'bindings/c/include'}", f"-L{library}"
    search = f"-Wl,-rpath,{library}"
    cc = os.environ.get("CC", "cc")
    source = HERE / "agent.c"
    _run([cc, *WARNINGS, "-O2", include, source, link, "-lrevwatch", search, "-o", agent])
    return agent


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        line = " ".join(map(str, command))
        raise BrokenPromise(f"{line} failed:\n{done.stdout}{done.stderr}")
