// rooms: intake crypto model base
// Wallet texts: encodings round-trip, recognisers do not fall over.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "intake/layers.h"
#include "intake/wallet_codes.h"
#include "intake/wallet_paths.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  const std::string_view view(reinterpret_cast<const char*>(data), size);
  if (auto bytes = from_base58(view)) CHECK(std::string_view(to_base58(*bytes)) == view);
  if (auto decoded = from_bech32(view)) {
    std::string lower(view);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    CHECK(to_bech32(decoded->prefix, decoded->values, decoded->is_m) == lower);
    if (const auto bytes = from_groups(decoded->values)) CHECK(to_groups(*bytes) == decoded->values);
  }
  CHECK(is_same_address(view, view));
  if (!base::is_utf8(view)) return 0;
  const Expectations expected;
  Examination run{expected, {}, {}, {}, 0, false, false};
  Traced text;
  text.text.assign(view);
  if (text.text.empty()) return 0;
  if (!examine_phrase(run, text)) examine_wallet_text(run, text);
  examine_secret_text(run, text);
  return 0;
}
