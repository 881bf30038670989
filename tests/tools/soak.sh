#!/usr/bin/env bash
# soak.sh [SEED]: ten million random operations on the core against the model, divided among its kinds
# of stores, and the simulator for ten times as long as in `make test`. The model's first seed is SEED,
# or the time, so that each soak tries others; a failure says how to repeat it.
set -euo pipefail
cd "$(dirname "$0")/../.."
seed=${1:-$(date +%s)}
echo "soak: the first seed is $seed"
# Five kinds of stores, two million operations each.
REVWATCH_SEED=$seed REVWATCH_OPS=2000000 cargo test --release -p revwatch-tests --test model -- --nocapture
# The simulator goes on from the seeds of `make test`; a seed given to it means that one alone.
REVWATCH_SIM_POINTS=600000 cargo test --release -p revwatch-tests --test simulator -- --nocapture
