#!/usr/bin/env bash
# ensure-wasm-bindgen.sh: the wasm-bindgen command and its test runner, into target/tools/bin.
# Library and command must have the same version: this one stands in wasm/Cargo.toml as well.
set -euo pipefail
. "$(dirname "$0")/common.sh"
version=0.2.130

there() { [ "$("$tools/bin/$1" --version 2> /dev/null)" = "$1 $version" ]; }

if there wasm-bindgen && there wasm-bindgen-test-runner; then exit 0; fi
alone wasm-bindgen
if there wasm-bindgen && there wasm-bindgen-test-runner; then exit 0; fi
say "building wasm-bindgen $version, which makes the JavaScript around the wasm (2 to 4 minutes, once)"
# Unlocked: the lock file of that release names a crate version that was withdrawn.
CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_TARGET_DIR=$tools/build quietly cargo install wasm-bindgen-cli \
    --version "$version" --no-default-features --force --root "$tools" \
    --bin wasm-bindgen --bin wasm-bindgen-test-runner || die "could not install wasm-bindgen-cli $version"
rm -rf "$tools/build"
