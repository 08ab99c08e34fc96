// rooms: intake crypto model base
// The whole doctor on anything, as every kind a slot can ask for.
#include <cstdint>

#include "base/check.h"
#include "intake/doctor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  if (size == 0) return 0;
  constexpr Kind kinds[] = {Kind::unknown, Kind::public_key, Kind::private_key, Kind::certificate, Kind::extended_public_key};
  Expectations expected;
  const Kind kind = kinds[data[0] % std::size(kinds)];
  if (kind != Kind::unknown) expected.kind = kind;
  expected.policy.derivation_rounds_max = 2048;
  expected.policy.derivation_memory_max = 1 << 20;
  if ((data[0] & 0x80) != 0) expected.password = "secret";
  const Report report = examine({data + 1, size - 1}, expected);
  CHECK(!report.usable || report.chosen.has_value());
  CHECK(!report.usable || !expected.kind || report.item()->kind == *expected.kind);
  for (const Finding& finding : report.findings) {
    CHECK(!report.usable || finding.severity < Severity::error);
    CHECK(!report.is_private || finding.repair.empty());
  }
  return 0;
}
