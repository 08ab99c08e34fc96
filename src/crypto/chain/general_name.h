#pragma once
// The names a certificate can carry beside its subject (RFC 5280 section 4.2.1.6), how each is well-formed, how it matches
// what was asked for, and how it falls under a name constraint (section 4.2.1.10).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/chain/der.h"

namespace crypto::chain {

enum class Form : std::uint8_t { other, email, dns, x400, directory, edi, uri, address, registered };

struct GeneralName {
  Form form = Form::other;
  base::ByteView value;  ///< content; of a directory name the whole Name

  std::string_view text() const { return base::as_text(value); }
};

/// `DNS:example.com`, for evidence.
std::string to_text(const GeneralName& name);

/// One GeneralName element; nothing when its tag or shape is unknown.
std::optional<GeneralName> general_name_of(const Element& element);
/// A SEQUENCE's content of one or more GeneralName. Nothing when malformed, empty or beyond 10,000 names.
std::optional<std::vector<GeneralName>> general_names_of(base::ByteView content);

/// Equal without regard to ASCII case.
bool same_text(std::string_view a, std::string_view b);

/// Letters, digits and hyphens in labels of 1 to 63 characters, together at most 253 (RFC 1034 section 3.5 as RFC 1123
/// relaxes it). `wildcard`: the first label may be `*`. `underscore`: as many private names have it.
bool is_host_name(std::string_view text, bool wildcard, bool underscore);
/// Four numbers with dots: an address where a name should be.
bool looks_like_address(std::string_view text);
/// `local@host`, exactly one `@` outside of quotes, host well-formed.
bool is_mailbox(std::string_view text);

/// What a presented DNS name says to a host that was asked for (RFC 6125 section 6.4, RFC 9525 section 6.3). A wildcard is
/// a whole leftmost label, covers exactly one label and leaves at least two.
bool host_matches(std::string_view presented, std::string_view host);
/// Local parts compare exactly, hosts without regard to case.
bool mailbox_matches(std::string_view presented, std::string_view mailbox);

/// A name constraint of this form has a shape that can be compared. `leading_period`: accepted in a DNS constraint (as
/// OpenSSL does, against RFC 5280).
bool is_constraint(const GeneralName& constraint, bool leading_period);

enum class Subtree : std::uint8_t { outside, inside, cannot_compare };
/// `name` against one subtree of the same form that is_constraint() accepts. `excluding`: the subtree is an excluded one;
/// a wildcard then counts as inside when any host it covers is.
Subtree within(const GeneralName& name, const GeneralName& constraint, bool excluding);

}  // namespace crypto::chain
