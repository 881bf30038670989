#!/usr/bin/env bash
# ensure-go-etcd.sh: Go and etcd's own storage packages as a library, for the benchmarks only.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if have go && [ -d /usr/share/gocode/src/go.etcd.io/etcd ]; then exit 0; fi
apt_install "measuring etcd's mvcc package beside ours" golang-go golang-etcd-server-dev
