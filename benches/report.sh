#!/usr/bin/env bash
# report.sh: RESULTS.md and charts/ from what was measured last. matplotlib goes into an environment of
# its own, target/bench/venv; without it the page has no charts.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${CARGO_TARGET_DIR:-$PWD/target}/bench
wanted=benches/requirements.txt
if ! cmp -s "$wanted" "$out/venv/requirements.txt"; then
    python3 -m venv --clear "$out/venv" &&
        "$out/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$wanted" &&
        cp "$wanted" "$out/venv/requirements.txt" ||
        echo "report: matplotlib cannot be installed here; no charts" >&2
fi
python=$out/venv/bin/python
[ -x "$python" ] || python=python3
"$python" benches/report.py "$out" benches
