#!/usr/bin/env bash
# ensure-valgrind.sh: valgrind, which counts the instructions of the core paths.
set -euo pipefail
. "$(dirname "$0")/common.sh"

have valgrind || apt_install "counting instructions" valgrind
