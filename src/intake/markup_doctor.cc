// .NET XML keys (RSAKeyValue, ECDsaKeyValue are what XmlDsig calls them) and pages of HTML or XML errors.
#include <algorithm>
#include <cctype>

#include "intake/layers.h"
#include "intake/pem.h"

namespace intake {
namespace {

std::optional<Secret> element_value(const Traced& text, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  const std::size_t begin = text.view().find(open);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = text.view().find(close, begin);
  if (end == std::string_view::npos) return std::nullopt;
  Base64Scan scan = scan_base64(text, begin + open.size(), end);
  if (scan.bad_at != std::string_view::npos || scan.lone_digit || scan.digits == 0) return std::nullopt;
  while (!scan.content.bytes.empty() && scan.content.bytes[0] == 0) scan.content.bytes.erase(scan.content.bytes.begin());
  return std::move(scan.content.bytes);
}

}  // namespace

bool examine_markup(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  const Place whole = text.place(0, text.size());
  if (view.find("<RSAKeyValue") != std::string_view::npos) {
    const Content content = content_of(text, 0, {});
    const Desk desk{content, run.notes};
    Key key;
    key.type = KeyType::rsa;
    const bool is_private = view.find("<D>") != std::string_view::npos;
    if (is_private) run.seems_private = true;
    struct Part {
      std::string_view name;
      Secret* into;
      bool needed;
    };
    const Part parts[] = {{"Modulus", &key.n, true}, {"Exponent", &key.e, true}, {"D", &key.d, is_private}, {"P", &key.p, is_private},
                          {"Q", &key.q, is_private}, {"DP", &key.dp, is_private}, {"DQ", &key.dq, is_private}, {"InverseQ", &key.qi, is_private}};
    for (const Part& part : parts) {
      if (!part.needed) continue;
      auto value = element_value(text, part.name);
      if (!value) {
        run.notes.add(Cause::jwk_member_is_missing, whole, "the element " + std::string(part.name) + " is missing or no base64");
        return true;
      }
      *part.into = std::move(*value);
    }
    key.is_private = is_private;
    run.notes.add(Cause::xml_key_given, whole);
    run.add_key(std::move(key), "xml", {}, desk);
    return true;
  }
  std::string start(view.substr(0, 2048));
  std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::string_view mark : {"<!doctype", "<html", "<head", "<body", "<title", "<?xml", "<error", "<!--", "<script", "<h1", "<soap", "<p>", "<div"}) {
    if (start.find(mark) != std::string::npos) {
      run.notes.add(Cause::content_is_an_error_page, whole, mark == "<?xml" || mark == "<error" ? "XML" : "HTML");
      return true;
    }
  }
  return false;
}

}  // namespace intake
