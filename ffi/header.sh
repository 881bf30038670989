#!/usr/bin/env bash
# header.sh [path]: writes the C header anew, to bindings/c/include/revwatch.h if no path is given.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=$(realpath -m "${1:-$here/../bindings/c/include/revwatch.h}")
cd "$here"
cargo run --quiet -p revwatch-ffi --example header -- "$to"
