#include "apps/holdfast/chain_case.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "crypto/chain/oid.h"
#include "crypto/chain/pem.h"
#include "wire/json_fields.h"

namespace holdfast {
namespace {

namespace chain = crypto::chain;
using chain::Finding;
using chain::Reason;
using chain::Role;

constexpr std::size_t certificates_max = 2'000;

// What a case may say besides, which changes nothing: labels of suites, and the key that belongs to the leaf.
constexpr std::string_view ignored_fields[] = {"conflicts_with", "features", "importance", "description", "peer_certificate_key"};

class CaseReader {
 public:
  CaseReader(wire::JsonValue json, base::Instant now, std::optional<chain::Profile> profile)
      : fields_(json, "", problems_), now_(now), profile_(profile) {}

  base::Result<ChainCase> read();

 private:
  std::optional<wire::JsonValue> present(std::string_view name, bool required = false);
  std::optional<std::string_view> text(std::string_view name);
  void wrong(std::string_view name, std::string detail) { fields_.report("request_field_malformed", name, std::move(detail)); }

  /// Calls `take` with each string of an array, or reports the field.
  template <typename Take>
  void each_text(std::string_view name, bool required, Take&& take);
  std::vector<base::Bytes> objects_of(std::string_view pem, std::string_view label, std::string& why);
  void read_certificates();
  void read_revocation();
  void read_names();
  void read_usages();
  void read_limits();
  void read_policy();

  std::vector<wire::FieldProblem> problems_;
  wire::JsonFields fields_;
  base::Instant now_;
  std::optional<chain::Profile> profile_;
  ChainCase case_;
};

// Null is how suites write "not given".
std::optional<wire::JsonValue> CaseReader::present(std::string_view name, bool required) {
  auto value = required ? fields_.required(name) : fields_.optional(name);
  if (value && value->is_null()) {
    if (required) wrong(name, "must not be null");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string_view> CaseReader::text(std::string_view name) {
  const auto value = present(name);
  if (!value) return std::nullopt;
  auto string = value->string();
  if (!string) wrong(name, "must be a string");
  return string;
}

template <typename Take>
void CaseReader::each_text(std::string_view name, bool required, Take&& take) {
  const auto value = present(name, required);
  if (!value) return;
  if (!value->is_array()) return wrong(name, "must be an array of strings");
  for (const wire::JsonValue element : value->elements()) {
    const auto string = element.string();
    if (!string) return wrong(name, "must hold strings only");
    if (const char* const why = take(*string)) return wrong(name, why);
  }
}

// DER of every block with this label, or of bare base64.
std::vector<base::Bytes> CaseReader::objects_of(std::string_view pem, std::string_view label, std::string& why) {
  std::vector<base::Bytes> out;
  if (pem.find("-----BEGIN") == std::string_view::npos) {
    std::string bare;
    for (const char c : pem) {
      if (c != '\n' && c != '\r' && c != ' ' && c != '\t') bare.push_back(c);
    }
    auto der = base::parse_base64(bare);
    if (der && !der->empty()) {
      out.push_back(std::move(*der));
    } else {
      why = "neither PEM nor base64";
    }
    return out;
  }
  auto blocks = chain::pem_blocks(pem);
  if (!blocks.ok()) {
    why = blocks.error().message;
    return out;
  }
  for (chain::PemBlock& block : *blocks) {
    if (block.label == label || (label == "CERTIFICATE" && block.label == "X509 CERTIFICATE") || label == "OCSP RESPONSE") out.push_back(std::move(block.der));
  }
  if (out.empty()) why = "no block is labelled " + std::string(label);
  return out;
}

void CaseReader::read_certificates() {
  const auto add = [&](std::vector<chain::Certificate>& into, Role role, std::string_view pem) -> const char* {
    std::string why;
    std::vector<base::Bytes> objects = objects_of(pem, "CERTIFICATE", why);
    if (objects.empty()) objects.emplace_back();
    for (base::Bytes& der : objects) {
      if (into.size() == certificates_max) return "holds too many certificates";
      const bool empty = der.empty();
      auto certificate = chain::read_certificate(std::move(der));
      if (certificate.ok()) {
        into.push_back(std::move(*certificate));
      } else {
        case_.unreadable.push_back({Reason::certificate_is_malformed, role, into.size(), empty ? why : certificate.error().message});
        into.emplace_back();
      }
    }
    return nullptr;
  };
  each_text("trusted_certs", true, [&](std::string_view pem) { return add(case_.anchors, Role::anchor, pem); });
  const auto peer = fields_.required_string("peer_certificate");
  if (peer) {
    std::string why;
    std::vector<base::Bytes> objects = objects_of(*peer, "CERTIFICATE", why);
    auto leaf = chain::read_certificate(objects.empty() ? base::Bytes() : std::move(objects[0]));
    if (leaf.ok()) {
      case_.leaf = std::move(*leaf);
      case_.leaf_is_readable = true;
    } else {
      case_.unreadable.push_back({Reason::certificate_is_malformed, Role::leaf, 0, objects.empty() ? why : leaf.error().message});
    }
    // A file with the whole chain in it: what follows the leaf are intermediates.
    for (std::size_t i = 1; i < objects.size() && i < certificates_max; ++i) {
      auto certificate = chain::read_certificate(std::move(objects[i]));
      if (!certificate.ok()) case_.unreadable.push_back({Reason::certificate_is_malformed, Role::intermediate, i - 1, certificate.error().message});
      case_.intermediates.push_back(certificate.ok() ? std::move(*certificate) : chain::Certificate());
    }
  }
  each_text("untrusted_intermediates", false, [&](std::string_view pem) { return add(case_.intermediates, Role::intermediate, pem); });
}

void CaseReader::read_revocation() {
  each_text("crls", false, [&](std::string_view pem) -> const char* {
    std::string why;
    std::vector<base::Bytes> objects = objects_of(pem, "X509 CRL", why);
    if (objects.empty()) objects.emplace_back();
    for (base::Bytes& der : objects) {
      auto list = chain::read_revocation_list(std::move(der));
      if (!list.ok()) case_.unreadable.push_back({Reason::revocation_list_is_malformed, Role::revocation_list, case_.lists.size(), why.empty() ? list.error().message : why});
      case_.lists.push_back(list.ok() ? std::move(*list) : chain::RevocationList());
    }
    return nullptr;
  });
  each_text("ocsp_responses", false, [&](std::string_view pem) -> const char* {
    std::string why;
    std::vector<base::Bytes> objects = objects_of(pem, "OCSP RESPONSE", why);
    if (objects.empty()) objects.emplace_back();
    for (base::Bytes& der : objects) {
      auto response = chain::read_ocsp_response(std::move(der));
      if (!response.ok()) case_.unreadable.push_back({Reason::ocsp_response_is_malformed, Role::ocsp_response, case_.responses.size(), why.empty() ? response.error().message : why});
      case_.responses.push_back(response.ok() ? std::move(*response) : chain::OcspResponse());
    }
    return nullptr;
  });
  chain::Demands& demands = case_.demands;
  // Whoever sends lists wants them looked at.
  demands.revocation = case_.lists.empty() && case_.responses.empty() ? chain::Revocation::off : chain::Revocation::hard;
  if (const auto mode = text("revocation")) {
    if (*mode == "off") {
      demands.revocation = chain::Revocation::off;
    } else if (*mode == "soft") {
      demands.revocation = chain::Revocation::soft;
    } else if (*mode == "hard") {
      demands.revocation = chain::Revocation::hard;
    } else {
      wrong("revocation", "must be off, soft or hard");
    }
  }
  if (const auto scope = text("revocation_scope")) {
    if (*scope != "chain" && *scope != "leaf") wrong("revocation_scope", "must be chain or leaf");
    demands.revocation_of_leaf_only = *scope == "leaf";
  }
  if (const auto nonce = text("ocsp_nonce")) {
    demands.ocsp_nonce = base::parse_hex(*nonce);
    if (!demands.ocsp_nonce) wrong("ocsp_nonce", "must be hexadecimal digits");
  }
}

void CaseReader::read_names() {
  const auto add = [&](std::string_view field, wire::JsonValue value) {
    const auto kind = value.find("kind");
    const auto name = value.find("value");
    const auto kind_text = kind ? kind->string() : std::nullopt;
    const auto name_text = name ? name->string() : std::nullopt;
    if (!value.is_object() || !kind_text || !name_text || value.size() != 2) return wrong(field, "must be an object with the strings kind and value");
    chain::ExpectedName expected{chain::Form::dns, std::string(*name_text)};
    if (chain::same_text(*kind_text, "IP")) {
      expected.form = chain::Form::address;
    } else if (chain::same_text(*kind_text, "RFC822") || chain::same_text(*kind_text, "email")) {
      expected.form = chain::Form::email;
    } else if (!chain::same_text(*kind_text, "DNS")) {
      return wrong(field, "kind must be DNS, IP or RFC822");
    }
    case_.demands.names.push_back(std::move(expected));
  };
  if (const auto name = present("expected_peer_name")) add("expected_peer_name", *name);
  if (const auto names = present("expected_peer_names")) {
    if (!names->is_array()) wrong("expected_peer_names", "must be an array");
    for (const wire::JsonValue name : names->elements()) add("expected_peer_names", name);
  }
}

void CaseReader::read_usages() {
  static constexpr std::pair<std::string_view, std::uint32_t> bits[] = {
      {"digitalSignature", chain::usage::digital_signature}, {"contentCommitment", chain::usage::content_commitment},
      {"keyEncipherment", chain::usage::key_encipherment},   {"dataEncipherment", chain::usage::data_encipherment},
      {"keyAgreement", chain::usage::key_agreement},         {"keyCertSign", chain::usage::key_cert_sign},
      {"cRLSign", chain::usage::crl_sign},                   {"encipherOnly", chain::usage::encipher_only},
      {"decipherOnly", chain::usage::decipher_only}};
  static constexpr std::pair<std::string_view, const chain::Oid&> purposes[] = {
      {"serverAuth", chain::oid::server_auth},           {"clientAuth", chain::oid::client_auth},
      {"codeSigning", chain::oid::code_signing},         {"emailProtection", chain::oid::email_protection},
      {"timeStamping", chain::oid::time_stamping},       {"OCSPSigning", chain::oid::ocsp_signing},
      {"anyExtendedKeyUsage", chain::oid::any_usage}};
  chain::Demands& demands = case_.demands;
  each_text("key_usage", false, [&](std::string_view name) -> const char* {
    const auto found = std::find_if(std::begin(bits), std::end(bits), [&](const auto& row) { return row.first == name; });
    if (found == std::end(bits)) return "names a key usage there is not; they are written as in RFC 5280, digitalSignature";
    demands.usage_bits |= found->second;
    return nullptr;
  });
  each_text("extended_key_usage", false, [&](std::string_view name) -> const char* {
    const auto found = std::find_if(std::begin(purposes), std::end(purposes), [&](const auto& row) { return row.first == name; });
    auto id = found != std::end(purposes) ? std::optional(base::to_bytes(found->second.view())) : parse_dotted(name);
    if (!id) return "names a usage that is neither known (serverAuth, clientAuth, ...) nor an object identifier";
    demands.purposes.push_back(std::move(*id));
    return nullptr;
  });
  each_text("signature_algorithms", false, [&](std::string_view name) -> const char* {
    demands.signature_algorithms.emplace_back(name);
    return nullptr;
  });
  if (const auto kind = text("validation_kind")) {
    if (*kind != "SERVER" && *kind != "CLIENT") return wrong("validation_kind", "must be SERVER or CLIENT");
    const chain::Oid& purpose = *kind == "SERVER" ? chain::oid::server_auth : chain::oid::client_auth;
    if (demands.purposes.empty()) demands.purposes.push_back(base::to_bytes(purpose.view()));
  }
}

void CaseReader::read_limits() {
  chain::Demands& demands = case_.demands;
  base::Instant instant = now_;
  if (const auto time = text("validation_time")) {
    if (const auto parsed = parse_time(*time)) {
      instant = *parsed;
    } else {
      wrong("validation_time", "must be RFC 3339, 2026-11-22T12:00:00Z");
    }
  }
  demands.now_s = instant.ns / 1'000'000'000;
  each_text("observed_times", false, [&](std::string_view time) -> const char* {
    const auto parsed = parse_time(time);
    if (!parsed) return "must hold RFC 3339 times";
    demands.observed_s.push_back(parsed->ns / 1'000'000'000);
    return nullptr;
  });
  if (const auto depth = present("max_chain_depth")) {
    const auto number = depth->uint64();
    if (!number || *number > 1'000'000) {
      wrong("max_chain_depth", "must be a number of intermediates");
    } else {
      demands.intermediates_max = static_cast<std::uint32_t>(*number);
    }
  }
  if (const auto bits = present("minimum_rsa_bits")) {
    const auto number = bits->uint64();
    if (!number || *number < 1'024 || *number > 16'384) {
      wrong("minimum_rsa_bits", "must be between 1024 and 16384");
    } else {
      demands.rsa_bits_min = static_cast<std::uint32_t>(*number);
    }
  }
}

void CaseReader::read_policy() {
  const auto policy = present("policy");
  if (!policy) return;
  chain::PolicyDemands& out = case_.demands.policy;
  wire::JsonFields fields(*policy, "/policy", problems_);
  if (const auto acceptable = fields.optional_array("acceptable_policies")) {
    for (const wire::JsonValue element : acceptable->elements()) {
      const auto string = element.string();
      auto id = string ? parse_dotted(*string) : std::nullopt;
      if (!id) {
        fields.report("request_field_malformed", "acceptable_policies", "must hold object identifiers, 2.23.140.1.2.1");
        break;
      }
      out.acceptable.push_back(std::move(*id));
    }
  }
  out.explicit_policy = fields.optional_boolean("require_explicit_policy").value_or(false);
  out.inhibit_mapping = fields.optional_boolean("inhibit_policy_mapping").value_or(false);
  out.inhibit_any = fields.optional_boolean("inhibit_any_policy").value_or(false);
  fields.finish();
}

base::Result<ChainCase> CaseReader::read() {
  if (const auto id = text("id")) case_.id = *id;
  if (const auto expected = text("expected_result")) case_.expected_accept = *expected == "SUCCESS";
  read_certificates();
  read_names();
  read_usages();
  read_limits();
  read_revocation();
  read_policy();
  for (const std::string_view name : ignored_fields) fields_.optional(name);
  // A suite says in the first part of a case's name whose rules it means; x509-limbo means RFC 5280 where it names none.
  const std::size_t colons = case_.id.find("::");
  const bool of_suite = colons != std::string::npos;
  const auto named_by_suite = of_suite ? profile_of_name(std::string_view(case_.id).substr(0, colons)) : std::nullopt;
  const chain::Profile otherwise = of_suite ? chain::Profile::rfc5280 : chain::Profile::webpki;
  case_.demands.profile = named_by_suite.value_or(profile_.value_or(otherwise));
  if (const auto profile = text("profile")) {
    const auto named = profile_of_name(*profile);
    if (!named) wrong("profile", "must be webpki, rfc5280 or private");
    case_.demands.profile = named.value_or(case_.demands.profile);
  }
  fields_.finish();
  if (problems_.empty()) return std::move(case_);
  std::string message = "the case is not understood:";
  for (const wire::FieldProblem& problem : problems_) {
    message += " " + (problem.pointer.empty() ? std::string("/") : problem.pointer) + " " + problem.detail;
    if (!problem.suggestion.empty()) message += " (did you mean " + problem.suggestion + "?)";
    message += ";";
  }
  message.pop_back();
  return base::Error{"chain_case_malformed", std::move(message)};
}

}  // namespace

base::Result<ChainCase> read_chain_case(wire::JsonValue json, base::Instant now, std::optional<chain::Profile> profile) {
  return CaseReader(json, now, profile).read();
}

std::optional<chain::Profile> profile_of_name(std::string_view name) {
  if (name == "webpki") return chain::Profile::webpki;
  if (name == "rfc5280") return chain::Profile::rfc5280;
  if (name == "private") return chain::Profile::private_use;
  return std::nullopt;
}

std::string_view name_of(chain::Profile profile) {
  switch (profile) {
    case chain::Profile::webpki: return "webpki";
    case chain::Profile::rfc5280: return "rfc5280";
    case chain::Profile::private_use: return "private";
  }
  return "";
}

std::string_view name_of(chain::Revocation revocation) {
  switch (revocation) {
    case chain::Revocation::off: return "off";
    case chain::Revocation::soft: return "soft";
    case chain::Revocation::hard: return "hard";
  }
  return "";
}

std::optional<base::Instant> parse_time(std::string_view text) {
  if (text.size() < 20) return std::nullopt;
  if (text.back() == 'Z' || text.back() == 'z') return base::parse_rfc3339(text);
  const std::string_view offset = text.substr(text.size() - 6);
  const auto digit = [&](std::size_t i) { return offset[i] >= '0' && offset[i] <= '9' ? offset[i] - '0' : 100; };
  const int hours = digit(1) * 10 + digit(2);
  const int minutes = digit(4) * 10 + digit(5);
  if ((offset[0] != '+' && offset[0] != '-') || offset[3] != ':' || hours > 23 || minutes > 59) return std::nullopt;
  const auto local = base::parse_rfc3339(std::string(text.substr(0, text.size() - 6)) + "Z");
  if (!local) return std::nullopt;
  const std::int64_t shift = (hours * 60 + minutes) * 60'000'000'000LL;
  const base::Instant instant{offset[0] == '+' ? local->ns - shift : local->ns + shift};
  return instant.ns < 0 ? std::nullopt : std::optional(instant);
}

std::optional<base::Bytes> parse_dotted(std::string_view text) {
  std::vector<std::uint64_t> arcs;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, end);
    if (part.empty() || part.size() > 18 || (part.size() > 1 && part[0] == '0') || arcs.size() == 32) return std::nullopt;
    std::uint64_t arc = 0;
    for (const char c : part) {
      if (c < '0' || c > '9') return std::nullopt;
      arc = arc * 10 + static_cast<std::uint64_t>(c - '0');
    }
    arcs.push_back(arc);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  if (arcs.size() < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39)) return std::nullopt;
  arcs[1] += arcs[0] * 40;
  base::Bytes out;
  for (std::size_t i = 1; i < arcs.size(); ++i) {
    std::array<std::uint8_t, 10> groups{};
    std::size_t count = 0;
    for (std::uint64_t rest = arcs[i]; count == 0 || rest != 0; rest >>= 7) groups[count++] = static_cast<std::uint8_t>(rest & 0x7F);
    while (count-- > 0) out.push_back(static_cast<std::uint8_t>(groups[count] | (count == 0 ? 0U : 0x80U)));
  }
  return out;
}

}  // namespace holdfast
