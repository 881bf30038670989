#!/usr/bin/env bash
# build.sh: the npm package revwatch, built into wasm/pkg.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd .. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
bindgen=$root/target/tools/bin/wasm-bindgen

"$root/tests/tools/ensure-rust-target.sh" wasm32-unknown-unknown
"$root/tests/tools/ensure-wasm-bindgen.sh"
"$root/tests/tools/ensure-node.sh"

# Size counts more than speed for what every visitor of a page loads; and the messages of panics name
# source files, which must not be those of the machine that built it.
CARGO_PROFILE_RELEASE_OPT_LEVEL=${REVWATCH_WASM_OPT_LEVEL:-s} CARGO_PROFILE_RELEASE_LTO=fat \
    RUSTFLAGS="--remap-path-prefix=$root=revwatch --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    cargo build --release --target wasm32-unknown-unknown -p revwatch-wasm --target-dir "$target/wasm-package"

rm -rf pkg
"$bindgen" --target web --out-dir pkg --remove-name-section --remove-producers-section \
    "$target/wasm-package/wasm32-unknown-unknown/release/revwatch_wasm.wasm"
node error-codes.mjs
node_modules/.bin/tsc
# The version stands in one place, the workspace's Cargo.toml.
version=$(cargo pkgid -p revwatch-wasm | sed 's/.*[#@]//')
sed "s/\"name\": \"revwatch\",/& \"version\": \"$version\",/" js/package.json > pkg/package.json
cp README.md ../LICENSE-MIT ../LICENSE-APACHE pkg/
printf 'wasm/pkg: %s bytes of wasm, %s compressed\n' \
    "$(wc -c < pkg/revwatch_wasm_bg.wasm)" "$(gzip -9c pkg/revwatch_wasm_bg.wasm | wc -c)"
