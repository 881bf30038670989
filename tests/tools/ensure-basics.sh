#!/usr/bin/env bash
# ensure-basics.sh: what must be there before anything can be built. Installs nothing by itself but
# compilers and make.
set -euo pipefail
. "$(dirname "$0")/common.sh"

have cargo || die "needs current stable Rust, with cargo on PATH: see rust-lang.org/tools/install"
if ! have cc || ! have make; then apt_install "building the C example and tests" gcc libc6-dev make; fi
have g++ || apt_install "building the fuzzer" g++
have python3 || apt_install "the test runner and the Python binding" python3 python3-venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "needs Python 3.11 or newer as python3, found $(python3 --version)"
