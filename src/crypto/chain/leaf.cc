// The leaf against what was asked for: names (RFC 6125, RFC 9525) and usages (RFC 5280 sections 4.2.1.3 and 4.2.1.12).
#include <libpsl.h>

#include <algorithm>

#include "crypto/chain/address.h"
#include "crypto/chain/lint.h"
#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

std::string names_of(const Certificate& leaf) {
  constexpr std::size_t told_max = 6;
  std::string text;
  const auto& names = leaf.alternative_names.names;
  for (std::size_t i = 0; i < std::min(names.size(), told_max); ++i) text += (i == 0 ? "" : ", ") + to_text(names[i]);
  if (names.size() > told_max) text += " and " + std::to_string(names.size() - told_max) + " more";
  return text.empty() ? "it has no alternative names" : "it is for " + text;
}

bool common_name_is(const Certificate& leaf, std::string_view wanted) {
  for (const Attribute& attribute : attributes_of(leaf.subject)) {
    if (!(oid::common_name == attribute.type)) continue;
    const auto text = text_of(attribute.value);
    if (text && host_matches(*text, wanted)) return true;
  }
  return false;
}

bool is_public_suffix(std::string_view host) {
  std::string lower(host);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return psl_is_public_suffix(psl_builtin(), lower.c_str()) == 1;
}

std::optional<Fault> judge_host(const Certificate& leaf, std::string_view host, Profile profile) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string wanted = "asked for " + std::string(host.substr(0, 255)) + ", ";
  if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return Fault{Reason::certificate_name_form_differs, wanted + "which is not in ASCII form"};
  }
  if (!is_host_name(host, false, true) || looks_like_address(host)) {
    return Fault{Reason::expected_name_is_malformed, wanted + "which is no host name"};
  }
  std::optional<Fault> worst;
  bool wildcard_near = false;
  for (const GeneralName& name : leaf.alternative_names.names) {
    if (name.form != Form::dns) continue;
    const std::string_view text = name.text();
    if (host_matches(text, host)) {
      const bool suffix = profile == Profile::webpki && text.starts_with("*.") && is_public_suffix(text.substr(2));
      if (!suffix) return std::nullopt;
      worst = Fault{Reason::wildcard_covers_public_suffix, to_text(name)};
    } else if (text.starts_with("*.")) {
      const std::string_view parent = text.substr(2);
      const bool below = host.size() > parent.size() && same_text(host.substr(host.size() - parent.size()), parent) && host[host.size() - parent.size() - 1] == '.';
      wildcard_near = wildcard_near || below || same_text(host, parent);
    }
  }
  if (worst) return worst;
  if (leaf.alternative_names.names.empty() && common_name_is(leaf, host)) return Fault{Reason::certificate_has_common_name_only, wanted + names_of(leaf)};
  if (!leaf.alternative_names.present) return Fault{Reason::alternative_names_are_missing, wanted + "it has none"};
  return Fault{wildcard_near ? Reason::certificate_wildcard_does_not_cover : Reason::certificate_name_differs, wanted + names_of(leaf)};
}

std::optional<Fault> judge_address(const Certificate& leaf, std::string_view text) {
  const auto address = parse_address(text);
  const std::string wanted = "asked for " + std::string(text.substr(0, 64)) + ", ";
  if (!address) return Fault{Reason::expected_name_is_malformed, wanted + "which is no address"};
  bool as_name = false;
  for (const GeneralName& name : leaf.alternative_names.names) {
    const base::ByteView bytes = address->view();
    if (name.form == Form::address && std::equal(bytes.begin(), bytes.end(), name.value.begin(), name.value.end())) return std::nullopt;
    as_name = as_name || (name.form == Form::dns && same_text(name.text(), text));
  }
  if (as_name) return Fault{Reason::certificate_has_address_as_dns_name, wanted + names_of(leaf)};
  if (!leaf.alternative_names.present && common_name_is(leaf, text)) return Fault{Reason::certificate_has_common_name_only, wanted + names_of(leaf)};
  return Fault{Reason::certificate_name_differs, wanted + names_of(leaf)};
}

std::optional<Fault> judge_mailbox(const Certificate& leaf, std::string_view text) {
  const std::string wanted = "asked for " + std::string(text.substr(0, 320)) + ", ";
  if (!is_mailbox(text)) return Fault{Reason::expected_name_is_malformed, wanted + "which is no mailbox"};
  for (const GeneralName& name : leaf.alternative_names.names) {
    if (name.form == Form::email && mailbox_matches(name.text(), text)) return std::nullopt;
  }
  return Fault{Reason::certificate_name_differs, wanted + names_of(leaf)};
}

}  // namespace

void judge_leaf(const Certificate& leaf, const Demands& demands, std::vector<Fault>& out) {
  for (const ExpectedName& name : demands.names) {
    std::optional<Fault> fault;
    if (name.form == Form::dns) fault = judge_host(leaf, name.value, demands.profile);
    if (name.form == Form::address) fault = judge_address(leaf, name.value);
    if (name.form == Form::email) fault = judge_mailbox(leaf, name.value);
    if (fault) out.push_back(std::move(*fault));
  }
  if (leaf.key_usage.present && (leaf.key_usage.bits & demands.usage_bits) != demands.usage_bits) {
    out.push_back({Reason::certificate_usage_does_not_fit, "key usage lacks a bit that is asked for"});
  }
  const ExtendedUsage& extended = leaf.extended_usage;
  if (!extended.present || extended.has(oid::any_usage.view())) return;
  for (const base::Bytes& purpose : demands.purposes) {
    if (extended.has(purpose)) continue;
    std::string has;
    for (const base::ByteView one : extended.purposes) has += (has.empty() ? "" : ", ") + to_dotted(one);
    out.push_back({Reason::certificate_usage_does_not_fit, "extended key usage allows " + has.substr(0, 256) + ", asked for " + to_dotted(purpose)});
    return;
  }
}

}  // namespace crypto::chain
