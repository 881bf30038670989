"""Exceptions are the numbered table of errors, row by row."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from types import ModuleType

import pytest
import revwatch
from revwatch import errors

SCRIPT = Path(__file__).resolve().parents[1] / "make_errors.py"


@pytest.fixture(scope="module")
def make_errors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_errors", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_exceptions_are_those_of_the_table(make_errors: ModuleType) -> None:
    rows = make_errors.rows(make_errors.TABLE.read_text())
    assert len(rows) > 30
    assert {number: cls.__name__ for number, cls in errors.BY_CODE.items()} == {
        number: name for name, number, _ in rows
    }
    assert make_errors.MODULE.read_text() == make_errors.module(), "run make_errors.py"


def test_every_exception_is_public_and_caught_by_the_base_class() -> None:
    for number, error in errors.BY_CODE.items():
        assert getattr(revwatch, error.__name__) is error
        assert error.__name__ in revwatch.__all__
        with pytest.raises(revwatch.RevwatchError) as caught:
            raise errors.error_of(number, "why")
        assert type(caught.value) is error
        assert (caught.value.code, caught.value.name, str(caught.value)) == (
            number,
            error.__name__,
            "why",
        )


def test_a_number_newer_than_the_table_is_still_an_error() -> None:
    error = errors.error_of(999, "from the future")
    assert type(error) is revwatch.RevwatchError
    assert (error.code, str(error)) == (999, "from the future")


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(revwatch.Compacted("revision 3 was compacted")))
    assert type(error) is revwatch.Compacted
    assert (error.code, str(error)) == (201, "revision 3 was compacted")


def test_messages_say_what_was_asked_and_what_to_do(store: revwatch.Store) -> None:
    store.put(b"key", b"value")
    with pytest.raises(revwatch.FutureRevision, match=r"9.*2") as caught:
        store.range(b"key", revision=9)
    assert caught.value.code == 200
