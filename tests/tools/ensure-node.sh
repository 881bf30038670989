#!/usr/bin/env bash
# ensure-node.sh: Node 20 or newer with npm, and the development packages of wasm/.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if ! have node || ! have npm; then apt_install "the WebAssembly package and its tests" nodejs npm; fi
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' ||
    die "needs Node 20 or newer, found $(node --version): see nodejs.org"

cd "$root/wasm" 2> /dev/null || exit 0
[ -e package.json ] || exit 0
wanted=package-lock.json how=ci
[ -e $wanted ] || wanted=package.json how="install --no-package-lock"
stamp=node_modules/.installed-for
if cmp -s $wanted $stamp; then exit 0; fi
alone node
if cmp -s $wanted $stamp; then exit 0; fi
say "npm $how in wasm/: TypeScript and the test tools"
# shellcheck disable=SC2086 # two words
quietly npm $how --no-audit --no-fund --ignore-scripts || die "npm $how failed in wasm/"
mkdir -p node_modules
cp $wanted $stamp
