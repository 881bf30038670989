#!/usr/bin/env bash
# run.sh [--quick]: measures revwatch beside etcd's own storage and a BTreeMap, and writes RESULTS.md.
# What is installed or built goes into target/, except for what comes from the system's packages.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=7
case "${1-}" in
    --quick) rounds=3 ;;
    "") ;;
    *)
        echo "usage: benches/run.sh [--quick]" >&2
        exit 2
        ;;
esac

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$CARGO_TARGET_DIR/bench"
out=$(cd "$CARGO_TARGET_DIR/bench" && pwd)
rm -f "$out/etcd_mvcc" # a stale one must not be measured

build_etcd() {
    tests/tools/ensure-go-etcd.sh &&
        (cd benches/etcd_mvcc && GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$out/etcd_mvcc" .)
}
# Without etcd's sources the report says that etcd is absent; that is no failure.
etcd=present
if ! build_etcd; then
    etcd=absent
    echo "run: etcd's storage package cannot be built here; measuring without it" >&2
fi
cargo build --quiet --release --package revwatch-benches

python3 benches/rounds.py --rounds "$rounds" --bin "$CARGO_TARGET_DIR/release/revwatch-bench" \
    --memory-bin "$CARGO_TARGET_DIR/release/revwatch-memory" \
    --etcd "$etcd" --etcd-bin "$out/etcd_mvcc" --dir "$out" --out "$out/measurements.jsonl"
python3 benches/report.py "$out/measurements.jsonl" benches/RESULTS.md
