#!/usr/bin/env bash
# ensure-etcd.sh: the real etcd, which answers the same operations as we do in tests/etcd.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if have etcd && have etcdctl; then exit 0; fi
apt_install "comparing answers with the real etcd" etcd-server etcd-client
