// rooms: node
// Configuration files: whatever is in one, reading ends with settings or with problems; and settings that were taken are
// shown as a file that means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "node/configuration.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const node::ConfigurationReading reading = node::read_configuration({reinterpret_cast<const char*>(data), size});
  if (!reading.problems.empty()) return 0;
  const std::string shown = node::show_configuration(reading.configuration);
  const node::ConfigurationReading again = node::read_configuration(shown);
  if (!again.problems.empty() || node::show_configuration(again.configuration) != shown) std::abort();
  return 0;
}
