// rooms: intake crypto model base
// A statement as anybody may send it: read whole or refused with a code; what was read is within its bounds.
#include <cstdint>

#include "base/check.h"
#include "intake/statement/statement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = intake::read_statement_mt940({reinterpret_cast<const char*>(data), size});
  if (!read.ok()) return 0;
  for (const intake::BookedLine& line : read->lines) {
    CHECK(line.amount <= base::amount_max && line.booked_at.ns >= 0);
    CHECK(line.our_reference.size() <= intake::statement_reference_bytes_max && line.rail_reference.size() <= intake::statement_reference_bytes_max);
    CHECK(read->from <= line.booked_at || line.by_value_day);
  }
  return 0;
}
