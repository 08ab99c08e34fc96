#include "crypto/chain/pem.h"

#include "base/text.h"

namespace crypto::chain {

base::Result<std::vector<PemBlock>> pem_blocks(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN ", dashes = "-----";
  const auto malformed = [](const char* why) { return base::Error{"pem_is_malformed", why}; };
  std::vector<PemBlock> blocks;
  while (true) {
    const std::size_t start = text.find(begin);
    if (start == std::string_view::npos) return blocks;
    text.remove_prefix(start + begin.size());
    const std::size_t label_end = text.find(dashes);
    if (label_end == std::string_view::npos || label_end > 64) return malformed("a BEGIN line does not end in dashes");
    const std::string_view label = text.substr(0, label_end);
    text.remove_prefix(label_end + dashes.size());
    const std::string end = "-----END " + std::string(label) + "-----";
    const std::size_t stop = text.find(dashes);
    if (stop == std::string_view::npos || text.substr(stop, end.size()) != end) return malformed("a block has no END line, or one with another label");
    std::string body;
    body.reserve(stop);
    for (const char c : text.substr(0, stop)) {
      if (c != '\n' && c != '\r' && c != ' ' && c != '\t') body.push_back(c);
    }
    auto der = base::parse_base64(body);
    if (!der || der->empty()) return malformed("the content of a block is not base64");
    blocks.push_back({label, std::move(*der)});
    text.remove_prefix(stop + end.size());
  }
}

}  // namespace crypto::chain
