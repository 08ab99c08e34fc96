// A signature over a byte string, beside it; and what several conventions share.

#include <charconv>

#include "trial/gbk.h"
#include "trial/specimen.h"
#include "trial/text_variants.h"

namespace trial {

using intake::Cause;

Specimen without_hope(Cause cause, std::string evidence) {
  Specimen specimen;
  specimen.notes.add(cause, {}, std::move(evidence));
  specimen.hopeless = true;
  return specimen;
}

Stamp stamp_of(std::string name, std::string_view text, StampUnit unit, intake::Notes& notes) {
  Stamp stamp{std::move(name), std::string(text), std::nullopt, true};
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || number < 0) {
    notes.add(Cause::signature_part_is_missing, {}, stamp.name + " is not a number");
    return stamp;
  }
  constexpr std::int64_t seconds_max = 9'000'000'000, milliseconds_max = seconds_max * 1'000;
  const bool milliseconds = number > seconds_max;
  if (milliseconds && unit == StampUnit::seconds)
    notes.add(Cause::signature_time_is_in_milliseconds, {}, stamp.name + " is " + stamp.text);
  if (number <= milliseconds_max) stamp.at = base::Instant{number * (milliseconds ? 1'000'000 : 1'000'000'000)};
  return stamp;
}

void apply_charset(std::string_view declared, Specimen& specimen) {
  std::string name(declared);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name != "gbk" && name != "gb2312" && name != "gb18030") return;
  auto gbk = utf8_to_gbk(specimen.base);
  if (!gbk || *gbk == specimen.base) return;
  std::erase_if(specimen.variants, [&](const BaseVariant& one) { return one.bytes == *gbk; });
  for (BaseVariant& one : specimen.variants) {
    if (auto converted = utf8_to_gbk(one.bytes)) one.bytes = std::move(*converted);
  }
  specimen.variants.push_back({Cause::signature_charset_differs, "in UTF-8", std::move(specimen.base), {}});
  specimen.base = std::move(*gbk);
}

Specimen read_detached(const Case& one, const KeyRing& ring) {
  const Message& message = one.message;
  if (!message.body) return without_hope(Cause::signature_part_is_missing, "/message/body or /message/body_base64");
  if (message.signature.empty()) return without_hope(Cause::signature_part_is_missing, "/message/signature");
  auto scheme = message.algorithm.empty() ? std::nullopt : scheme_of_name(message.algorithm);
  if (!scheme && !message.algorithm.empty())
    return without_hope(Cause::algorithm_not_allowed, "no scheme is called `" + message.algorithm + "`");
  if (!scheme)
    scheme = ring.keys.empty() ? scheme_of_name("hmac-sha256") : usual_scheme(ring.keys.front().verifier.kind());
  Specimen specimen;
  specimen.base = *message.body;
  specimen.signature = message.signature;
  specimen.text = message.encoding == "hex"         ? SignatureText::hex
                  : message.encoding == "base64url" ? SignatureText::base64url
                                                    : SignatureText::base64;
  specimen.scheme = scheme.value_or(Scheme{});
  if (!message.user_id.empty()) specimen.scheme.user_id = message.user_id;
  specimen.variants = variants_of(specimen.base);
  return specimen;
}

}  // namespace trial
