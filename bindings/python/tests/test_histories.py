"""Random histories get the answers that the model gives, also after the file was opened anew.

``REVWATCH_SEED`` is the seed of the first history, ``REVWATCH_OPS`` says how many operations all of
them have together. The generator and the model are those of the core: tests/model.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import revwatch
from test_vectors import run_in_files

ROOT = Path(__file__).resolve().parents[3]
SEED = os.environ.get("REVWATCH_SEED", "1001")
OPERATIONS = os.environ.get("REVWATCH_OPS", "10400")
PROGRAM = ("-p", "revwatch-tests", "--bin", "record-history")
RECORD = ("cargo", "run", "--quiet", "--release", *PROGRAM, "--")


def test_random_histories_agree_with_the_model(tmp_path: Path) -> None:
    recorded = subprocess.run(
        [*RECORD, str(tmp_path), SEED, OPERATIONS], cwd=ROOT, check=False, capture_output=True
    )
    print(recorded.stdout.decode())
    assert recorded.returncode == 0, recorded.stderr.decode()
    durabilities: list[revwatch.Durability] = ["never", "commit"]
    files = sorted(tmp_path.glob("history_*.json"))
    assert files
    counts: Counter[str] = Counter()
    for number, file in enumerate(files):
        history = json.loads(file.read_text())
        folder = tmp_path / file.stem
        folder.mkdir()
        try:
            run_in_files(history, folder, durabilities[number % 2])
        except AssertionError as error:
            pytest.fail(f"{file.stem} of REVWATCH_SEED={SEED} REVWATCH_OPS={OPERATIONS}: {error}")
        counts.update(step["op"] for step in history["steps"])
    print(f"repeated: {dict(counts)}")
    assert counts.total() >= int(OPERATIONS)
