"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
import revwatch

ROOT = Path(__file__).resolve().parents[3]
READMES = [ROOT / "README.md", ROOT / "bindings/python/README.md"]
MODULES = ["revwatch"] + [
    f"revwatch.{module.name}"
    for module in pkgutil.iter_modules(revwatch.__path__)
    if module.name not in ("cli", "_cdef", "librevwatch")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.parent.name)
def test_examples_in_the_readme_hold(
    readme: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(readme), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_everything_public_says_what_it_is() -> None:
    for name in revwatch.__all__:
        value = getattr(revwatch, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
