#pragma once
// A case of the trial: a captured message, the keys it should verify under, and how the sender says it was signed. JSON in;
// the format is in docs/trial.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "intake/wiped.h"

namespace trial {

inline constexpr std::size_t case_bytes_max = std::size_t{4} << 20;
inline constexpr std::size_t keys_max = 16;  ///< of each side

enum class Convention : std::uint8_t { http_signature, jws, detached, standard_webhook, alipay, wechat_pay, unionpay };
/// `http-signature`, `jws`, `detached`, `standard-webhook`, `alipay`, `wechat-pay`, `unionpay`.
std::string_view name_of(Convention convention);

/// Key material as it was given, of whatever format, and what the partner calls it.
struct Material {
  intake::Secret bytes;  ///< wiped: that it is public is known only after it was read
  std::string key_id;    ///< kid, serial number, PUB_KEY_ID_...; may be empty
};

using Pair = std::pair<std::string, std::string>;

/// The message. Which parts a convention needs is its own affair; what is absent is empty.
struct Message {
  std::string method = "POST";
  std::string url;                  ///< absolute, or the path alone
  std::uint16_t status = 0;         ///< of a response; 0: it is a request
  std::vector<Pair> headers;        ///< names in lower case
  std::optional<std::string> body;  ///< bytes as they came
  std::vector<Pair> parameters;     ///< of a form, decoded, in their order
  std::string compact;              ///< JWS: compact serialisation, the payload perhaps left out
  std::string signature;            ///< text
  std::string encoding;             ///< of `signature`: base64, base64url, hex; empty: as the convention has it
  std::string algorithm;            ///< scheme_of_name; empty: as message, convention or key say
  std::string user_id;              ///< SM2; empty: the default
  std::string label;                ///< RFC 9421: which of several signatures

  /// Value of the only header of this (lower-case) name; nothing if it is absent or repeated.
  std::optional<std::string_view> header(std::string_view name) const;
  /// Value of the first parameter of this name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// A version that the sender declares, and those that were agreed on.
struct Declared {
  std::string version;
  std::vector<std::string> accepted;
  bool refused() const;
};

struct Case {
  std::string id;
  Convention convention = Convention::detached;
  std::vector<Material> keys;          ///< the partner's
  std::vector<Material> own_keys;      ///< ours, public: to notice a mix-up
  std::vector<Material> roots;         ///< certificates of the partner's authority, where messages name them (Alipay)
  std::optional<intake::Text> secret;  ///< shared secret, for MACs
  Message message;
  std::optional<base::Instant> received_at;
  base::Duration window = base::seconds(300);
  std::vector<std::string> seen_nonces;
  Declared sdk, protocol;
};

/// Errors: `trial_case_malformed`, naming the member that is missing, unknown or of the wrong type; `trial_case_too_large`.
base::Result<Case> read_case(std::string_view json);
/// The same document without `key` and `secret`: the key comes from elsewhere, and the caller puts it in. Errors: those of read_case.
base::Result<Case> read_captured(std::string_view json);

/// Pairs of application/x-www-form-urlencoded, decoded once (`+` is a blank). Nothing for a bad percent sign.
std::optional<std::vector<Pair>> parse_form(std::string_view text);

}  // namespace trial
