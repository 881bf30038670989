#!/usr/bin/env bash
# peers/run.sh [--smoke | --quick | --full]: measures revwatch beside other embedded stores, for report.sh.
# What is built goes into target/; a peer that cannot be installed or built is reported as absent.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5 scale=full
case "${1-}" in
    --smoke) rounds=1 scale=smoke ;;
    --quick) rounds=3 scale=quick ;;
    "" | --bench | --full) ;;
    *)
        echo "usage: benches/peers/run.sh [--smoke | --quick | --full]" >&2
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
