"""Puts the shared library, and the C header translated for cffi, into the wheel.

The library is built by cargo from the workspace that this folder is in, or taken from where the
environment variable REVWATCH_LIBRARY says. It has no Python in it, so one wheel per platform serves
every Python 3: its tag is ``py3-none-<platform>``. REVWATCH_WHEEL_PLATFORM sets another platform
than this machine's, such as one of the manylinux names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from cffi import FFI
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HEADER = "bindings/c/include/revwatch.h"
NAMES = ("revwatch", "revwatch_ffi", "revwatch-ffi")
LIBRARY_SUFFIXES = {".so", ".dylib", ".dll"}


class NativeBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before and after it writes a wheel."""

    folder: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Makes the two files; an editable install has them beside its sources."""
        workspace = Path(self.root).resolve().parents[1]
        if version == "editable":
            folder = Path(self.root) / "src/revwatch"
        else:
            folder = self.folder = Path(tempfile.mkdtemp())
        library = built_library(workspace)
        shutil.copy(library, folder / library.name)
        write_cdef(workspace / HEADER, folder / "_cdef.py")
        if version != "editable":
            for name in (library.name, "_cdef.py"):
                build_data["force_include"][str(folder / name)] = f"revwatch/{name}"
        platform = os.environ.get("REVWATCH_WHEEL_PLATFORM") or sysconfig.get_platform()
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + re.sub(r"[^\w]", "_", platform)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes what was made only for the wheel."""
        if self.folder is not None:
            shutil.rmtree(self.folder)


def built_library(workspace: Path) -> Path:
    """The shared library: named by the environment, or built from the Cargo workspace."""
    given = os.environ.get("REVWATCH_LIBRARY")
    if given:
        return Path(given)
    if not (workspace / "ffi/Cargo.toml").exists():
        raise RuntimeError(
            "there is no Cargo workspace around this folder to build the shared library from: "
            "build in a full copy of the repository, or name a library in REVWATCH_LIBRARY"
        )
    command = ["cargo", "build", "--release", "-p", "revwatch-ffi", "--message-format=json"]
    messages = subprocess.run(command, cwd=workspace, check=True, stdout=subprocess.PIPE).stdout
    for line in messages.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message["target"]["name"] in NAMES:
            for file in map(Path, message["filenames"]):
                if file.suffix in LIBRARY_SUFFIXES:
                    return file
    raise RuntimeError("cargo built revwatch-ffi without a shared library: see its crate-type")


def declarations(header: str) -> str:
    """The header as cffi wants it: no preprocessor lines but constants, no C++. Bytes are told as
    ``char``, which has the same layout and which cffi turns into ``bytes`` and back by itself."""
    header = re.sub(r"\\\n", " ", header)
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    header = re.sub(r"//.*", "", header)
    header = re.sub(r"\buint8_t\b", "char", header)
    header = re.sub(r"#\s*ifdef\s+__cplusplus.*?#\s*endif", "", header, flags=re.DOTALL)
    constant = re.compile(r"#\s*define\s+(\w+)\s+\(?(-?(?:0x[0-9a-fA-F]+|\d+))[uUlL]*\)?\s*$")
    lines = []
    for line in header.splitlines():
        if not line.lstrip().startswith("#"):
            lines.append(line)
        elif match := constant.match(line.strip()):
            lines.append(f"#define {match[1]} {match[2]}")
    return "\n".join(line for line in lines if line.strip()) + "\n"


def write_cdef(header: Path, module: Path) -> None:
    """Translates the C header into a Python module that needs no parser when it is imported."""
    ffi = FFI()
    ffi.cdef(declarations(header.read_text(encoding="utf-8")))
    ffi.set_source("revwatch._cdef", None)
    ffi.emit_python_code(str(module))
