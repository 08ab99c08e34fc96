#include "intake/fetch_rules.h"

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/chain/general_name.h"

namespace intake {
namespace {

using crypto::chain::address_text;
using crypto::chain::parse_address;

// Whether the first `prefix` bits are equal.
bool shares_prefix(const std::uint8_t* a, const std::uint8_t* b, unsigned prefix) {
  for (unsigned bit = 0; bit < prefix; ++bit) {
    if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

struct Row {
  std::array<std::uint8_t, 16> first;
  unsigned prefix;
  Reach reach;
};

// IANA's registries of special-purpose addresses. The first row that fits counts.
constexpr Row rows_v4[] = {
    {{169, 254, 169, 254}, 32, Reach::metadata}, {{169, 254, 170, 2}, 32, Reach::metadata}, {{100, 100, 100, 200}, 32, Reach::metadata},
    {{168, 63, 129, 16}, 32, Reach::metadata},   {{192, 0, 0, 192}, 32, Reach::metadata},   {{0}, 8, Reach::nowhere},
    {{10}, 8, Reach::ours},                      {{100, 64}, 10, Reach::ours},              {{127}, 8, Reach::loopback},
    {{169, 254}, 16, Reach::link},               {{172, 16}, 12, Reach::ours},              {{192, 0, 0}, 24, Reach::nowhere},
    {{192, 0, 2}, 24, Reach::nowhere},           {{192, 31, 196}, 24, Reach::nowhere},      {{192, 52, 193}, 24, Reach::nowhere},
    {{192, 88, 99}, 24, Reach::nowhere},         {{192, 168}, 16, Reach::ours},             {{192, 175, 48}, 24, Reach::nowhere},
    {{198, 18}, 15, Reach::nowhere},             {{198, 51, 100}, 24, Reach::nowhere},      {{203, 0, 113}, 24, Reach::nowhere},
    {{224}, 4, Reach::group},                    {{255, 255, 255, 255}, 32, Reach::group},  {{240}, 4, Reach::nowhere},
};
constexpr Row rows_v6[] = {
    {{0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, Reach::metadata},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, Reach::loopback},
    {{0}, 128, Reach::nowhere},
    {{0x01, 0x00}, 64, Reach::nowhere},
    {{0x20, 0x01, 0x0D, 0xB8}, 32, Reach::nowhere},
    {{0x20, 0x01}, 23, Reach::nowhere},  // protocol assignments, Teredo among them
    {{0x3F, 0xFF}, 20, Reach::nowhere},
    {{0x5F, 0x00}, 16, Reach::nowhere},
    {{0xFC}, 7, Reach::ours},
    {{0xFE, 0x80}, 10, Reach::link},
    {{0xFE, 0xC0}, 10, Reach::ours},
    {{0xFF}, 8, Reach::group},
};

Reach look_up(std::span<const Row> rows, const std::uint8_t* bytes, Reach otherwise) {
  for (const Row& row : rows) {
    if (shares_prefix(bytes, row.first.data(), row.prefix)) return row.reach;
  }
  return otherwise;
}

// Where a version 6 address carries a version 4 one, and at which byte.
std::optional<std::size_t> carried_v4(const std::uint8_t* bytes) {
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, compatible[12] = {},
                                nat64[12] = {0, 0x64, 0xFF, 0x9B}, nat64_local[6] = {0, 0x64, 0xFF, 0x9B, 0, 1}, six_to_four[2] = {0x20, 0x02},
                                translated[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0};
  if (shares_prefix(bytes, mapped, 96) || shares_prefix(bytes, nat64, 96) || shares_prefix(bytes, nat64_local, 48) ||
      shares_prefix(bytes, translated, 96)) {
    return 12;
  }
  if (shares_prefix(bytes, six_to_four, 16)) return 2;
  // ::1 and :: are themselves, everything else below 2^32 is a version 4 address in old clothes.
  if (shares_prefix(bytes, compatible, 96) && (bytes[12] != 0 || bytes[13] != 0 || bytes[14] != 0 || bytes[15] > 1)) return 12;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Reach reach) {
  switch (reach) {
    case Reach::everybody: return "everybody";
    case Reach::loopback: return "loopback";
    case Reach::ours: return "ours";
    case Reach::link: return "link";
    case Reach::metadata: return "metadata";
    case Reach::group: return "group";
    case Reach::nowhere: return "nowhere";
  }
  return "";
}

Reach reach_of(const Address& address) {
  const std::uint8_t* const bytes = address.bytes.data();
  if (address.size == 4) return look_up(rows_v4, bytes, Reach::everybody);
  if (address.size != 16) return Reach::nowhere;
  if (const auto at = carried_v4(bytes)) return look_up(rows_v4, bytes + *at, Reach::everybody);
  const Reach reach = look_up(rows_v6, bytes, Reach::everybody);
  // Outside of 2000::/3 nothing is handed out.
  return reach == Reach::everybody && (bytes[0] & 0xE0) != 0x20 ? Reach::nowhere : reach;
}

bool Network::holds(const Address& address) const {
  return address.size == first.size && shares_prefix(address.bytes.data(), first.bytes.data(), prefix);
}

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto first = parse_address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  if (!first || digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  unsigned prefix = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    prefix = prefix * 10 + static_cast<unsigned>(c - '0');
  }
  if (prefix > first->size * 8) return std::nullopt;
  for (std::size_t bit = prefix; bit < first->size * 8; ++bit) {
    if ((first->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return Network{*first, prefix};
}

base::Result<FetchTarget> read_fetch_url(std::string_view url, bool plain_http) {
  const auto malformed = [](const char* why) { return base::Error{"fetch_address_malformed", why}; };
  if (url.size() > 2'048) return malformed("longer than 2048 bytes");
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= 0x20 || c >= 0x7F || c == '\\' || c == '#'; })) {
    return malformed("control characters, blanks, backslashes, fragments and text that is not ASCII do not belong in it");
  }
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return malformed("not an absolute URL");
  FetchTarget target;
  const std::string_view scheme = url.substr(0, colon);
  if (crypto::chain::same_text(scheme, "http") && plain_http) {
    target.tls = false;
    target.port = 80;
  } else if (!crypto::chain::same_text(scheme, "https")) {
    return base::Error{"fetch_scheme_not_allowed", plain_http ? "only https and http" : "only https"};
  }
  const std::string_view rest = url.substr(colon + 3);
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, path);
  target.path = std::string(rest.substr(path));
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return malformed("it names a user");
  std::string_view port;
  bool literal = false;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return malformed("a bracket is missing");
    if (end + 1 < authority.size()) {
      if (authority[end + 1] != ':') return malformed("something follows the bracket");
      port = authority.substr(end + 1);
    }
    authority = authority.substr(1, end - 1);
    literal = true;
    if (authority.find(':') == std::string_view::npos || !parse_address(authority)) return malformed("no address in the brackets");
  } else if (const std::size_t at = authority.find(':'); at != std::string_view::npos) {
    port = authority.substr(at);
    authority = authority.substr(0, at);
  }
  if (!port.empty()) {
    unsigned number = 0;
    for (const char c : port.substr(1)) {
      if (c < '0' || c > '9' || number > 65'535) return malformed("the port is no number");
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    if (number == 0 || number > 65'535) return malformed("the port is no number");
    target.port = static_cast<std::uint16_t>(number);
  }
  if (authority.ends_with('.')) authority.remove_suffix(1);
  if (!literal && !crypto::chain::is_host_name(authority, false, false)) return malformed("the host is no name");
  // 0x7f.1 and 2130706433 are names to us and addresses to some resolvers.
  const std::string_view last = authority.substr(authority.rfind('.') + 1);
  const bool numeric = std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; }) || last.starts_with("0x") || last.starts_with("0X");
  if (!literal && numeric && !parse_address(authority)) return malformed("the host is a number");
  for (const char c : authority) target.host.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  return target;
}

base::Result<FetchTarget> check_fetch_url(std::string_view url, const FetchRules& rules) {
  TRY_ASSIGN(FetchTarget target, read_fetch_url(url, rules.plain_http));
  const bool allowed = std::any_of(rules.hosts.begin(), rules.hosts.end(), [&](const std::string& host) {
    return crypto::chain::host_matches(host, target.host);
  });
  if (!allowed) return base::Error{"fetch_host_not_allowed", "the host " + target.host + " is not on the list"};
  return target;
}

base::Result<Address> pin_address(std::span<const Address> resolved, const FetchRules& rules) {
  if (resolved.empty()) return base::Error{"fetch_host_has_no_address", "the name resolved to nothing"};
  for (const Address& address : resolved) {
    const Reach reach = reach_of(address);
    const bool named = std::any_of(rules.networks.begin(), rules.networks.end(), [&](const Network& network) {
      return network.holds(address) && (reach != Reach::metadata || network.prefix == address.size * 8);
    });
    if (reach == Reach::everybody || named) continue;
    return base::Error{"fetch_target_is_forbidden", address_text(address.view()) + " is not a public address (" + std::string(name_of(reach)) + ")"};
  }
  return resolved.front();
}

}  // namespace intake
