#!/usr/bin/env bash
# test.sh node|browser: the tests of wasm/pkg, which build.sh has built.
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-}" in
    node)
        cargo test -p revwatch-wasm
        exec node --test --test-timeout=120000 --test-reporter=spec tests/node.test.mjs tests/package.test.mjs
        ;;
    browser) exec node --test --test-timeout=120000 --test-reporter=spec tests/browser.test.mjs ;;
    *)
        echo "usage: $0 node|browser" >&2
        exit 2
        ;;
esac
