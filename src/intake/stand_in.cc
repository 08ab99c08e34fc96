// What people send in place of a key: placeholders, names of files, addresses, fingerprints, tokens.
#include <algorithm>
#include <cctype>
#include <string>

#include "intake/layers.h"

namespace intake {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_placeholder(std::string_view text) {
  if (text.size() > 400) return false;
  const std::string low = lowered(text);
  std::string_view core = low;
  while (!core.empty() && (core.front() == '"' || core.front() == '\'' || core.front() == '`')) core.remove_prefix(1);
  while (!core.empty() && (core.back() == '"' || core.back() == '\'' || core.back() == '`')) core.remove_suffix(1);
  if (const std::size_t equals = core.find('='); equals != std::string_view::npos && equals < 40 && core.find("begin") == std::string_view::npos) {
    std::string_view value = core.substr(equals + 1);
    while (!value.empty() && (value.front() == '"' || value.front() == '\'' || value.front() == ' ')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '"' || value.back() == '\'')) value.remove_suffix(1);
    if (value.empty()) return true;
    if (value.starts_with("${") || value.starts_with("{{") || value.starts_with("<")) core = value;
  }
  static constexpr std::string_view words[] = {"changeme", "change_me", "change-me", "todo", "tbd", "null", "undefined", "none", "nil",
                                               "n/a", "nan", "test", "secret", "password", "[object object]", "xxx", "xxxx", "xxxxx",
                                               "placeholder", "dummy", "foo", "bar", "example", "key", "public key", "private key", "true", "false", "-", "?"};
  if (std::find(std::begin(words), std::end(words), core) != std::end(words)) return true;
  if ((core.starts_with("${") || core.starts_with("$(")) && (core.back() == '}' || core.back() == ')')) return true;
  if (core.starts_with("{{") && core.ends_with("}}")) return true;
  if (core.starts_with("<%") && core.ends_with("%>")) return true;
  if (core.starts_with("%") && core.ends_with("%") && core.size() > 2) return true;
  if (core.starts_with("__") && core.ends_with("__")) return true;
  if (core.starts_with("$") && std::all_of(core.begin() + 1, core.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; })) return true;
  const bool bracketed = (core.starts_with("<") && core.ends_with(">")) || (core.starts_with("[") && core.ends_with("]"));
  static constexpr std::string_view hints[] = {"your key", "your_key", "your-key", "yourkey", "key here", "key_here", "key-here", "paste", "replace", "insert",
                                               "your public", "your private", "your_public", "your_private", "your rsa", "your certificate", "placeholder",
                                               "goes here", "goes_here", "fill in", "fill_in", "example key", "请填", "替换", "在此", "您的", "你的"};
  const bool hinted = std::any_of(std::begin(hints), std::end(hints), [&](std::string_view hint) { return contains(core, hint); });
  const bool prose_hint = hinted && core.size() <= 120 && !contains(core, "-----");
  if (bracketed && core.size() <= 80 && !contains(core, "/") && !contains(core, "=") && !contains(core, ":") && !contains(core, ",")) return true;
  if (prose_hint) return true;
  // Masked values: mostly asterisks, bullets, x or dots.
  std::size_t mask = 0;
  for (char c : core) mask += c == '*' || c == '.' || c == '#' || c == '_' ? 1 : 0;
  if (core.size() >= 3 && mask * 10 >= core.size() * 9) return true;
  return core.size() >= 6 && std::all_of(core.begin(), core.end(), [](char c) { return c == 'x'; });
}

bool is_path_or_address(std::string_view text) {
  if (text.size() > 1024 || contains(text, "\n")) return false;
  if (text.starts_with("http://") || text.starts_with("https://") || text.starts_with("file:") || text.starts_with("s3://") ||
      text.starts_with("vault:") || text.starts_with("arn:") || text.starts_with("pkcs11:") || text.starts_with("ftp://")) {
    return true;
  }
  const bool drive = text.size() > 3 && std::isalpha(static_cast<unsigned char>(text[0])) != 0 && text[1] == ':' && (text[2] == '\\' || text[2] == '/');
  const std::string low = lowered(text);
  static constexpr std::string_view endings[] = {".pem", ".key", ".crt", ".cer", ".der", ".p12", ".pfx", ".jks", ".pub", ".p8", ".json", ".txt", ".csr", ".ppk"};
  const bool ending = std::any_of(std::begin(endings), std::end(endings), [&](std::string_view e) { return low.ends_with(e); });
  if (drive || text.starts_with("~/") || text.starts_with("./") || text.starts_with("../") || text.starts_with("@/")) return true;
  if (text.starts_with("/") && (ending || (text.size() < 100 && !contains(text, "+") && std::count(text.begin(), text.end(), '/') >= 2 && !contains(text, "=") && text.size() < 60))) return true;
  return ending && !contains(text, " ") && text.size() < 200;
}

bool is_fingerprint(std::string_view text) {
  if (contains(text, "\n") || text.size() > 200) return false;
  if (contains(text, "SHA256:") && !contains(text, "BEGIN")) return true;
  if (text.starts_with("sha256/") && text.size() < 60) return true;
  const std::size_t equals = text.find("ingerprint=");
  std::string_view value = equals == std::string_view::npos ? text : text.substr(equals + 11);
  if (value.starts_with("MD5:")) value.remove_prefix(4);
  // 16, 20 or 32 bytes as pairs with colons.
  if (value.size() != 47 && value.size() != 59 && value.size() != 95) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i % 3 == 2 ? value[i] != ':' : std::isxdigit(static_cast<unsigned char>(value[i])) == 0) return false;
  }
  return true;
}

}  // namespace

bool examine_stand_in(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  const Place whole = text.place(0, text.size());
  if (is_placeholder(view)) {
    run.notes.add(Cause::input_is_a_placeholder, whole);
    return true;
  }
  if (is_path_or_address(view)) {
    run.notes.add(Cause::content_is_a_path_or_address, whole);
    return true;
  }
  if (is_fingerprint(view)) {
    run.notes.add(Cause::content_is_a_fingerprint, whole);
    return true;
  }
  // Compact JOSE: eyJ is base64url of {" ; three parts are signed, five encrypted.
  if (view.starts_with("eyJ") && view.find_first_of(" \n\t") == std::string_view::npos) {
    const auto dots = std::count(view.begin(), view.end(), '.');
    if (dots == 2) {
      run.seems_private = true;
      run.notes.add(Cause::content_is_a_token, whole, "a signed token (JWS)");
      return true;
    }
    if (dots == 4) {
      run.seems_private = true;
      run.notes.add(Cause::encrypted_jwk_given, whole, "compact serialisation");
      return true;
    }
  }
  return false;
}

}  // namespace intake
