#!/usr/bin/env bash
# ensure-package.sh: the Python package of this working copy in target/venv, built and installed
# anew whenever the shared library or bindings/python changed.
set -euo pipefail
. "$(dirname "$0")/common.sh"
"$root/tests/tools/ensure-python.sh"
cd "$root"

quietly cargo build --release -p revwatch-ffi || die "the C library does not build"
now=$({
    find bindings/python -type f ! -path '*/.*' ! -path '*/tests/*' ! -name '*.pyc' ! -name 'librevwatch*' -print0
    find target/release -maxdepth 1 -type f -name 'librevwatch*.so' -print0
    find target/release -maxdepth 1 -type f -name 'librevwatch*.dylib' -print0
} | sort -z | xargs -0 cksum)
alone python
stamp=target/venv/revwatch.cksum
if [ "$now" = "$(cat $stamp 2> /dev/null)" ] && target/venv/bin/python -c 'import revwatch' 2> /dev/null; then exit 0; fi
say "installing the Python package revwatch into target/venv (it changed)"
quietly target/venv/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps \
    --force-reinstall ./bindings/python || die "pip could not install bindings/python"
printf '%s\n' "$now" > $stamp
