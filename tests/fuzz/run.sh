#!/usr/bin/env bash
# run.sh [SECONDS] [TARGET...]: fuzzes each target for so long (15 s), from the corpus that is kept here.
# What is found on the way stays in target/fuzz; an input that fails is kept there too, and named.
# REVWATCH_SEED chooses the seed. To run one input: run.sh 0 TARGET, with INPUT=path.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-15}
shift || true
if [ $# -eq 0 ]; then set -- image repair snapshot; fi
targets=("$@")
seed=${REVWATCH_SEED:-1}
# Damaged stores to repair are images.
declare -A corpora=([repair]=image)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../../target}/fuzz

# What tells the fuzzer which code an input reached.
passes="-Cpasses=sancov-module -Ccodegen-units=1"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    passes+=" -Cllvm-args=-sanitizer-coverage-$option"
done
RUSTFLAGS="$passes --cfg fuzzing" cargo build --quiet --release --bins --target "$(rustc --print host-tuple)"

for target in "${targets[@]}"; do
    program=$CARGO_TARGET_DIR/$(rustc --print host-tuple)/release/$target
    found=$CARGO_TARGET_DIR/found/$target
    mkdir -p "$found"
    if [ -n "${INPUT:-}" ]; then
        "$program" "$INPUT"
        continue
    fi
    echo "fuzzing $target for $seconds s with seed $seed"
    "$program" "$found" "corpus/${corpora[$target]:-$target}" -artifact_prefix="$found/failed-" -seed="$seed" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 -verbosity=0 \
        -print_final_stats=1
done
