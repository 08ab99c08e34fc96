// What a look-up in the key sets costs while it is answered from memory: alone, from two threads at once, and while somebody
// floods another id. Budget: a hit below 1 microsecond.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "effects/key_sets/key_set_keeper.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* issuer = "https://id.partner.example";
constexpr int batch = 10'000, batches = 100;

// Ten keys, at once, for ever.
class ReadyKeys final : public effects::KeySetFetch {
 public:
  effects::FetchedKeySet fetch(const effects::KeySetSource& source, const effects::KeySetValidator&) override {
    effects::FetchedKeySet result;
    result.documents.push_back({source.url, {}});
    for (int i = 0; i < 10; ++i) result.keys.push_back({"key-of-2026-" + std::to_string(i), "thumbprint-" + std::to_string(i), base::Bytes(91, 7), "ES256", false});
    return result;
  }
};

void bench_hits(effects::KeySetKeeper& keeper, const char* what) {
  std::vector<double> costs;
  for (int i = 0; i < batches; ++i) {
    const auto began = Clock::now();
    for (int j = 0; j < batch; ++j) {
      if (keeper.look_up(issuer, "key-of-2026-7").key == nullptr) std::abort();
    }
    costs.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / batch);
  }
  std::ranges::sort(costs);
  std::printf("%-40s median %4.0f ns, p99 %4.0f ns a hit\n", what, costs[batches / 2], costs[batches * 99 / 100]);
}

void bench_hits_beside(effects::KeySetKeeper& keeper, const char* what, bool known) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    for (std::uint64_t i = 0; !done; ++i) keeper.look_up(issuer, known ? std::string("key-of-2026-3") : "bogus-" + std::to_string(i));
  });
  bench_hits(keeper, what);
  done = true;
  other.join();
}

}  // namespace

int main() {
  const auto clock = io::RealClock::open();
  if (!clock.ok()) return 1;
  ReadyKeys keys;
  effects::KeySetSource source;
  source.issuer = issuer;
  source.url = std::string(issuer) + "/keys";
  source.rules.hosts = {"id.partner.example"};
  effects::KeySetKeeper keeper({source}, keys, **clock);
  while (keeper.look_up(issuer, "key-of-2026-7").key == nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  bench_hits(keeper, "one thread");
  bench_hits_beside(keeper, "beside another thread's hits", true);
  bench_hits_beside(keeper, "beside a flood of bogus ids", false);
  return 0;
}
