#pragma once
// Where a fetch may go: key sets, discovery documents, certificates and lists named by somebody else. Pure: the names are
// resolved by the caller, judged here, and the connection goes to the very address that was judged, so that a name that
// changes its mind between look and leap (DNS rebinding) gains nothing.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/chain/address.h"

namespace intake {

using Address = crypto::chain::Address;

/// What an address is for. Anything but `everybody` is refused unless the operator named its network.
enum class Reach : std::uint8_t {
  everybody,
  loopback,    ///< 127/8, ::1
  ours,        ///< private use (RFC 1918, RFC 4193) and shared space behind a carrier (RFC 6598)
  link,        ///< 169.254/16, fe80::/10
  metadata,    ///< where clouds hand out credentials to whoever asks
  group,       ///< multicast and broadcast
  nowhere,     ///< unspecified, documentation, benchmarks, reserved
};
/// `everybody`, `loopback`, ...
std::string_view name_of(Reach reach);

/// Version 4 addresses inside of version 6 ones (mapped, compatible, NAT64, 6to4) are judged by what they carry; Teredo is
/// nowhere.
Reach reach_of(const Address& address);

/// A network in CIDR form: `10.1.0.0/16`, `fd00::/8`. Nothing when malformed or when bits behind the prefix are set.
struct Network {
  Address first;
  unsigned prefix = 0;
  bool holds(const Address& address) const;
};
std::optional<Network> parse_network(std::string_view text);

/// What a fetch may cost. Redirects are never followed, proxies of the environment never used.
constexpr std::size_t fetched_certificate_bytes_max = std::size_t{64} << 10, fetched_list_bytes_max = std::size_t{16} << 20;
constexpr std::uint64_t fetch_connect_ms_max = 3'000, fetch_total_ms_max = 5'000;

struct FetchRules {
  std::vector<std::string> hosts;      ///< the only ones that may be asked, lower case; `*.example.com` covers one label
  std::vector<Network> networks;       ///< reached although they are not for everybody; metadata only where named alone
  bool plain_http = false;             ///< for objects that are signed themselves
};

/// Parts of an address that may be asked.
struct FetchTarget {
  std::string host;       ///< lower case, without brackets
  std::uint16_t port = 443;
  std::string path;       ///< with the query; starts with a slash
  bool tls = true;
};

/// Errors: `fetch_address_malformed` (not an absolute URL, user names, fragments, control characters, over 2,048 bytes),
/// `fetch_scheme_not_allowed`.
base::Result<FetchTarget> read_fetch_url(std::string_view url, bool plain_http = false);
/// The same, for hosts on the list. Error: `fetch_host_not_allowed`.
base::Result<FetchTarget> check_fetch_url(std::string_view url, const FetchRules& rules);

/// The address to connect to, out of everything the name resolved to. One forbidden address among them refuses the whole
/// answer. Errors: `fetch_host_has_no_address`, `fetch_target_is_forbidden` (the message says which and why).
base::Result<Address> pin_address(std::span<const Address> resolved, const FetchRules& rules);

}  // namespace intake
