// rooms: intake crypto model base
// Keystores and encrypted containers with a password at hand and little room to derive in.
#include <cstdint>

#include "intake/keystore.h"
#include "intake/layers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  Expectations expected;
  expected.password = "secret";
  expected.policy.derivation_rounds_max = 2048;
  expected.policy.derivation_memory_max = 1 << 20;
  Examination run{expected, {}, {}, {}, 0, false, false};
  Content content;
  content.bytes = to_secret({data, size});
  examine_magic(run, content);
  examine_der(run, content, {});
  Traced text;
  text.text.assign(reinterpret_cast<const char*>(data), size);
  examine_putty(run, text);
  return 0;
}
