// rooms: intake crypto model base
// Finding PEM blocks, their headers and their digits: offsets stay inside of the text.
#include <cstdint>

#include "base/check.h"
#include "intake/pem.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  Traced text;
  text.text.assign(reinterpret_cast<const char*>(data), size);
  for (const PemBlock& block : find_pem_blocks(text.view(), 50)) {
    CHECK(block.begin <= block.body_begin && block.body_begin <= block.body_end && block.body_end <= block.end && block.end <= size);
    const PemHeaders headers = read_pem_headers(text.view(), block);
    CHECK(headers.data_begin >= block.body_begin && headers.data_begin <= block.body_end);
    const Base64Scan scan = scan_base64(text, headers.data_begin, block.body_end);
    CHECK(scan.content.bytes.size() <= (block.body_end - headers.data_begin));
  }
  return 0;
}
