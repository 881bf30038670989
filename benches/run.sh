#!/usr/bin/env bash
# run.sh [--smoke | --quick | --full]: measures revwatch beside etcd's own storage, a real etcd, a BTreeMap and
# other embedded stores, and writes RESULTS.md and charts/. What is installed or built goes into target/,
# except for what comes from the system's packages.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1-}" in
    --smoke | --quick | --full) scale=${1#--} ;;
    "") scale=bench ;;
    *)
        echo "usage: benches/run.sh [--smoke | --quick | --full]" >&2
        exit 2
        ;;
esac

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$CARGO_TARGET_DIR/bench"
out=$(cd "$CARGO_TARGET_DIR/bench" && pwd)
# Stale ones must be neither measured nor reported.
rm -f "$out/etcd_mvcc" "$out/measurements.jsonl" "$out/peers.jsonl"

build_etcd() {
    tests/tools/ensure-go-etcd.sh &&
        (cd benches/etcd_mvcc && GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$out/etcd_mvcc" .)
}
# Without etcd's sources or its server the report says that they are absent; that is no failure.
etcd=present server=present
if ! build_etcd; then
    etcd=absent
    echo "run: etcd's storage package cannot be built here; measuring without it" >&2
fi
if ! tests/tools/ensure-etcd.sh; then
    server=absent
    echo "run: etcd's server cannot be installed here; measuring without it" >&2
fi
cargo build --quiet --release --package revwatch-benches

python3 benches/rounds.py --scale "$scale" --bin "$CARGO_TARGET_DIR/release/revwatch-bench" \
    --memory-bin "$CARGO_TARGET_DIR/release/revwatch-memory" --server "$server" \
    --etcd "$etcd" --etcd-bin "$out/etcd_mvcc" --dir "$out" --out "$out/measurements.jsonl"
benches/peers/run.sh "--$scale"
benches/report.sh
