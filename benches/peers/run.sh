#!/usr/bin/env bash
# peers/run.sh [--quick]: measures revwatch beside other embedded stores, and writes PEERS.md. What is
# built goes into target/; a peer that cannot be installed or built is reported as absent.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=7 scale=full
case "${1-}" in
    --quick) rounds=3 scale=quick ;;
    "") ;;
    *)
        echo "usage: benches/peers/run.sh [--quick]" >&2
        exit 2
        ;;
esac

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$CARGO_TARGET_DIR/bench"
out=$(cd "$CARGO_TARGET_DIR/bench" && pwd)

build() {
    cargo build --quiet --release --manifest-path benches/peers/Cargo.toml \
        --no-default-features --features "$1"
}
all=redb,sqlite,lmdb,sled,fjall
present=$all
if ! build "$all"; then
    present=
    for peer in ${all//,/ }; do
        if build "$peer"; then
            present=$present${present:+,}$peer
        else
            echo "run: $peer cannot be built here; measuring without it" >&2
        fi
    done
    build "$present"
fi

python3 benches/peers_rounds.py --rounds "$rounds" --scale "$scale" --peers "$present" \
    --bin "$CARGO_TARGET_DIR/release/revwatch-bench-peers" --lock benches/peers/Cargo.lock \
    --dir "$out" --out "$out/peers.jsonl"
python3 benches/peers_report.py "$out/peers.jsonl" benches/PEERS.md
