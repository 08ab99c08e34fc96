#include "crypto/chain/general_name.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/chain/address.h"
#include "crypto/chain/name.h"

namespace crypto::chain {
namespace {

constexpr std::size_t names_max = 10'000;

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool ends_with_text(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && same_text(text.substr(text.size() - tail.size()), tail);
}

// The name itself or anything with labels added on the left (RFC 5280 section 4.2.1.10).
bool host_within(std::string_view host, std::string_view tree) {
  if (tree.empty()) return true;
  if (!ends_with_text(host, tree)) return false;
  return host.size() == tree.size() || tree.front() == '.' || host[host.size() - tree.size() - 1] == '.';
}

// `.example.com`: only below; `example.com`: only that host. Constraints on mail and URIs (RFC 5280).
bool host_or_domain(std::string_view host, std::string_view constraint) {
  if (constraint.starts_with('.')) return host.size() > constraint.size() && ends_with_text(host, constraint);
  return same_text(host, constraint);
}

std::optional<std::string_view> host_of_uri(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return std::nullopt;
  std::string_view authority = uri.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return std::nullopt;
  authority = authority.substr(0, authority.find(':'));
  if (!is_host_name(authority, false, true) || looks_like_address(authority)) return std::nullopt;
  return authority;
}

}  // namespace

bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return folded(x) == folded(y); });
}

std::string to_text(const GeneralName& name) {
  const auto printable = [&] {
    std::string out;
    for (const char c : name.text().substr(0, 255)) out.push_back(c > 0x20 && c < 0x7F ? c : '?');
    return out;
  };
  switch (name.form) {
    case Form::dns: return "DNS:" + printable();
    case Form::email: return "email:" + printable();
    case Form::uri: return "URI:" + printable();
    case Form::directory: return "DirName:" + name_text(name.value);
    case Form::address: {
      const std::string text = address_text(name.value);
      return "IP:" + (text.empty() ? base::to_hex(name.value.first(std::min<std::size_t>(name.value.size(), 32))) : text);
    }
    case Form::other: return "otherName";
    case Form::x400: return "x400Address";
    case Form::edi: return "ediPartyName";
    case Form::registered: return "registeredID";
  }
  return {};
}

std::optional<GeneralName> general_name_of(const Element& element) {
  switch (element.tag) {
    case tag::constructed(0): return GeneralName{Form::other, element.body};
    case tag::primitive(1): return GeneralName{Form::email, element.body};
    case tag::primitive(2): return GeneralName{Form::dns, element.body};
    case tag::constructed(3): return GeneralName{Form::x400, element.body};
    case tag::constructed(4): return GeneralName{Form::directory, element.body};
    case tag::constructed(5): return GeneralName{Form::edi, element.body};
    case tag::primitive(6): return GeneralName{Form::uri, element.body};
    case tag::primitive(7): return GeneralName{Form::address, element.body};
    case tag::primitive(8): return GeneralName{Form::registered, element.body};
    default: return std::nullopt;
  }
}

std::optional<std::vector<GeneralName>> general_names_of(base::ByteView content) {
  std::vector<GeneralName> names;
  for (Reader reader(content); !reader.at_end();) {
    const auto element = reader.next();
    const auto name = element ? general_name_of(*element) : std::nullopt;
    if (!name || names.size() == names_max) return std::nullopt;
    names.push_back(*name);
  }
  return names.empty() ? std::nullopt : std::optional(std::move(names));
}

bool is_host_name(std::string_view text, bool wildcard, bool underscore) {
  if (text.empty() || text.size() > 253) return false;
  if (wildcard && text.starts_with("*.")) text.remove_prefix(2);
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || (c == '_' && underscore);
      if (!good) return false;
    }
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool looks_like_address(std::string_view text) { return parse_address(text).has_value(); }

bool is_mailbox(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || text.size() > 320) return false;
  const std::string_view local = text.substr(0, at);
  const bool quoted = local.size() >= 2 && local.front() == '"' && local.back() == '"';
  for (const char c : local) {
    if (c < 0x20 || c == 0x7F || (!quoted && (c == '@' || c == ' '))) return false;
  }
  return is_host_name(text.substr(at + 1), false, true);
}

bool host_matches(std::string_view presented, std::string_view host) {
  if (!presented.starts_with("*.")) return same_text(presented, host);
  const std::string_view rest = presented.substr(1);  // `.example.com`
  if (rest.find('.', 1) == std::string_view::npos) return false;
  const std::size_t first = host.find('.');
  return first != std::string_view::npos && first > 0 && same_text(host.substr(first), rest);
}

bool mailbox_matches(std::string_view presented, std::string_view mailbox) {
  const std::size_t at = presented.rfind('@');
  return at != std::string_view::npos && mailbox.size() == presented.size() && presented.substr(0, at + 1) == mailbox.substr(0, at + 1) &&
         same_text(presented.substr(at + 1), mailbox.substr(at + 1));
}

bool is_constraint(const GeneralName& constraint, bool leading_period) {
  std::string_view text = constraint.text();
  switch (constraint.form) {
    case Form::dns:
      if (text.empty()) return true;  // everything
      if (leading_period && text.starts_with('.')) text.remove_prefix(1);
      return is_host_name(text, false, true);
    case Form::email:
      if (text.find('@') != std::string_view::npos) return is_mailbox(text);
      [[fallthrough]];
    case Form::uri:
      if (text.starts_with('.')) text.remove_prefix(1);
      return is_host_name(text, false, true);
    case Form::address: {
      const base::ByteView bytes = constraint.value;
      if (bytes.size() != 8 && bytes.size() != 32) return false;
      // The mask has to be a prefix.
      bool zero_seen = false;
      for (const std::uint8_t byte : bytes.subspan(bytes.size() / 2)) {
        for (int bit = 7; bit >= 0; --bit) {
          const bool one = (byte >> bit & 1) != 0;
          if (one && zero_seen) return false;
          zero_seen = zero_seen || !one;
        }
      }
      return true;
    }
    case Form::directory: return canonical_name(constraint.value).has_value();
    default: return true;
  }
}

Subtree within(const GeneralName& name, const GeneralName& constraint, bool excluding) {
  const auto answer = [](bool inside) { return inside ? Subtree::inside : Subtree::outside; };
  std::string_view text = name.text();
  const std::string_view tree = constraint.text();
  switch (name.form) {
    case Form::dns: {
      if (!is_host_name(text, true, true)) return Subtree::cannot_compare;
      if (!text.starts_with("*.")) return answer(host_within(text, tree));
      const std::string_view parent = text.substr(2);
      if (host_within(parent, tree)) return Subtree::inside;
      if (!excluding) return Subtree::outside;
      // Some host one label below `parent` may be the tree's top.
      const std::size_t dot = tree.find('.', tree.starts_with('.') ? 1 : 0);
      return answer(dot != std::string_view::npos && same_text(tree.substr(dot + 1), parent));
    }
    case Form::email: {
      if (!is_mailbox(text)) return Subtree::cannot_compare;
      if (tree.find('@') != std::string_view::npos) return answer(mailbox_matches(tree, text));
      return answer(host_or_domain(text.substr(text.rfind('@') + 1), tree));
    }
    case Form::uri: {
      const auto host = host_of_uri(text);
      if (!host) return Subtree::cannot_compare;
      return answer(host_or_domain(*host, tree));
    }
    case Form::address: {
      const base::ByteView address = name.value;
      const std::size_t size = address.size();
      if (size != 4 && size != 16) return Subtree::cannot_compare;
      if (constraint.value.size() != 2 * size) return Subtree::outside;
      for (std::size_t i = 0; i < size; ++i) {
        if (((address[i] ^ constraint.value[i]) & constraint.value[size + i]) != 0) return Subtree::outside;
      }
      return Subtree::inside;
    }
    case Form::directory: {
      const auto whole = canonical_name(name.value);
      const auto top = canonical_name(constraint.value);
      if (!whole || !top) return Subtree::cannot_compare;
      return answer(in_subtree(*whole, *top));
    }
    default: return Subtree::cannot_compare;
  }
}

}  // namespace crypto::chain
