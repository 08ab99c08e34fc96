#pragma once
// What a leaf of the log says: the deterministic CBOR array [blinding, event].

#include <cstdint>
#include <span>

#include "audit/blinding.h"
#include "audit/merkle.h"

namespace audit {

/// Entry bundles carry a 16-bit length (C2SP tlog-tiles).
constexpr std::size_t leaf_bytes_max = 65'535;
/// The array's head and the blinding value before the event: 82 58 20 and 32 bytes.
constexpr std::size_t leaf_overhead_bytes = 35;

/// Appends the leaf of `event`, one deterministic CBOR item, to `out`.
/// Error `event_too_large_for_leaf`; `out` is then unchanged.
base::Status encode_leaf(const BlindingValue& blinding, base::ByteView event, base::Bytes& out);

/// A leaf taken apart; the view points into the decoded bytes.
struct Leaf {
  BlindingValue blinding{};
  base::ByteView event;
};
/// Error `leaf_malformed`: too large, not that array, or the event is not exactly one deterministic CBOR item.
base::Result<Leaf> decode_leaf(base::ByteView bytes);

/// Hashes the leaves of `events`, the first of which has number `first_leaf_index`; out[i] is the leaf hash of
/// events[i], and both have one length. Nothing is allocated. Error `event_too_large_for_leaf`.
base::Status hash_leaves(const Blinding& blinding, std::uint64_t first_leaf_index,
                         std::span<const base::ByteView> events, std::span<Digest> out);

}  // namespace audit
