"""The committed files belong to everybody: none may name a folder of somebody's machine, or the
host of a package registry (each machine has its own configured), or be left over from a patch."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OVER = {".orig", ".rej", ".patch"}
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.~)}$-])/(?:home|root|work|Users)/[\w.]+",
    "the host of a package registry": r"\b(?:registry\.(?:npmjs|yarnpkg)|pypi|static\.crates|"
    r"index\.crates|files\.pythonhosted|deb\.debian|static\.rust-lang)\.(?:org|com|io)\b",
}


def left_over(name: str) -> list[str]:
    """One text for a file that a patch has left behind, and that nobody meant to keep."""
    return [f"{name}: left over from a patch"] if Path(name).suffix in LEFT_OVER else []


def complaints(name: str, text: str) -> list[str]:
    """One text for each line that names what it must not."""
    return [
        f"{name}:{number}: {what}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if (match := re.search(pattern, line))
    ]


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[str] = []
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    for file in filter(Path.is_file, files):
        name, text = str(file.relative_to(ROOT)), file.read_bytes()
        found += left_over(name)
        if b"\0" not in text:
            found += complaints(name, text.decode(errors="replace"))
    print("\n".join([*found, f"{len(files)} files read, {len(found)} complaints"]))
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
