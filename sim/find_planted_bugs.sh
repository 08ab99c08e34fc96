#!/bin/sh
# Builds the simulator with its planted bugs and asserts that each is found, and that nothing is found without one.
#   sim/find_planted_bugs.sh [SEEDS]     at most so many lives for each bug (20)
set -eu
cd "$(dirname "$0")/.."
seeds=${1:-20}
bugs=26
build=build/planted
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1   # what knows of no bug comes from the compiler cache
cmake -S . -B "$build" -G Ninja -DHOLDFAST_PLANTED_BUGS=ON >/dev/null
ninja -C "$build" holdfast-sim >/dev/null
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
"$build/sim/holdfast-sim" --seed 1 --seeds 2 --commands 4000 --keep "$kept" >/dev/null || { echo "a violation without a planted bug"; exit 1; }
missed=0
bug=1
while [ "$bug" -le "$bugs" ]; do
  seed=1
  found=no
  while [ "$seed" -le "$seeds" ] && [ "$found" = no ]; do
    if ! said=$(timeout 120 "$build/sim/holdfast-sim" --planted "$bug" --seed "$seed" --commands 6000 --keep "$kept" 2>&1); then
      found=yes
      echo "bug $bug: seed $seed: $(printf '%s\n' "$said" | grep -E 'VIOLATION|CHECK' | head -1)"
    fi
    seed=$((seed + 1))
  done
  if [ "$found" = no ]; then
    echo "bug $bug: NOT FOUND in $seeds seeds"
    missed=$((missed + 1))
  fi
  bug=$((bug + 1))
done
echo "$((bugs - missed)) of $bugs found"
[ "$missed" -eq 0 ]
