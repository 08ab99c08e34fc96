# Sourced by ./run, ./test and bench/run: named steps with progress, and the name of the step that failed.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
started=$(date +%s)
current_step="start"
trap 'code=$?; if [ $code -ne 0 ]; then printf "\nFAILED in step: %s (exit %s)\n" "$current_step" "$code" >&2; fi' EXIT
set -euo pipefail

say() { printf '[%4ds] %s\n' "$(($(date +%s) - started))" "$*"; }

# step NAME COMMAND...: runs it quietly, shows its output only if it fails.
step() {
  current_step=$1
  shift
  say "$current_step"
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# loud NAME COMMAND...: the same, with the output shown as it comes.
loud() {
  current_step=$1
  shift
  say "$current_step"
  "$@"
}

# What a build needs; what only tests and benchmarks need.
build_packages="g++ cmake ninja-build ccache mold pkg-config python3 libssl-dev libnghttp2-dev node-llhttp libsqlite3-dev
  libcurl4-openssl-dev libsodium-dev libsimdjson-dev libtomlplusplus-dev libutf8proc-dev libpugixml-dev libpsl-dev libsecp256k1-dev nlohmann-json3-dev doctest-dev"
test_packages="curl openssl clang-19 libclang-rt-19-dev"
bench_packages="postgresql-15 libpq-dev nginx-light nghttp2-client"

# install_packages PACKAGE...: installs those that are missing; needs root or sudo only if some are.
install_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages: ${missing[*]}; run as root or install sudo" >&2; return 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# A compiled file is the same in every clone: let ccache know.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  cmake --preset "$preset"
  if [ $# -gt 0 ]; then cmake --build --preset "$preset" --target "$@"; else cmake --build --preset "$preset"; fi
}
