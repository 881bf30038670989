"""What the tests share: a store in memory, and a path for one in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import revwatch


@pytest.fixture
def store() -> Iterator[revwatch.Store]:
    with revwatch.open() as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.revwatch"
