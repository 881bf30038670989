"""The table of everything that `make test` runs, in order."""

from dataclasses import dataclass

LANGUAGES = ("setup", "lint", "rust", "c", "python", "wasm", "etcd")

# What a share of the work may take, in minutes. Beyond it there is a warning, not a failure.
BUDGETS = {
    "setup": ("installs and builds", 20),
    "lint": ("lint", 8),
    "store": ("store", 8),
    "log": ("log", 8),
    "watch": ("watch", 8),
    "languages": ("languages", 8),
}


@dataclass(frozen=True)
class Suite:
    """One command, and how to read it."""

    name: str
    language: str
    share: str
    what: str
    command: str  # for bash, in the root of the repository
    parser: str  # formats of tally.py, or "check" (is one test), or "step" (is none)
    needs: tuple[str, ...] = ()  # suites that must have succeeded
    minutes: int = 10  # a suite that hangs is stopped


def setup(name: str, what: str, command: str, *needs: str, minutes: int = 15) -> Suite:
    return Suite(name, "setup", "setup", what, command, "step", ("basics", *needs), minutes)


def lint(name: str, what: str, command: str, *needs: str) -> Suite:
    return Suite(name, "lint", "lint", what, command, "check", needs)


ENSURE = "tests/tools/ensure-"
PYTHON = "target/venv/bin/python -m"
PYTEST = f"{PYTHON} pytest -q -rs --no-fold-skipped -p no:cacheprovider"
RUFF = "--config tests/tools/ruff.toml ."
MYPY = f"""
    for folder in bindings/python/src tests/tools tests/cli tests/etcd tests/format benches \
        examples/*; do
        if [ -n "$(find "$folder" -name '*.py' 2> /dev/null)" ]; then
            echo "$folder"
            {PYTHON} mypy --strict --cache-dir target/mypy "$folder" || failed=1
        fi
    done
    [ -z "${{failed:-}}" ]
"""

SUITES = (
    # Installs and builds.
    Suite("basics", "setup", "setup", "compilers and Python", f"{ENSURE}basics.sh", "step"),
    setup(
        "rust-targets",
        "the two targets without std",
        f"{ENSURE}rust-target.sh wasm32-unknown-unknown thumbv7em-none-eabihf",
    ),
    setup("wasm-bindgen", "the wasm-bindgen command", f"{ENSURE}wasm-bindgen.sh"),
    setup("venv", "Python tools in target/venv", f"{ENSURE}python.sh"),
    setup("node", "Node and the packages of wasm/", f"{ENSURE}node.sh"),
    setup("chromium", "a browser", f"{ENSURE}chromium.sh"),
    setup("etcd-server", "the real etcd", f"{ENSURE}etcd.sh"),
    setup(
        "rust-build",
        "Rust tests compiled",
        "cargo test --no-run -p revwatch && cargo test --no-run -p revwatch-ffi &&"
        " cargo test --no-run -p revwatch-flash &&"
        " cargo test --release --no-run -p revwatch-tests &&"
        " cargo test --release --no-run -p revwatch-tests --features seeded-bugs --test watch",
    ),
    setup("package", "C library, Python package", f"{ENSURE}package.sh", "venv"),
    setup("wasm-build", "wasm/pkg", "wasm/build.sh", "rust-targets", "wasm-bindgen", "node"),
    # Lint.
    lint("fmt", "Rust formatting", "cargo fmt --all --check"),
    lint(
        "clippy",
        "Rust lints",
        "cargo clippy --workspace --all-targets --all-features -- -D warnings",
    ),
    lint("doc", "Rust docs", "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --workspace"),
    lint("ruff", "Python lints", f"{PYTHON} ruff check --no-cache {RUFF}", "venv"),
    lint("ruff-format", "Python formatting", f"{PYTHON} ruff format --check {RUFF}", "venv"),
    lint("mypy", "Python types, strict", MYPY, "venv", "package"),
    lint("tsc", "TypeScript types", "cd wasm && npx --no-install tsc --noEmit", "wasm-build"),
    lint("hygiene", "no machine paths in the files", "python3 tests/tools/hygiene.py"),
    lint("licences", "licences of dependencies", "python3 tests/tools/licences.py"),
    # Rust.
    Suite(
        "no-std",
        "rust",
        "setup",
        "the core builds for wasm32 and a bare microcontroller, and so does the flash example",
        "cargo build -p revwatch --no-default-features --target wasm32-unknown-unknown &&"
        " cargo build -p revwatch --no-default-features --target thumbv7em-none-eabihf &&"
        " cargo build -p revwatch-flash --target thumbv7em-none-eabihf",
        "check",
        ("rust-targets",),
    ),
    Suite(
        "core",
        "rust",
        "store",
        "unit tests, stores and doctests of the core",
        "cargo test --no-fail-fast -p revwatch --lib -- --skip log:: --skip page:: &&"
        " cargo test --no-fail-fast -p revwatch --test interface -- --skip log:: --skip watch:: &&"
        " cargo test --no-fail-fast -p revwatch --doc",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "log",
        "rust",
        "log",
        "the log and the page stores",
        "cargo test --no-fail-fast -p revwatch --lib --test interface -- log:: page::",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "flash",
        "rust",
        "log",
        "the page store for firmware: wear, and power cuts in every erasure",
        "cargo test --no-fail-fast -p revwatch-flash",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "model",
        "rust",
        "store",
        "random histories against the model, and the vectors",
        "cargo test --release --no-fail-fast -p revwatch-tests --test model --test vectors",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "simulator",
        "rust",
        "log",
        "crashes, torn pages and full disks",
        "cargo test --release --no-fail-fast -p revwatch-tests --test simulator --test kill",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "fuzz",
        "rust",
        "log",
        "any bytes, taken for a store or a snapshot",
        "cd tests/fuzz && cargo fmt --check && ./run.sh 10",
        "check",
        ("basics",),
    ),
    Suite(
        "seeded-log-bugs",
        "rust",
        "log",
        "deliberate breakages of the log, each caught by the simulator",
        "cargo test --release --no-fail-fast -p revwatch-tests --features seeded-bugs"
        " --test simulator seeded::",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "watch",
        "rust",
        "watch",
        "what watchers and followers are promised",
        "cargo test --no-fail-fast -p revwatch --test interface -- watch:: &&"
        " cargo run -p revwatch --example async_watch",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "threads",
        "rust",
        "store",
        "every interleaving of the threads that share a store",
        'RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom CARGO_PROFILE_RELEASE_LTO=off'
        " cargo test --release --no-fail-fast -p revwatch --lib shared::model",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "instructions",
        "rust",
        "store",
        "instructions of the core paths, against the record",
        "tests/tools/instructions.py",
        "plain",
        ("basics",),
    ),
    Suite(
        "core-paths",
        "rust",
        "store",
        "the benchmarks of the core paths, each once",
        "cargo test -p revwatch-benches --bench core_paths",
        "check",
        ("rust-build",),
    ),
    Suite(
        "watch-histories",
        "rust",
        "watch",
        "random histories of watchers, judged",
        "cargo test --release --no-fail-fast -p revwatch-tests --test watch",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "watch-bugs",
        "rust",
        "watch",
        "bugs planted on purpose, each found by the judge of the histories",
        "cargo test --release --no-fail-fast -p revwatch-tests --features seeded-bugs"
        " --test watch bugs::",
        "libtest",
        ("rust-build",),
    ),
    # The other languages.
    Suite(
        "ffi",
        "c",
        "languages",
        "the C ABI from within",
        "cargo test --no-fail-fast -p revwatch-ffi",
        "libtest",
        ("rust-build",),
    ),
    Suite(
        "c",
        "c",
        "languages",
        "the C ABI, its misuse and its leaks",
        "make -C bindings/c test",
        "plain",
        ("package", "rust-build"),
    ),
    Suite(
        "tools",
        "python",
        "languages",
        "the test runner itself, and the benchmarks' report",
        f"{PYTEST} tests/tools benches/test_report.py",
        "pytest",
        ("venv",),
    ),
    Suite(
        "python",
        "python",
        "languages",
        "the Python binding",
        f"{PYTEST} bindings/python/tests",
        "pytest",
        ("package", "rust-build"),
    ),
    Suite(
        "cli",
        "python",
        "languages",
        "the command line",
        f"{PYTEST} tests/cli",
        "pytest",
        ("package",),
    ),
    Suite(
        "format",
        "python",
        "log",
        "a reader written from FORMAT.md alone",
        f"{PYTEST} tests/format",
        "pytest",
        ("package",),
    ),
    Suite(
        "demo",
        "python",
        "languages",
        "the demo, which checks what it shows",
        f"{PYTHON.split()[0]} examples/demo/run.py",
        "check",
        ("package",),
    ),
    Suite(
        "wasm-node",
        "wasm",
        "languages",
        "the WebAssembly package in Node",
        "wasm/test.sh node",
        "libtest+node+plain",
        ("wasm-build", "rust-build"),
    ),
    Suite(
        "wasm-browser",
        "wasm",
        "languages",
        "the WebAssembly package in Chromium",
        "wasm/test.sh browser",
        "libtest+node+plain",
        ("wasm-build", "chromium"),
    ),
    Suite(
        "etcd",
        "etcd",
        "store",
        "the same operations on the real etcd",
        f"{PYTEST} tests/etcd",
        "pytest",
        ("package", "etcd-server"),
    ),
)


def select(wanted: list[str]) -> list[Suite]:
    """The suites of these languages and names with all that they need, in the table's order."""
    known = {suite.name for suite in SUITES} | set(LANGUAGES)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(
            f"no suite or language {', '.join(unknown)}; languages: {', '.join(LANGUAGES)}; "
            f"suites: {', '.join(suite.name for suite in SUITES)}"
        )
    # Every language with a suite of its own name (c, python, etcd) means the whole language.
    names = {s.name for s in SUITES if not wanted or s.language in wanted or s.name in wanted}
    for suite in reversed(SUITES):  # what is needed stands above what needs it
        if suite.name in names:
            names.update(suite.needs)
    return [suite for suite in SUITES if suite.name in names]
