#pragma once
// Distinguished names: comparison, subtrees and text (RFC 5280 sections 4.1.2.4 and 7.1).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/chain/der.h"

namespace crypto::chain {

/// One attribute of a name: type and value as they stand.
struct Attribute {
  base::ByteView type;
  Element value;
};

/// A name in a form whose bytes are equal exactly when RFC 5280 calls two names equal: strings of all character types
/// compare as UTF-8 without regard to ASCII case and repeated blanks, anything else byte by byte. Each RDN is preceded by
/// its length, so that a prefix of the bytes is a prefix of the RDNs. Empty for the empty name.
using CanonicalName = std::string;

/// Nothing when `name` (a whole Name element) cannot be read. Up to 4,096 attributes.
std::optional<CanonicalName> canonical_name(base::ByteView name);

/// The attributes in order; empty when it cannot be read.
std::vector<Attribute> attributes_of(base::ByteView name);

/// The value as UTF-8 text; nothing when it is no string or not well-formed.
std::optional<std::string> text_of(const Element& value);

/// `CN=example, O=Shop`: the last RDN first, as RFC 4514 writes names. Control characters become '?'; long names are cut.
std::string name_text(base::ByteView name);

/// `name` lies in the subtree `base_name`: the base's RDNs come first.
inline bool in_subtree(std::string_view name, std::string_view base_name) { return name.starts_with(base_name); }

}  // namespace crypto::chain
