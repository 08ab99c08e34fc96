// Alipay: notifications (a form with `sign`), replies of the gateway (JSON with `sign` beside the node that is signed), and
// the headers of its HTTP API version 3. Serial numbers of certificates are MD5 over issuer and serial number.

#include <algorithm>

#include "trial/specimen.h"
#include "trial/text_variants.h"

namespace trial {
namespace {

using crypto::chain::Hash;
using intake::Cause;

std::optional<Scheme> scheme_for(std::string_view sign_type) {
  if (sign_type == "RSA2" || sign_type.empty()) return Scheme{.algorithm = Algorithm::rsa_pkcs1, .hash = Hash::sha256};
  if (sign_type == "RSA") return Scheme{.algorithm = Algorithm::rsa_pkcs1, .hash = Hash::sha1};
  if (sign_type == "SM2") return Scheme{.algorithm = Algorithm::sm2, .hash = Hash::sm3, .der = true};
  return std::nullopt;
}

/// The JSON value that begins at `at`, as it stands: found by brackets and quotes, because a body in GBK is no JSON to a parser.
std::string_view value_at(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  bool inside = false, escaped = false;
  for (std::size_t i = at; i < json.size(); ++i) {
    const char c = json[i];
    if (inside) {
      if (!escaped && c == '"') inside = false;
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      inside = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
    const bool ended = !inside && depth == 0 && (c == '"' || c == '}' || c == ']');
    if (ended && i != at) return json.substr(at, i - at + 1);
  }
  return {};
}

/// The value behind the first member whose quoted name ends so; empty if there is none.
std::string_view member_value(std::string_view json, std::string_view name_end) {
  const std::size_t name = json.find(name_end);
  if (name == std::string_view::npos) return {};
  std::size_t at = name + name_end.size();
  while (at < json.size() &&
         (json[at] == ' ' || json[at] == '\t' || json[at] == '\r' || json[at] == '\n' || json[at] == ':'))
    ++at;
  return value_at(json, at);
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  std::string out(text);
  std::erase(out, '\\');  // base64 with its slashes escaped
  return out;
}

void judge_serials(const Message& message, const KeyRing& ring, Specimen& specimen) {
  if (const auto serial = message.parameter("app_cert_sn")) specimen.key_name = *serial;
  if (const auto serial = message.parameter("alipay_cert_sn")) specimen.key_name = *serial;
  const auto root = message.parameter("alipay_root_cert_sn");
  if (root && !ring.alipay_root_serial.empty() && *root != ring.alipay_root_serial) {
    specimen.notes.add(
        Cause::signature_serial_is_unknown, {},
        "alipay_root_cert_sn is " + std::string(*root) + ", the roots given make " + ring.alipay_root_serial);
  }
}

Specimen read_form(const Message& message, const KeyRing& ring) {
  const std::string sign_type(message.parameter("sign_type").value_or(""));
  const auto scheme = scheme_for(sign_type);
  if (!scheme)
    return without_hope(Cause::algorithm_not_allowed, "sign_type is `" + sign_type + "`; RSA2, RSA and SM2 are known");
  const ParameterRule rule{.left_out = {"sign", "sign_type"}};
  Specimen specimen;
  specimen.key_name_is_serial = true;
  specimen.base = join_parameters(message.parameters, rule);
  specimen.signature = *message.parameter("sign");
  specimen.scheme = *scheme;
  specimen.variants = parameter_variants(message.parameters, rule);
  for (const char* const name : {"notify_time", "timestamp", "gmt_payment"}) {
    if (const auto text = message.parameter(name)) specimen.stamps.push_back({name, std::string(*text)});
  }
  judge_serials(message, ring, specimen);
  apply_charset(message.parameter("charset").value_or(""), specimen);
  return specimen;
}

Specimen read_reply(const Message& message) {
  const std::string_view body = *message.body;
  const std::string_view node = member_value(body, "_response\"");
  const std::string_view sign = member_value(body, "\"sign\"");
  if (node.empty())
    return without_hope(Cause::signature_part_is_missing, "the body has no member whose name ends in _response");
  if (sign.empty()) return without_hope(Cause::signature_part_is_missing, "the body has no member sign");
  Specimen specimen;
  specimen.base = node;
  specimen.signature = unquoted(sign);
  specimen.scheme = *scheme_for(message.algorithm == "RSA" ? "RSA" : "RSA2");
  specimen.key_name_is_serial = true;
  specimen.key_name = unquoted(member_value(body, "\"alipay_cert_sn\""));
  specimen.variants = variants_of(node);
  specimen.variants.push_back({Cause::signature_base_differs, "over the whole body", std::string(body), {}});
  return specimen;
}

Specimen read_version_3(const Message& message) {
  const auto timestamp = message.header("alipay-timestamp"), nonce = message.header("alipay-nonce");
  if (!timestamp || !nonce)
    return without_hope(Cause::signature_part_is_missing, "the headers alipay-timestamp and alipay-nonce");
  const std::string head = std::string(*timestamp) + "\n" + std::string(*nonce) + "\n";
  const std::string body = message.body.value_or("");
  Specimen specimen;
  specimen.base = head + body + "\n";
  specimen.signature = *message.header("alipay-signature");
  specimen.scheme = *scheme_for("RSA2");
  specimen.key_name_is_serial = true;
  specimen.key_name = message.header("alipay-sn").value_or("");
  specimen.nonce = *nonce;
  specimen.stamps.push_back(stamp_of("alipay-timestamp", *timestamp, StampUnit::milliseconds, specimen.notes));
  specimen.variants = variants_within(head, body, "\n");
  specimen.variants.push_back({Cause::signature_line_ends_differ, "without the last line feed", head + body, {}});
  specimen.variants.push_back(
      {Cause::protocol_version_differs, "over the body alone, as the gateway protocol signs", body, {}});
  return specimen;
}

}  // namespace

Specimen read_alipay(const Case& one, const KeyRing& ring) {
  const Message& message = one.message;
  if (message.header("alipay-signature")) return read_version_3(message);
  if (message.parameter("sign")) return read_form(message, ring);
  if (!message.parameters.empty()) return without_hope(Cause::signature_part_is_missing, "the parameter sign");
  if (message.body) return read_reply(message);
  return without_hope(Cause::signature_part_is_missing, "parameters with sign, a body, or the header alipay-signature");
}

}  // namespace trial
