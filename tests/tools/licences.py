"""Every crate that our libraries are built from must have a licence that lets anybody use them."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}
# Programs that are run while building and leave nothing of themselves in a library.
ONLY_TOOLS = {"cbindgen"}


def acceptable(expression: str) -> bool:
    """Whether an SPDX expression can be satisfied with allowed licences; `/` is an old `OR`."""
    words = {"OR": "or", "AND": "and", "(": "(", ")": ")"}
    tokens = re.findall(r"[()]|[^\s()]+(?: WITH [^\s()]+)?", expression.replace("/", " OR "))
    terms = [words.get(token) or str(token in ALLOWED) for token in tokens]
    try:
        return bool(terms) and bool(eval(" ".join(terms), {"__builtins__": {}}))
    except SyntaxError:
        return False


def main() -> int:
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    packages: list[dict[str, str | None]] = json.loads(metadata.stdout)["packages"]
    bad = [
        f"{package['name']} {package['version']}: {package['license'] or 'no licence named'}"
        for package in packages
        if package["name"] not in ONLY_TOOLS and not acceptable(package["license"] or "")
    ]
    print("\n".join([*bad, f"{len(packages)} crates read, {len(bad)} not allowed"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
