// rooms: model base
// Canonical CBOR: what the reader takes, the writer writes again byte for byte; likewise whole entries and events.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/cbor.h"
#include "model/entry.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Copies one item; false where the input is not what the reader takes.
bool copy(base::CborReader& in, base::CborWriter& out, int depth) {
  if (depth > 16) return false;
  switch (in.peek()) {
    case base::CborKind::uint: {
      const auto value = in.uint();
      if (value) out.uint(*value);
      return value.has_value();
    }
    case base::CborKind::negative: {
      const auto value = in.sint();
      if (value) out.sint(*value);
      return value.has_value();
    }
    case base::CborKind::bytes: {
      const auto value = in.bytes();
      if (value) out.bytes(*value);
      return value.has_value();
    }
    case base::CborKind::text: {
      const auto value = in.text();
      if (value) out.text(*value);
      return value.has_value();
    }
    case base::CborKind::tag: {
      const auto value = in.amount();
      if (value) out.amount(*value);
      return value.has_value();
    }
    case base::CborKind::boolean: {
      const auto value = in.boolean();
      if (value) out.boolean(*value);
      return value.has_value();
    }
    case base::CborKind::null:
      out.null();
      return in.null();
    case base::CborKind::array:
    case base::CborKind::map: {
      const bool is_map = in.peek() == base::CborKind::map;
      const auto count = is_map ? in.map() : in.array();
      if (!count) return false;
      is_map ? out.map(*count) : out.array(*count);
      for (std::uint64_t i = 0; i < *count * (is_map ? 2 : 1); ++i) {
        if (!copy(in, out, depth + 1)) return false;
      }
      return true;
    }
    case base::CborKind::end:
    case base::CborKind::malformed: break;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView input(data, size);
  {
    base::CborReader in(input), skipping(input);
    base::Bytes again;
    base::CborWriter out(again);
    const bool copied = copy(in, out, 0);
    if (copied) {
      require(again.size() == in.position());
      require(std::equal(again.begin(), again.end(), data));
    }
    // Skipping also asks for ascending keys, and takes negative integers beyond 64 bits.
    if (skipping.skip(12) && copied) require(skipping.position() == in.position());
  }
  if (const auto event = model::decode_event(input); event.ok()) {
    base::Bytes again;
    model::encode_event(again, *event);
    require(again == base::to_bytes(input));
  }
  std::vector<model::ByteRange> ranges;
  if (const auto entry = model::decode_entry(input, 1, &ranges); entry.ok()) {
    base::Bytes again;
    std::vector<model::ByteRange> ranges_again;
    model::encode_entry(again, ranges_again, entry->at, entry->command, entry->events);
    require(again == base::to_bytes(input));
    require(ranges.size() == entry->events.size() && ranges_again.size() == ranges.size());
    for (const model::ByteRange& range : ranges) require(model::decode_event(input.subspan(range.offset, range.size)).ok());
  }
  return 0;
}
