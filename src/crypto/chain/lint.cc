#include "crypto/chain/lint.h"

#include <algorithm>

#include "base/instant.h"
#include "base/text.h"
#include "crypto/chain/address.h"
#include "crypto/chain/oid.h"
#include "crypto/chain/signature.h"

namespace crypto::chain {
namespace {

using base::ByteView;

struct Desk {
  const Certificate& certificate;
  Role role;
  const Demands& demands;
  std::vector<Fault>& out;

  void add(Reason reason, std::string evidence = {}) const { out.push_back({reason, std::move(evidence)}); }
  bool webpki() const { return demands.profile == Profile::webpki; }
  bool strict() const { return demands.profile != Profile::private_use; }
  bool leaf() const { return role == Role::leaf; }
};

void check_time(const Desk& desk) {
  const Certificate& certificate = desk.certificate;
  if (desk.demands.now_s > certificate.not_after_s) {
    desk.add(Reason::certificate_is_expired, "valid until " + time_text(certificate.not_after_s) + ", judged at " + time_text(desk.demands.now_s));
  } else if (desk.demands.now_s < certificate.not_before_s) {
    desk.add(Reason::certificate_is_not_yet_valid,
             "valid from " + time_text(certificate.not_before_s) + ", judged at " + time_text(desk.demands.now_s));
  }
}

void check_signature_algorithm(const Desk& desk) {
  if (desk.role == Role::anchor) return;
  const auto scheme = scheme_of(desk.certificate.algorithm);
  if (!scheme) {
    Reader parts(Element{tag::sequence, desk.certificate.algorithm, desk.certificate.algorithm});
    const auto sequence = parts.next(tag::sequence);
    Reader fields(sequence ? sequence->body : ByteView{});
    const auto id = fields.next(tag::oid);
    desk.add(Reason::signature_algorithm_not_supported, id ? to_dotted(id->body) : std::string());
    return;
  }
  const auto& allowed = desk.demands.signature_algorithms;
  if (scheme->weak()) {
    desk.add(Reason::certificate_signature_is_weak, std::string(scheme->name));
  } else if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), scheme->name) == allowed.end()) {
    desk.add(Reason::signature_algorithm_not_allowed, std::string(scheme->name));
  }
}

void check_key(const Desk& desk) {
  const PublicKey& key = desk.certificate.key;
  if (key.algorithm.empty()) return;  // malformed: said already
  switch (key.kind) {
    case KeyKind::rsa:
    case KeyKind::rsa_pss:
      if (key.size_bits < desk.demands.rsa_bits_min) {
        desk.add(Reason::rsa_key_is_too_small, std::to_string(key.size_bits) + " bits");
      } else if ((key.exponent.back() & 1) == 0 || (key.exponent.size() == 1 && key.exponent[0] < 3)) {
        desk.add(Reason::rsa_exponent_is_bad);
      } else if (desk.webpki() && key.size_bits % 8 != 0) {
        desk.add(Reason::rsa_size_is_not_multiple_of_8, std::to_string(key.size_bits) + " bits");
      } else if (desk.webpki() && key.kind == KeyKind::rsa_pss) {
        desk.add(Reason::algorithm_not_allowed, describe(key));
      }
      return;
    case KeyKind::ec: {
      if (key.explicit_curve) {
        desk.add(Reason::ec_parameters_are_explicit);
        return;
      }
      const bool browsers = oid::p256 == key.curve || oid::p384 == key.curve || oid::p521 == key.curve;
      if (key.size_bits < 224 || (desk.webpki() && !browsers)) desk.add(Reason::ec_curve_is_not_supported, describe(key));
      return;
    }
    case KeyKind::dsa:
      if (desk.webpki() || key.size_bits < desk.demands.rsa_bits_min) desk.add(Reason::algorithm_not_allowed, describe(key));
      return;
    case KeyKind::sm2:
    case KeyKind::ed25519:
    case KeyKind::ed448:
    case KeyKind::other:
      if (desk.webpki()) desk.add(Reason::algorithm_not_allowed, describe(key));
      return;
  }
}

void check_authority(const Desk& desk) {
  const Certificate& certificate = desk.certificate;
  const BasicConstraints& basic = certificate.basic_constraints;
  // A private anchor is a name and a key that somebody chose to trust: old ones carry no extensions.
  const bool bare_anchor = desk.role == Role::anchor && !desk.strict() && !basic.present;
  if (!certificate.authority() && !bare_anchor) {
    desk.add(Reason::certificate_is_no_authority, basic.present ? "basic constraints say so" : "basic constraints are missing");
  } else if (certificate.key_usage.present && (certificate.key_usage.bits & usage::key_cert_sign) == 0) {
    desk.add(Reason::authority_may_not_sign_certificates);
  } else if (desk.strict() && !basic.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "basic constraints of an authority must be critical");
  }
}

void check_leaf_shape(const Desk& desk) {
  const Certificate& certificate = desk.certificate;
  const BasicConstraints& basic = certificate.basic_constraints;
  if (desk.webpki() && certificate.authority()) desk.add(Reason::authority_given_where_leaf_expected);
  if (!desk.strict()) return;
  if (!certificate.authority()) {
    if ((certificate.key_usage.bits & usage::key_cert_sign) != 0) {
      desk.add(Reason::basic_constraints_are_inconsistent, "key usage says it signs certificates, basic constraints say it is no authority");
    } else if (basic.path_length) {
      desk.add(Reason::basic_constraints_are_inconsistent, "a path length without authority");
    }
    if (certificate.name_constraints.present) desk.add(Reason::name_constraints_in_leaf);
  }
  const AlternativeNames& names = certificate.alternative_names;
  if (certificate.subject_name.empty() && !names.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "subjectAltName must be critical when the subject is empty");
  } else if (desk.webpki() && !certificate.subject_name.empty() && names.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "subjectAltName must not be critical when there is a subject");
  }
}

void check_name_syntax(const Desk& desk) {
  const bool underscore = !desk.strict();
  for (const GeneralName& name : desk.certificate.alternative_names.names) {
    const std::string_view text = name.text();
    bool good = true;
    switch (name.form) {
      case Form::dns:
        if (looks_like_address(text)) {
          desk.add(Reason::certificate_has_address_as_dns_name, to_text(name));
          return;
        }
        good = is_host_name(text, true, underscore);
        break;
      case Form::email: good = is_mailbox(text); break;
      case Form::address: good = name.value.size() == 4 || name.value.size() == 16; break;
      case Form::directory: good = canonical_name(name.value).has_value(); break;
      case Form::uri:
        good = text.find(':') != std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
        break;
      default: break;
    }
    if (!good) {
      desk.add(Reason::alternative_name_is_malformed, to_text(name));
      return;
    }
  }
}

void check_constraints(const Desk& desk) {
  const NameConstraints& constraints = desk.certificate.name_constraints;
  if (!constraints.present) return;
  if (constraints.size() == 0) {
    desk.add(Reason::name_constraints_are_empty);
    return;
  }
  for (const auto* const list : {&constraints.permitted, &constraints.excluded}) {
    for (const GeneralName& one : *list) {
      if (is_constraint(one, !desk.strict())) continue;
      desk.add(Reason::name_constraints_are_malformed, to_text(one));
      return;
    }
  }
  if (desk.demands.profile == Profile::rfc5280 && !constraints.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "name constraints must be critical");
  }
}

void check_key_ids(const Desk& desk) {
  const Certificate& certificate = desk.certificate;
  const AuthorityKeyId& authority = certificate.authority_key_id;
  // What signed itself needs no pointer to its issuer (RFC 5280 section 4.2.1.1).
  const bool root = desk.role != Role::intermediate && certificate.self_issued();
  if (authority.critical) desk.add(Reason::certificate_criticality_is_wrong, "the authority key identifier must not be critical");
  if (certificate.subject_key_id.critical) desk.add(Reason::certificate_criticality_is_wrong, "the subject key identifier must not be critical");
  if (!root && !authority.id) desk.add(Reason::authority_key_id_is_missing);
  if (certificate.authority() && !certificate.subject_key_id.present) desk.add(Reason::subject_key_id_is_missing);
  if (!desk.webpki() || !root || desk.role != Role::anchor || !authority.present) return;
  const ByteView own = certificate.subject_key_id.id;
  const bool same = authority.id && std::equal(authority.id->begin(), authority.id->end(), own.begin(), own.end());
  if (!same || authority.has_issuer || authority.has_serial) desk.add(Reason::root_key_id_is_wrong);
}

void check_serial(const Desk& desk) {
  if (desk.role == Role::anchor) return;
  const ByteView serial = desk.certificate.serial;
  const bool zero = std::all_of(serial.begin(), serial.end(), [](std::uint8_t byte) { return byte == 0; });
  const std::size_t size = serial.size() - (serial[0] == 0 ? 1 : 0);
  if (zero) {
    desk.add(Reason::certificate_serial_is_bad, "zero");
  } else if ((serial[0] & 0x80) != 0) {
    desk.add(Reason::certificate_serial_is_bad, "negative");
  } else if (size > 20) {
    desk.add(Reason::certificate_serial_is_bad, std::to_string(size) + " bytes");
  }
}

bool wants(const Demands& demands, const Oid& purpose) {
  return std::any_of(demands.purposes.begin(), demands.purposes.end(), [&](const base::Bytes& one) { return purpose == one; });
}

void check_usages(const Desk& desk) {
  const ExtendedUsage& extended = desk.certificate.extended_usage;
  if (!desk.webpki()) return;
  if (desk.role == Role::anchor) {
    if (extended.present) desk.add(Reason::root_has_extended_usage);
    return;
  }
  if (!desk.leaf()) return;
  if (!extended.present) {
    desk.add(Reason::extended_usage_is_missing);
  } else if (extended.has(oid::any_usage.view())) {
    desk.add(Reason::extended_usage_is_any);
  } else if (extended.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "extended key usage must not be critical");
  }
}

// Baseline requirements 7.1.4.3: the common name is, character for character, one of the alternative names. It is held
// against the entries of its own kind; the apex of a wildcard entry passes, because nobody matches common names.
bool common_name_fits(std::string_view text, const std::vector<GeneralName>& names) {
  const bool address = text.find(':') != std::string_view::npos || looks_like_address(text);
  const std::string_view last_label = text.substr(text.rfind('.') + 1);
  const bool numeric = std::all_of(last_label.begin(), last_label.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!address && (!is_host_name(text, true, true) || numeric || text.find('.') == std::string_view::npos)) return false;
  bool compared = false;
  for (const GeneralName& name : names) {
    if (name.form != (address ? Form::address : Form::dns)) continue;
    compared = true;
    if (address ? address_text(name.value) == text : name.text() == text) return true;
    if (!address && name.text().starts_with("*.") && name.text().substr(2) == text) return true;
  }
  return !compared;
}

void check_common_name(const Desk& desk) {
  if (!desk.webpki() || !desk.leaf() || !wants(desk.demands, oid::server_auth)) return;
  int count = 0;
  for (const Attribute& attribute : attributes_of(desk.certificate.subject)) {
    if (!(oid::common_name == attribute.type)) continue;
    const auto text = text_of(attribute.value);
    if (!text || !common_name_fits(*text, desk.certificate.alternative_names.names) || ++count > 1) {
      desk.add(Reason::common_name_not_in_alternative_names, text ? "CN=" + text->substr(0, 128) : std::string());
      return;
    }
  }
}

}  // namespace

std::string time_text(std::int64_t seconds) {
  if (seconds < 0 || seconds > 9'000'000'000) return "a date outside of 1970 to 2255";
  return base::to_rfc3339({seconds * 1'000'000'000}).substr(0, 19) + "Z";
}

void lint(const Certificate& certificate, Role role, const Demands& demands, std::vector<Fault>& out) {
  const Desk desk{certificate, role, demands, out};
  out.insert(out.end(), certificate.faults.begin(), certificate.faults.end());
  if (desk.webpki() && certificate.version != 3) desk.add(Reason::certificate_is_version_1);
  check_time(desk);
  check_signature_algorithm(desk);
  check_key(desk);
  if (role == Role::leaf) {
    check_leaf_shape(desk);
  } else {
    check_authority(desk);
  }
  check_name_syntax(desk);
  check_constraints(desk);
  if (!desk.strict()) return;
  check_usages(desk);
  check_common_name(desk);
  check_serial(desk);
  check_key_ids(desk);
  if (certificate.access.critical) desk.add(Reason::certificate_criticality_is_wrong, "authority information access must not be critical");
  if (certificate.policy_constraints.present && !certificate.policy_constraints.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "policy constraints must be critical");
  }
  if (certificate.inhibit_any_policy.present && !certificate.inhibit_any_policy.critical) {
    desk.add(Reason::certificate_criticality_is_wrong, "inhibit anyPolicy must be critical");
  }
}

}  // namespace crypto::chain
