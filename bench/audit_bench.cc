// What the audit log costs: hashing and appending leaves, and proofs for random leaves of a large log.
//
//   audit_bench DIR [LEAVES]
//
// DIR must exist; tiles are written there (33 bytes a leaf) and removed at the end. Prints microseconds of this
// thread's CPU time, which other work on the machine does not disturb, and wall time beside it for the proofs.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "audit/leaf.h"
#include "audit/tile.h"
#include "base/check.h"
#include "io/posix_file.h"
#include "latency.h"
#include "store/tiles/tile_store.h"

namespace {

std::uint64_t ns_on(clockid_t clock) {
  timespec now{};
  CHECK(clock_gettime(clock, &now) == 0);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}
std::uint64_t cpu_ns() { return ns_on(CLOCK_THREAD_CPUTIME_ID); }
std::uint64_t wall_ns() { return ns_on(CLOCK_MONOTONIC); }

template <typename T>
T must(base::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", result.error().code, result.error().message.c_str());
    std::exit(1);
  }
  return std::move(result).value();
}

constexpr std::size_t batch = 1000;
const std::vector<std::uint8_t> secret(32, 0x5A);

audit::Blinding blinding() { return audit::Blinding(std::span<const std::uint8_t, 32>(secret.data(), 32), 0); }

void leaf_cost(std::size_t leaf_bytes) {
  const base::Bytes event(leaf_bytes - audit::leaf_overhead_bytes, 7);
  const std::vector<base::ByteView> events(batch, event);
  std::vector<audit::Digest> hashes(batch);
  audit::Frontier frontier;
  std::uint64_t hashing = 0;
  std::uint64_t appending = 0;
  constexpr std::size_t rounds = 500;
  for (std::size_t round = 0; round < rounds; ++round) {
    const std::uint64_t start = cpu_ns();
    must(audit::hash_leaves(blinding(), frontier.size(), events, hashes));
    const std::uint64_t hashed = cpu_ns();
    frontier.append(hashes);
    hashing += hashed - start;
    appending += cpu_ns() - hashed;
  }
  const double leaves = static_cast<double>(rounds * batch) * 1e3;
  std::printf("leaf of %3zu bytes: blind and hash %.3f us, append %.3f us, together %.3f us\n", leaf_bytes,
              static_cast<double>(hashing) / leaves, static_cast<double>(appending) / leaves,
              static_cast<double>(hashing + appending) / leaves);
}

void print(const char* name, const bench::Latency& cpu, const bench::Latency& wall) {
  std::printf("%s: CPU p50 %.0f us, p99 %.0f us, max %.0f us; wall p50 %.0f us, p99 %.0f us\n", name,
              cpu.quantile_us(0.5), cpu.quantile_us(0.99), cpu.max_us(), wall.quantile_us(0.5), wall.quantile_us(0.99));
}

void proof_cost(const char* name, audit::TileSource& tiles, std::uint64_t size, const audit::Digest& root, bool keep) {
  bench::Latency cpu;
  bench::Latency wall;
  auto reader = std::make_unique<audit::TileHashReader>(tiles, size, 256);
  std::uint64_t chance = 12345;
  for (int i = 0; i < 10'000; ++i) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t index = (chance >> 11) % size;
    const std::uint64_t cpu_start = cpu_ns();
    const std::uint64_t wall_start = wall_ns();
    if (!keep) reader = std::make_unique<audit::TileHashReader>(tiles, size);
    const audit::Proof proof = must(audit::inclusion_proof(*reader, index, size));
    wall.add(wall_ns() - wall_start);
    cpu.add(cpu_ns() - cpu_start);
    must(audit::verify_inclusion(must(reader->node(0, index)), index, size, proof, root));
  }
  print(name, cpu, wall);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: audit_bench DIR [LEAVES]\n");
    return 2;
  }
  const std::uint64_t leaves = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10'000'000;
  leaf_cost(120);
  leaf_cost(200);

  io::RealFileSystem files;
  const std::string directory = io::join_path(argv[1], "audit_bench.tiles");
  const auto tiles = must(store::TileStore::open(files, directory, {1}, 0));
  std::vector<audit::Digest> hashes;
  std::uint64_t writing = 0;
  while (tiles->size() < leaves) {
    hashes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(10'000, leaves - tiles->size())));
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      base::store_le(hashes[i].data(), (tiles->size() + i) * 0x9E3779B97F4A7C15u);
    }
    const std::uint64_t start = cpu_ns();
    must(tiles->append(hashes));
    writing += cpu_ns() - start;
  }
  must(tiles->sync());
  const audit::Digest root = tiles->frontier().root();
  std::printf("log of %" PRIu64 " leaves: tiles written with %.3f us of CPU a leaf, %.1f MiB on disk\n", leaves,
              static_cast<double>(writing) / static_cast<double>(leaves) / 1e3, static_cast<double>(leaves) * 32 * 256 / 255 / (1 << 20));
  proof_cost("proof, nothing remembered", *tiles, leaves, root, false);
  proof_cost("proof, 256 tiles a level remembered (at most 9 MiB)", *tiles, leaves, root, true);
  rusage used{};
  CHECK(getrusage(RUSAGE_SELF, &used) == 0);
  std::printf("memory: %ld MiB resident at most\n", used.ru_maxrss / 1024);
  must(store::TileStore::erase(files, directory));
  must(files.remove(directory));
  return 0;
}
