#include "audit/leaf.h"

#include <algorithm>
#include <string>

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/hash.h"

namespace audit {
namespace {

// Array of two, byte string of 32.
constexpr std::uint8_t head[3] = {0x82, 0x58, 0x20};

base::Status check_size(base::ByteView event) {
  if (event.size() <= leaf_bytes_max - leaf_overhead_bytes) return base::ok();
  return base::Error{"event_too_large_for_leaf", "an event of " + std::to_string(event.size()) +
                                                     " bytes; a leaf has room for " +
                                                     std::to_string(leaf_bytes_max - leaf_overhead_bytes)};
}

}  // namespace

base::Status encode_leaf(const BlindingValue& blinding, base::ByteView event, base::Bytes& out) {
  TRY(check_size(event));
  base::append(out, head);
  base::append(out, blinding);
  base::append(out, event);
  return base::ok();
}

base::Result<Leaf> decode_leaf(base::ByteView bytes) {
  base::CborReader reader(bytes);
  const auto items = reader.array();
  const auto blinding = reader.bytes();
  const std::size_t event_at = reader.position();
  if (bytes.size() > leaf_bytes_max || items != 2u || !blinding || blinding->size() != 32 || !reader.skip() ||
      !reader.done()) {
    return base::Error{"leaf_malformed", "not a leaf: " + std::to_string(bytes.size()) + " bytes"};
  }
  Leaf leaf;
  std::ranges::copy(*blinding, leaf.blinding.begin());
  leaf.event = bytes.subspan(event_at);
  return leaf;
}

base::Status hash_leaves(const Blinding& blinding, std::uint64_t first_leaf_index,
                         std::span<const base::ByteView> events, std::span<Digest> out) {
  CHECK(events.size() == out.size());
  constexpr std::size_t run_max = 64;
  BlindingValue values[run_max];
  // 0x00 (the leaf's domain), head, blinding and a short event are joined first: every call into the hash costs more
  // than copying the bytes.
  constexpr std::size_t start_bytes = 1 + leaf_overhead_bytes;
  constexpr std::size_t short_event_max = 480;
  std::uint8_t joined[start_bytes + short_event_max] = {0x00, head[0], head[1], head[2]};
  crypto::Sha256 hash;
  for (std::size_t done = 0; done < events.size();) {
    const std::size_t run = std::min(run_max, events.size() - done);
    blinding.fill(first_leaf_index + done, std::span(values, run));
    for (std::size_t i = 0; i < run; ++i) {
      const base::ByteView event = events[done + i];
      TRY(check_size(event));
      std::memcpy(joined + 4, values[i].data(), 32);
      if (event.size() <= short_event_max) {
        std::copy(event.begin(), event.end(), joined + start_bytes);
        hash.update(base::ByteView(joined, start_bytes + event.size()));
      } else {
        hash.update(base::ByteView(joined, start_bytes));
        hash.update(event);
      }
      hash.finish_into(out[done + i].data());
    }
    done += run;
  }
  return base::ok();
}

}  // namespace audit
