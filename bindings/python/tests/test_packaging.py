"""What is installed is complete: library, declarations, types, and one version everywhere."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import revwatch
from cffi import FFI
from revwatch import _native

PACKAGE = Path(__file__).resolve().parents[1]
WORKSPACE = PACKAGE.parents[1]


@pytest.fixture(scope="module")
def hatch_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", PACKAGE / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_version() -> None:
    cargo = tomllib.loads((WORKSPACE / "Cargo.toml").read_text())["workspace"]["package"]
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    assert project["version"] == cargo["version"] == revwatch.__version__
    assert importlib.metadata.version("revwatch") == revwatch.__version__


def test_the_header_can_be_read_by_cffi(hatch_build: ModuleType) -> None:
    ffi = FFI()
    ffi.cdef(hatch_build.declarations((WORKSPACE / hatch_build.HEADER).read_text()))
    assert ffi.typeof("revwatch_store *").kind == "pointer"


def test_every_declared_function_is_in_the_library(hatch_build: ModuleType) -> None:
    text = hatch_build.declarations((WORKSPACE / hatch_build.HEADER).read_text())
    names = set(re.findall(r"\b(revwatch_\w+)\(", text))
    assert len(names) > 20
    for name in names:
        assert getattr(_native.lib, name), name


def test_a_declaration_keeps_constants_and_drops_the_rest(hatch_build: ModuleType) -> None:
    header = """
    #ifndef X_H
    #define X_H
    #include <stdint.h>
    /* one */ // two
    #define X_ONE 1
    #define X_MINUS (-2)
    #define X_EXPORT __attribute__((visibility("default")))
    #ifdef __cplusplus
    extern "C" {
    #endif // __cplusplus
    int32_t x_call(const uint8_t *data);
    #ifdef __cplusplus
    }  // extern "C"
    #endif
    #endif
    """
    ffi = FFI()
    ffi.cdef(hatch_build.declarations(header))
    text = hatch_build.declarations(header)
    assert "cplusplus" not in text and "extern" not in text and "two" not in text
    assert "#define X_ONE 1" in text and "#define X_MINUS -2" in text
    assert "X_EXPORT" not in text


def test_the_package_is_typed() -> None:
    folder = Path(revwatch.__file__).parent
    assert (folder / "py.typed").exists()
    for name in revwatch.__all__:
        assert hasattr(revwatch, name), name


def test_a_wheel_holds_the_library_and_is_for_every_python_3(tmp_path: Path) -> None:
    library = next(Path(_native.LIBRARY).parent.glob("*revwatch*.*"), None)
    assert library is not None
    environment = {
        **os.environ,
        "REVWATCH_LIBRARY": _native.LIBRARY,
        "REVWATCH_WHEEL_PLATFORM": "manylinux_2_28_x86_64",
    }
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--wheel-dir", str(tmp_path), str(PACKAGE)], check=True, env=environment
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"revwatch-{revwatch.__version__}-py3-none-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert f"revwatch/{Path(_native.LIBRARY).name}" in names
    assert {"revwatch/_cdef.py", "revwatch/py.typed", "revwatch/__init__.py"} <= names
    assert not any("tests" in name for name in names)


def test_a_store_works_in_a_fresh_interpreter_with_warnings_as_errors(tmp_path: Path) -> None:
    program = (
        "import revwatch, sys\n"
        "with revwatch.open(sys.argv[1]) as store:\n"
        "    store.put(b'k', b'v')\n"
        "leaked = revwatch.open(); leaked.watch(b'k')\n"
    )
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
