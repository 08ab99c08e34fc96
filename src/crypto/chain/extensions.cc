// The extensions of a certificate (RFC 5280 section 4.2).
#include <algorithm>

#include "crypto/chain/certificate.h"
#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

using base::ByteView;

constexpr std::size_t extensions_max = 128;

bool read_basic_constraints(ByteView value, BasicConstraints& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  Reader parts(*sequence);
  if (const auto flag = parts.next_if(tag::boolean)) {
    const auto authority = boolean_of(*flag);
    if (!authority) return false;
    out.authority = *authority;
  }
  if (const auto length = parts.next_if(tag::integer)) {
    out.path_length = small_integer_of(*length);
    if (!out.path_length) return false;
  }
  return parts.done();
}

bool read_key_usage(ByteView value, KeyUsage& out) {
  const auto bits = only(value, tag::bit_string);
  const auto named = bits ? named_bits_of(*bits) : std::nullopt;
  if (!named) return false;
  out.bits = *named;
  return true;
}

bool read_extended_usage(ByteView value, ExtendedUsage& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  for (Reader parts(*sequence); !parts.at_end();) {
    const auto purpose = parts.next(tag::oid);
    if (!purpose) return false;
    out.purposes.push_back(purpose->body);
  }
  return !out.purposes.empty();
}

bool read_alternative_names(ByteView value, AlternativeNames& out) {
  const auto sequence = only(value, tag::sequence);
  auto names = sequence ? general_names_of(sequence->body) : std::nullopt;
  if (!names) return false;
  out.names = std::move(*names);
  return true;
}

bool read_subject_key_id(ByteView value, SubjectKeyId& out) {
  const auto id = only(value, tag::octet_string);
  if (!id || id->body.empty()) return false;
  out.id = id->body;
  return true;
}

bool read_subtrees(const Element& list, std::vector<GeneralName>& out) {
  for (Reader reader(list); !reader.at_end();) {
    const auto subtree = reader.next(tag::sequence);
    if (!subtree) return false;
    Reader parts(*subtree);
    const auto base_name = parts.next();
    const auto name = base_name ? general_name_of(*base_name) : std::nullopt;
    if (!name) return false;
    // minimum has to be 0 and is then left out, maximum has to be absent (RFC 5280 section 4.2.1.10).
    if (const auto minimum = parts.next_if(tag::primitive(0)); minimum && !(minimum->body.size() == 1 && minimum->body[0] == 0)) return false;
    if (!parts.done()) return false;
    out.push_back(*name);
  }
  return true;
}

bool read_name_constraints(ByteView value, NameConstraints& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  Reader parts(*sequence);
  if (const auto permitted = parts.next_if(tag::constructed(0)); permitted && !read_subtrees(*permitted, out.permitted)) return false;
  if (const auto excluded = parts.next_if(tag::constructed(1)); excluded && !read_subtrees(*excluded, out.excluded)) return false;
  return parts.done();
}

bool read_policies(ByteView value, Policies& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  for (Reader reader(*sequence); !reader.at_end();) {
    const auto information = reader.next(tag::sequence);
    if (!information) return false;
    Reader parts(*information);
    const auto id = parts.next(tag::oid);
    parts.next_if(tag::sequence);  // qualifiers are for people
    if (!id || !parts.done()) return false;
    const bool repeats = std::any_of(out.ids.begin(), out.ids.end(), [&](ByteView one) {
      return std::equal(one.begin(), one.end(), id->body.begin(), id->body.end());
    });
    if (repeats) return false;
    out.ids.push_back(id->body);
  }
  return !out.ids.empty();
}

bool read_mappings(ByteView value, std::vector<PolicyMapping>& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  for (Reader reader(*sequence); !reader.at_end();) {
    const auto mapping = reader.next(tag::sequence);
    if (!mapping) return false;
    Reader parts(*mapping);
    const auto from = parts.next(tag::oid);
    const auto to = parts.next(tag::oid);
    // anyPolicy is mapped neither to nor from (RFC 5280 section 4.2.1.5).
    if (!from || !to || !parts.done() || oid::any_policy == from->body || oid::any_policy == to->body) return false;
    out.push_back({from->body, to->body});
  }
  return !out.empty();
}

std::optional<std::uint32_t> skip_count_of(ByteView body) {
  return small_integer_of(Element{tag::integer, body, body});
}

bool read_policy_constraints(ByteView value, PolicyConstraints& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  Reader parts(*sequence);
  if (const auto require = parts.next_if(tag::primitive(0))) {
    out.require_explicit = skip_count_of(require->body);
    if (!out.require_explicit) return false;
  }
  if (const auto inhibit = parts.next_if(tag::primitive(1))) {
    out.inhibit_mapping = skip_count_of(inhibit->body);
    if (!out.inhibit_mapping) return false;
  }
  return parts.done() && (out.require_explicit || out.inhibit_mapping);
}

bool read_inhibit_any_policy(ByteView value, InhibitAnyPolicy& out) {
  const auto number = only(value, tag::integer);
  const auto skip = number ? small_integer_of(*number) : std::nullopt;
  if (!skip) return false;
  out.skip = *skip;
  return true;
}

bool read_access(ByteView value, InformationAccess& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence || sequence->body.empty()) return false;
  for (Reader reader(*sequence); !reader.at_end();) {
    const auto description = reader.next(tag::sequence);
    if (!description) return false;
    Reader parts(*description);
    const auto method = parts.next(tag::oid);
    const auto location = parts.next();
    const auto name = location ? general_name_of(*location) : std::nullopt;
    if (!method || !name || !parts.done()) return false;
    if (name->form != Form::uri) continue;
    if (oid::access_ocsp == method->body) out.ocsp.push_back(name->text());
    if (oid::access_ca_issuers == method->body) out.ca_issuers.push_back(name->text());
  }
  return true;
}

enum class Known : std::uint8_t { unknown, read, broken };

// Reads an extension of RFC 5280 into its place.
Known read_extension(ByteView id, bool critical, ByteView value, Certificate& out) {
  const auto place = [&](Presence& presence, bool read) {
    presence.present = true;
    presence.critical = critical;
    return read ? Known::read : Known::broken;
  };
  if (oid::basic_constraints == id) return place(out.basic_constraints, read_basic_constraints(value, out.basic_constraints));
  if (oid::key_usage == id) return place(out.key_usage, read_key_usage(value, out.key_usage));
  if (oid::extended_key_usage == id) return place(out.extended_usage, read_extended_usage(value, out.extended_usage));
  if (oid::subject_alt_name == id) return place(out.alternative_names, read_alternative_names(value, out.alternative_names));
  if (oid::subject_key_id == id) return place(out.subject_key_id, read_subject_key_id(value, out.subject_key_id));
  if (oid::authority_key_id == id) return place(out.authority_key_id, read_authority_key_id(value, out.authority_key_id));
  if (oid::name_constraints == id) return place(out.name_constraints, read_name_constraints(value, out.name_constraints));
  if (oid::certificate_policies == id) return place(out.policies, read_policies(value, out.policies));
  if (oid::policy_mappings == id) return place(out.mappings_presence, read_mappings(value, out.mappings));
  if (oid::policy_constraints == id) return place(out.policy_constraints, read_policy_constraints(value, out.policy_constraints));
  if (oid::inhibit_any_policy == id) return place(out.inhibit_any_policy, read_inhibit_any_policy(value, out.inhibit_any_policy));
  if (oid::authority_information_access == id) return place(out.access, read_access(value, out.access));
  if (oid::crl_distribution_points == id) {
    auto points = distribution_points_of(value);
    const bool read = points.has_value();
    if (read) out.distribution_points = std::move(*points);
    return place(out.points_presence, read);
  }
  if (oid::freshest_crl == id) {
    auto points = distribution_points_of(value);
    if (!points || critical) return Known::broken;
    out.freshest_points = std::move(*points);
    return Known::read;
  }
  if (oid::issuer_alt_name == id) {
    AlternativeNames names;
    return read_alternative_names(value, names) ? Known::read : Known::broken;
  }
  if (oid::ocsp_no_check == id) {
    out.ocsp_no_check = true;
    return Known::read;
  }
  return Known::unknown;
}

}  // namespace

bool read_authority_key_id(ByteView value, AuthorityKeyId& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  Reader parts(*sequence);
  if (const auto id = parts.next_if(tag::primitive(0))) out.id = id->body;
  if (const auto issuer = parts.next_if(tag::constructed(1))) {
    if (!general_names_of(issuer->body)) return false;
    out.has_issuer = true;
  }
  if (parts.next_if(tag::primitive(2))) out.has_serial = true;
  return parts.done();
}

bool read_point_name(const Element& element, DistributionPoint& point) {
  Reader choice(element);
  if (const auto full = choice.next_if(tag::constructed(0))) {
    auto names = general_names_of(full->body);
    if (!names) return false;
    point.names = std::move(*names);
  } else if (const auto relative = choice.next_if(tag::constructed(1))) {
    if (relative->body.empty()) return false;
    point.relative = relative->body;
  } else {
    return false;
  }
  return choice.done();
}

std::optional<std::vector<DistributionPoint>> distribution_points_of(ByteView value) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence || sequence->body.empty()) return std::nullopt;
  std::vector<DistributionPoint> points;
  for (Reader reader(*sequence); !reader.at_end();) {
    const auto entry = reader.next(tag::sequence);
    if (!entry) return std::nullopt;
    DistributionPoint point;
    Reader parts(*entry);
    if (const auto name = parts.next_if(tag::constructed(0)); name && !read_point_name(*name, point)) return std::nullopt;
    if (const auto reasons = parts.next_if(tag::primitive(1))) {
      point.reasons = named_bits_of(*reasons);
      if (!point.reasons) return std::nullopt;
    }
    if (const auto issuer = parts.next_if(tag::constructed(2))) {
      if (!general_names_of(issuer->body)) return std::nullopt;
      point.has_issuer = true;
    }
    if (!parts.done()) return std::nullopt;
    points.push_back(std::move(point));
  }
  return points;
}

void read_extensions(const Element& list, Certificate& out) {
  std::vector<ByteView> seen;
  const bool whole = each_extension(list, [&](ByteView id, bool critical, ByteView value) {
    const bool repeats = std::any_of(seen.begin(), seen.end(), [&](ByteView one) {
      return std::equal(one.begin(), one.end(), id.begin(), id.end());
    });
    if (repeats || seen.size() == extensions_max) {
      out.faults.push_back({Reason::certificate_extension_repeats, to_dotted(id)});
      return;
    }
    seen.push_back(id);
    switch (read_extension(id, critical, value, out)) {
      case Known::read: break;
      case Known::broken: out.faults.push_back({Reason::certificate_extension_is_malformed, to_dotted(id)}); break;
      case Known::unknown:
        if (critical) out.faults.push_back({Reason::certificate_extension_not_understood, to_dotted(id)});
        break;
    }
  });
  if (!whole) out.faults.push_back({Reason::certificate_extension_is_malformed, "the list of extensions"});
}

}  // namespace crypto::chain
