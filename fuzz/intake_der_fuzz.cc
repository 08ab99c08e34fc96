// rooms: intake crypto model base
// Strict DER and the way to it: what the converter makes is strict, and strict input stays as it is.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "intake/certificate.h"
#include "intake/der.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  const base::ByteView bytes(data, size);
  std::size_t used = 0;
  const auto converted = ber_to_der(bytes, used);
  if (!first_der_fault(bytes)) {
    CHECK(converted.has_value() && used == size);
    DerCursor cursor(bytes);
    auto element = cursor.next();
    std::size_t fault = 0;
    if (element && element->tag == tag::sequence) read_certificate(*element, fault);
    CHECK(fault <= size);
  }
  return 0;
}
