#include "crypto/chain/revocation_list.h"

#include <algorithm>

#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

using base::ByteView;

constexpr std::size_t bytes_max = std::size_t{16} << 20;

base::Error malformed(std::string what) { return {"revocation_list_is_malformed", std::move(what)}; }

struct RawEntry {
  ByteView serial;
  std::int64_t date_s = 0;
  std::optional<Element> extensions;
};

std::optional<RawEntry> entry_of(const Element& element) {
  Reader parts(element);
  const auto serial = parts.next(tag::integer);
  const auto time = parts.next();
  const auto date = time ? time_of(*time) : std::nullopt;
  if (!serial || !date) return std::nullopt;
  RawEntry entry{serial->body, *date, std::nullopt};
  if (!parts.at_end()) {
    entry.extensions = parts.next(tag::sequence);
    if (!entry.extensions || !parts.done()) return std::nullopt;
  }
  return entry;
}

std::optional<std::uint32_t> reason_of(ByteView value) {
  const auto code = only(value, tag::enumerated);
  if (!code || code->body.size() != 1 || code->body[0] > 10 || code->body[0] == 7) return std::nullopt;
  return code->body[0];
}

bool read_scope(ByteView value, RevocationList& out) {
  const auto sequence = only(value, tag::sequence);
  if (!sequence) return false;
  out.has_scope = true;
  out.scope = value;
  Reader parts(*sequence);
  if (const auto name = parts.next_if(tag::constructed(0)); name && !read_point_name(*name, out.point)) return false;
  const auto flag = [&](int n, bool& into) {
    const auto element = parts.next_if(tag::primitive(n));
    if (!element) return true;
    const auto value_of = boolean_of(Element{tag::boolean, element->body, element->body});
    if (!value_of) return false;
    into = *value_of;
    return true;
  };
  if (!flag(1, out.only_users) || !flag(2, out.only_authorities)) return false;
  if (const auto reasons = parts.next_if(tag::primitive(3))) {
    out.point.reasons = named_bits_of(*reasons);
    if (!out.point.reasons) return false;
  }
  if (!flag(4, out.indirect) || !flag(5, out.only_attributes)) return false;
  return parts.done() && static_cast<int>(out.only_users) + static_cast<int>(out.only_authorities) + static_cast<int>(out.only_attributes) <= 1;
}

std::optional<ByteView> number_of(ByteView value) {
  const auto number = only(value, tag::integer);
  const auto read = number ? unsigned_of(*number) : std::nullopt;
  return read && read->size() <= 20 ? read : std::nullopt;
}

void read_list_extension(ByteView id, bool critical, ByteView value, RevocationList& out) {
  bool good = true;
  if (oid::crl_number == id) {
    out.number = number_of(value);
    out.number_is_critical = critical;
    good = out.number.has_value();
  } else if (oid::delta_crl_indicator == id) {
    out.delta_base = number_of(value);
    good = out.delta_base.has_value() && critical;
  } else if (oid::issuing_distribution_point == id) {
    good = read_scope(value, out);
  } else if (oid::authority_key_id == id) {
    good = read_authority_key_id(value, out.authority_key_id);
  } else if (critical) {
    out.faults.push_back({Reason::revocation_list_extension_not_understood, to_dotted(id)});
  }
  if (!good) out.faults.push_back({Reason::revocation_list_breaks_profile, "extension " + to_dotted(id)});
}

// Every entry is read once, so that a critical extension nobody looks at cannot hide in one.
bool read_entries(RevocationList& out) {
  bool critical_seen = false;
  for (Reader reader(out.entries); !reader.at_end();) {
    const auto element = reader.next(tag::sequence);
    const auto entry = element ? entry_of(*element) : std::nullopt;
    if (!entry) return false;
    if (!entry->extensions) continue;
    if (out.version < 2) return false;
    const bool whole = each_extension(*entry->extensions, [&](ByteView id, bool critical, ByteView value) {
      if (oid::certificate_issuer == id) {
        out.indirect = true;
      } else if (oid::crl_reason == id) {
        critical_seen = critical_seen || !reason_of(value);
      } else if (critical && !(oid::invalidity_date == id)) {
        critical_seen = true;
      }
    });
    if (!whole) return false;
  }
  if (critical_seen) out.faults.push_back({Reason::revocation_list_extension_not_understood, "in an entry"});
  return true;
}

}  // namespace

std::string_view revocation_reason_name(std::uint32_t reason) {
  constexpr std::string_view names[] = {"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
                                        "certificateHold", "unspecified", "removeFromCRL", "privilegeWithdrawn", "aACompromise"};
  return reason < std::size(names) ? names[reason] : names[0];
}

base::Result<RevocationList> read_revocation_list(base::Bytes der) {
  if (der.size() > bytes_max) return malformed("larger than 16 MiB");
  RevocationList out;
  out.der = std::move(der);
  const auto whole = only(out.der, tag::sequence);
  if (!whole) return malformed("not one DER sequence, or bytes follow it");
  const auto frame = signed_frame_of(*whole);
  if (!frame) return malformed("the outer structure breaks");
  out.to_be_signed = frame->body.whole;
  out.algorithm = frame->algorithm;
  out.signature = frame->signature;

  Reader fields(frame->body);
  if (const auto version = fields.next_if(tag::integer)) {
    if (small_integer_of(*version) != 1U) return malformed("the version is not 2");
    out.version = 2;
  }
  const auto inner = fields.next(tag::sequence);
  const auto issuer = fields.next(tag::sequence);
  const auto this_update = fields.next();
  const auto this_time = this_update ? time_of(*this_update) : std::nullopt;
  if (!inner || !issuer || !this_time) return malformed("a field of the list breaks");
  if (!std::equal(inner->whole.begin(), inner->whole.end(), out.algorithm.begin(), out.algorithm.end())) {
    return malformed("the signature algorithms inside and outside differ");
  }
  auto name = canonical_name(issuer->whole);
  if (!name || name->empty()) return malformed("the issuer's name breaks");
  out.issuer = issuer->whole;
  out.issuer_name = std::move(*name);
  out.this_update_s = *this_time;
  if (fields.peek() == tag::utc_time || fields.peek() == tag::generalized_time) {
    const auto next_update = fields.next();
    out.next_update_s = next_update ? time_of(*next_update) : std::nullopt;
    if (!out.next_update_s) return malformed("the time of the next update breaks");
  }
  if (const auto revoked = fields.next_if(tag::sequence)) out.entries = revoked->body;
  const auto extensions = fields.next_if(tag::constructed(0));
  if (!fields.done()) return malformed("something follows the last field");
  if (extensions) {
    const auto list = only(extensions->body, tag::sequence);
    if (out.version < 2 || !list ||
        !each_extension(*list, [&](ByteView id, bool critical, ByteView value) { read_list_extension(id, critical, value, out); })) {
      return malformed("the extensions break");
    }
  }
  if (!read_entries(out)) return malformed("an entry breaks");
  return out;
}

std::optional<RevokedEntry> RevocationList::find(base::ByteView serial) const {
  for (Reader reader(entries); !reader.at_end();) {
    const auto element = reader.next(tag::sequence);
    if (!element) return std::nullopt;
    Reader parts(*element);
    const auto number = parts.next(tag::integer);
    if (!number || !std::equal(number->body.begin(), number->body.end(), serial.begin(), serial.end())) continue;
    const auto entry = entry_of(*element);
    if (!entry) return std::nullopt;
    RevokedEntry found{entry->date_s, 0};
    if (entry->extensions) {
      each_extension(*entry->extensions, [&](ByteView id, bool, ByteView value) {
        if (oid::crl_reason == id) found.reason = reason_of(value).value_or(0);
      });
    }
    return found;
  }
  return std::nullopt;
}

}  // namespace crypto::chain
