#!/usr/bin/env bash
# ensure-chromium.sh: a browser and its driver, for the tests that run in a real one.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if have chromedriver && { have chromium || have google-chrome; }; then exit 0; fi
apt_install "the browser tests" chromium chromium-driver
