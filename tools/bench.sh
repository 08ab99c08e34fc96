#!/usr/bin/env bash
# Benchmarks against the disk of this machine. tools/bench.sh [DIR]: where to put data (default: a new folder under build/).
source "$(dirname "$0")/steps.sh"

step "install packages" install_packages $build_packages
step "build" build release engine_bench journal_bench key_index_bench audit_bench views_bench
data=${1:-$(mktemp -d build/bench.XXXXXX)}
for shape in "8190 4 4000000" "1000 8 4000000" "100 8 2000000" "1 32 200000"; do
  read -r batch clients transfers <<<"$shape"
  loud "engine: batches of $batch, $clients clients" build/release/bench/engine_bench --dir "$data/engine" --batch "$batch" \
    --clients "$clients" --transfers "$transfers"
  rm -rf "$data/engine"
done
loud "engine: batches of 8190, one hot account" build/release/bench/engine_bench --dir "$data/engine" --hot --transfers 4000000
rm -rf "$data"
