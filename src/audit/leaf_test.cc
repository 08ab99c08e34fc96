#include "audit/leaf.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/cbor.h"
#include "base/text.h"

using audit::leaf_bytes_max;
using audit::leaf_overhead_bytes;

namespace {

const std::vector<std::uint8_t> secret(32, 0x42);

audit::Blinding some_blinding() { return audit::Blinding(std::span<const std::uint8_t, 32>(secret.data(), 32), 0); }

// A CBOR byte string of `size` bytes in all. 25 and 258 do not occur: their heads would have to be of two lengths.
base::Bytes event_of(std::size_t size) {
  base::Bytes event;
  base::CborWriter writer(event);
  const std::size_t head = size < 26 ? 1 : size < 258 ? 2 : 3;
  writer.bytes(base::Bytes(size - head, 0x11));
  CHECK(event.size() == size);
  return event;
}

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("a leaf is the CBOR array of blinding value and event, byte for byte") {
  const base::Bytes event = *base::parse_hex("8201636f6e65");  // [1, "one"]
  audit::BlindingValue blinding;
  blinding.fill(0xB1);
  base::Bytes leaf;
  REQUIRE(audit::encode_leaf(blinding, event, leaf).ok());
  std::string thirty_two;
  for (int i = 0; i < 32; ++i) thirty_two += "b1";
  CHECK(base::to_hex(leaf) == "825820" + thirty_two + "8201636f6e65");
  CHECK(leaf.size() == leaf_overhead_bytes + event.size());

  // The writer of canonical bytes agrees with the fixed head.
  base::Bytes written;
  base::CborWriter writer(written);
  writer.array(2);
  writer.bytes(blinding);
  writer.array(2);
  writer.uint(1);
  writer.text("one");
  CHECK(written == leaf);

  const auto decoded = audit::decode_leaf(leaf);
  REQUIRE(decoded.ok());
  CHECK(decoded->blinding == blinding);
  CHECK(base::to_hex(decoded->event) == base::to_hex(event));
}

TEST_CASE("hashes of a run are the hashes of the encoded leaves") {
  const audit::Blinding blinding = some_blinding();
  std::vector<base::Bytes> events;
  for (std::size_t i = 0; i < 150; ++i) events.push_back(event_of(5 + i * 7));
  const std::vector<base::ByteView> views(events.begin(), events.end());
  std::vector<audit::Digest> hashes(events.size());
  REQUIRE(audit::hash_leaves(blinding, 1001, views, hashes).ok());
  for (std::size_t i = 0; i < events.size(); ++i) {
    base::Bytes leaf;
    REQUIRE(audit::encode_leaf(blinding.at(1001 + i), events[i], leaf).ok());
    CHECK(hashes[i] == audit::leaf_hash(leaf));
  }
  CHECK(audit::hash_leaves(blinding, 5, {}, {}).ok());
}

TEST_CASE("the largest leaf fits and one byte more does not") {
  const audit::Blinding blinding = some_blinding();
  base::Bytes leaf;
  audit::Digest hash;
  const base::Bytes largest = event_of(leaf_bytes_max - leaf_overhead_bytes);
  const base::ByteView largest_view = largest;
  CHECK(audit::encode_leaf(blinding.at(0), largest, leaf).ok());
  CHECK(leaf.size() == leaf_bytes_max);
  CHECK(audit::decode_leaf(leaf).ok());
  CHECK(audit::hash_leaves(blinding, 0, std::span(&largest_view, 1), std::span(&hash, 1)).ok());

  const base::Bytes larger = event_of(leaf_bytes_max - leaf_overhead_bytes + 1);
  const base::ByteView larger_view = larger;
  leaf.clear();
  CHECK(code(audit::encode_leaf(blinding.at(0), larger, leaf)) == "event_too_large_for_leaf");
  CHECK(leaf.empty());
  CHECK(code(audit::hash_leaves(blinding, 0, std::span(&larger_view, 1), std::span(&hash, 1))) ==
        "event_too_large_for_leaf");
}

TEST_CASE("what is not a leaf is refused") {
  const std::string blinding(64, 'a');
  for (const std::string& text :
       {std::string(""), std::string("82"), "825820" + blinding, "815820" + blinding, "835820" + blinding + "0102",
        "82581f" + blinding.substr(2) + "01", "825820" + blinding + "0101", "825820" + blinding + "1801",
        "825820" + blinding + "ff", "82415820" + blinding, "825820" + blinding + "6261"}) {
    const auto bytes = base::parse_hex(text);
    REQUIRE(bytes);
    CAPTURE(text);
    CHECK(code(audit::decode_leaf(*bytes)) == "leaf_malformed");
  }
  // Well-formed, but longer than any leaf.
  base::Bytes long_one = *base::parse_hex("825820" + blinding);
  base::append(long_one, event_of(leaf_bytes_max));
  CHECK(code(audit::decode_leaf(long_one)) == "leaf_malformed");
}
