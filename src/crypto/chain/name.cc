#include "crypto/chain/name.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

constexpr std::size_t attributes_max = 4'096;

void put_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

// ASCII case folded, blanks trimmed and runs of them made one (the part of RFC 4518 that certificates use).
void put_folded(std::string& out, std::string_view text) {
  bool blank_due = false;
  bool started = false;
  for (char c : text) {
    if (c == ' ' || c == '\t') {
      blank_due = started;
      continue;
    }
    if (blank_due) out.push_back(' ');
    blank_due = false;
    started = true;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
}

void put_length(std::string& out, std::size_t at) {
  const std::size_t size = out.size() - at - 3;
  out[at] = static_cast<char>(size >> 16);
  out[at + 1] = static_cast<char>(size >> 8);
  out[at + 2] = static_cast<char>(size);
}

// Into `out`: type, a mark for the kind of value, the value.
void put_attribute(std::string& out, const Attribute& attribute) {
  const std::size_t start = out.size();
  out.append(3, '\0');
  out.append(base::as_text(attribute.type));
  switch (attribute.value.tag) {
    case tag::utf8_string:
    case tag::printable_string:
    case tag::ia5_string:
      out.push_back('\x01');
      put_folded(out, base::as_text(attribute.value.body));
      break;
    case tag::bmp_string:
    case tag::universal_string:
      if (const auto text = text_of(attribute.value)) {
        out.push_back('\x01');
        put_folded(out, *text);
        break;
      }
      [[fallthrough]];
    default:
      out.push_back('\x02');
      out.append(base::as_text(attribute.value.whole));
  }
  put_length(out, start);
}

template <typename Visit>
bool each_attribute(const Element& rdn, Visit&& visit) {
  Reader reader(rdn);
  if (reader.at_end()) return false;
  while (!reader.at_end()) {
    const auto pair = reader.next(tag::sequence);
    if (!pair) return false;
    Reader parts(*pair);
    const auto type = parts.next(tag::oid);
    const auto value = parts.next();
    if (!type || !value || !parts.done()) return false;
    visit(Attribute{type->body, *value});
  }
  return true;
}

}  // namespace

std::optional<std::string> text_of(const Element& value) {
  const base::ByteView body = value.body;
  std::string out;
  switch (value.tag) {
    case tag::utf8_string:
      if (!base::is_utf8(base::as_text(body))) return std::nullopt;
      return std::string(base::as_text(body));
    case tag::printable_string:
    case tag::ia5_string:
      for (const std::uint8_t c : body) {
        if (c >= 0x80) return std::nullopt;
      }
      return std::string(base::as_text(body));
    case tag::t61_string:
      for (const std::uint8_t c : body) put_utf8(out, c);  // Latin-1 in practice
      return out;
    case tag::bmp_string:
      if (body.size() % 2 != 0) return std::nullopt;
      for (std::size_t i = 0; i < body.size(); i += 2) {
        const std::uint32_t c = static_cast<std::uint32_t>(body[i]) << 8 | body[i + 1];
        if (c >= 0xD800 && c < 0xE000) return std::nullopt;
        put_utf8(out, c);
      }
      return out;
    case tag::universal_string:
      if (body.size() % 4 != 0) return std::nullopt;
      for (std::size_t i = 0; i < body.size(); i += 4) {
        const std::uint32_t c = static_cast<std::uint32_t>(body[i]) << 24 | static_cast<std::uint32_t>(body[i + 1]) << 16 |
                                static_cast<std::uint32_t>(body[i + 2]) << 8 | body[i + 3];
        if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return std::nullopt;
        put_utf8(out, c);
      }
      return out;
    default: return std::nullopt;
  }
}

std::optional<CanonicalName> canonical_name(base::ByteView name) {
  const auto whole = only(name, tag::sequence);
  if (!whole) return std::nullopt;
  CanonicalName out;
  out.reserve(name.size() + 16);
  std::size_t count = 0;
  for (Reader rdns(*whole); !rdns.at_end();) {
    const auto rdn = rdns.next(tag::set);
    if (!rdn) return std::nullopt;
    const std::size_t start = out.size();
    out.append(3, '\0');
    const std::size_t first = out.size();
    std::size_t in_rdn = 0;
    const bool read = each_attribute(*rdn, [&](const Attribute& attribute) {
      if (++in_rdn == 1) put_attribute(out, attribute);
    });
    count += in_rdn;
    if (!read || count > attributes_max) return std::nullopt;
    if (in_rdn > 1) {
      // Several attributes of one RDN are a set: their order means nothing.
      std::vector<std::string> parts;
      each_attribute(*rdn, [&](const Attribute& attribute) { put_attribute(parts.emplace_back(), attribute); });
      std::sort(parts.begin(), parts.end());
      out.resize(first);
      for (const std::string& part : parts) out += part;
    }
    put_length(out, start);
  }
  return out;
}

std::vector<Attribute> attributes_of(base::ByteView name) {
  std::vector<Attribute> out;
  const auto whole = only(name, tag::sequence);
  if (!whole) return out;
  for (Reader rdns(*whole); !rdns.at_end() && out.size() < attributes_max;) {
    const auto rdn = rdns.next(tag::set);
    if (!rdn || !each_attribute(*rdn, [&](const Attribute& attribute) { out.push_back(attribute); })) return {};
  }
  return out;
}

std::string name_text(base::ByteView name) {
  static constexpr struct {
    const Oid& type;
    std::string_view text;
  } short_names[] = {{oid::common_name, "CN"},      {oid::organization, "O"},         {oid::organizational_unit, "OU"},
                     {oid::country, "C"},           {oid::locality, "L"},             {oid::state, "ST"},
                     {oid::street, "STREET"},       {oid::domain_component, "DC"},    {oid::email_address, "emailAddress"},
                     {oid::serial_number, "SERIALNUMBER"}};
  std::vector<Attribute> attributes = attributes_of(name);
  std::reverse(attributes.begin(), attributes.end());
  std::string out;
  for (const Attribute& attribute : attributes) {
    if (out.size() > 512) return out + ", ...";
    if (!out.empty()) out += ", ";
    const auto known = std::find_if(std::begin(short_names), std::end(short_names),
                                    [&](const auto& row) { return row.type == attribute.type; });
    out += known == std::end(short_names) ? to_dotted(attribute.type) : std::string(known->text);
    out += "=";
    const auto text = text_of(attribute.value);
    if (!text) {
      out += "?";
      continue;
    }
    for (const char c : text->substr(0, 128)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out.empty() ? "(empty name)" : out;
}

}  // namespace crypto::chain
