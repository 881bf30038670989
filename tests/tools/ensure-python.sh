#!/usr/bin/env bash
# ensure-python.sh: a virtual environment in target/venv with what tests/tools/requirements.txt pins.
set -euo pipefail
. "$(dirname "$0")/common.sh"
venv=$root/target/venv
wanted=$root/tests/tools/requirements.txt

there() { "$venv/bin/python" -c '' 2> /dev/null && cmp -s "$wanted" "$venv/requirements.txt"; }

if there; then exit 0; fi
alone python
if there; then exit 0; fi
have python3 || die "needs python3, 3.11 or newer"
# Debian's python3 can make no environment with pip in it without this package.
python3 -c 'import ensurepip, venv' 2> /dev/null || apt_install "a Python environment" python3-venv
say "making target/venv with the Python tools of tests/tools/requirements.txt"
"$venv/bin/python" -c '' 2> /dev/null || quietly python3 -m venv --clear "$venv"
quietly "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$wanted" ||
    die "pip could not install tests/tools/requirements.txt"
cp "$wanted" "$venv/requirements.txt"
