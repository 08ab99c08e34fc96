// rooms: intake crypto model base
// OpenSSH keys: the wire form and openssh-key-v1 behind their magic.
#include <cstdint>

#include "intake/layers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  Expectations expected;
  expected.policy.derivation_rounds_max = 16'000;
  if (size != 0 && (data[0] & 1) != 0) expected.password = "secret";
  Examination run{expected, {}, {}, {}, 0, false, false};
  Content content;
  content.bytes = to_secret({data, size});
  examine_ssh_wire(run, content, {}, "openssh");
  constexpr std::string_view magic("openssh-key-v1\0", 15);
  content.bytes = to_secret(base::as_bytes(magic));
  content.bytes.insert(content.bytes.end(), data, data + size);
  examine_openssh_private(run, content);
  return 0;
}
