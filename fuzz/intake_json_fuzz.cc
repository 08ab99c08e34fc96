// rooms: intake crypto model base
// The small JSON reader: what it reads lies inside of the text.
#include <cstdint>

#include "base/check.h"
#include "intake/json.h"

namespace {
void walk(const intake::JsonValue& value, std::size_t size) {
  CHECK(value.begin <= value.end && value.end <= size);
  CHECK(!value.is_object() || value.names.size() == value.items.size());
  for (const auto& item : value.items) walk(item, size);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t fault = 0;
  const auto value = intake::parse_json({reinterpret_cast<const char*>(data), size}, fault);
  CHECK(fault <= size);
  if (value) walk(*value, size);
  return 0;
}
