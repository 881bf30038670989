"""`make demo`: shows what revwatch does, and checks that it is so.

    run.py [--keep]

Everything happens on a fresh store in a temporary folder (TMPDIR says where), which is removed at
the end unless --keep is given. Ends with status 1 if anything is not as promised.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import dispatch
import screen
import walkthrough
from promise import BrokenPromise


def demonstrate(folder: Path) -> None:
    """All of it."""
    screen.heading("1. What changed, from any revision on")
    walkthrough.run(folder)
    screen.heading("2. Task dispatch: three agents, none misses a task")
    dispatch.run(folder)
    screen.heading("3. The same in a browser")
    screen.explain("To open the page, in another terminal or now:")
    screen.typed("make demo-page", terminal=1)
    screen.step("then open http://127.0.0.1:8000/demo/")
    screen.step("type a key and a value: the event arrives at two watchers, one of them slow")
    screen.step("write 500 puts at once: the slow one becomes a victim, and still misses nothing")


def main() -> int:
    parser = argparse.ArgumentParser(description="Shows what revwatch does.")
    parser.add_argument("--keep", action="store_true", help="leave the store where it is")
    keep = parser.parse_args().keep
    # As an exception, so that no process and no folder is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="revwatch-demo-"))
    try:
        screen.step(f"the store of this demo is {folder / dispatch.STORE}")
        demonstrate(folder)
    except BrokenPromise as broken:
        screen.failed(str(broken))
        return 1
    except KeyboardInterrupt:
        screen.failed("interrupted")
        return 128 + signal.SIGINT
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    screen.heading(f"All as promised, in {time.monotonic() - began:.0f} seconds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
