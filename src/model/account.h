#pragma once
// Accounts and assets: the nouns shared by commands, events and the ledger.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/int128.h"

namespace model {

/// The four counters of an account (design section 6). They only grow while posted; pending ones return to zero.
struct Counters {
  base::U128 debits_posted = 0;
  base::U128 credits_posted = 0;
  base::U128 debits_pending = 0;
  base::U128 credits_pending = 0;
  bool operator==(const Counters&) const = default;
};

/// Flags of an account, a bit set. Numbers are part of the formats.
enum AccountFlag : std::uint16_t {
  debits_must_not_exceed_credits = 1,
  credits_must_not_exceed_debits = 2,
  frozen_for_debits = 4,
  frozen_for_credits = 8,
  closed = 16,
  is_world = 32,   ///< `world/ASSET`: where money enters and leaves; opened with its asset, unlimited on both sides
};
using AccountFlags = std::uint16_t;

/// Upper bounds an account may carry; nothing is no bound.
struct AccountLimits {
  std::optional<base::U128> debit_amount_max;   ///< of one transfer
  std::optional<base::U128> daily_debits_max;   ///< of all transfers and holds debited in one UTC day, earlier ones of the day included
  std::optional<base::U128> balance_max;        ///< posted + pending credits minus posted debits, if credited
  bool operator==(const AccountLimits&) const = default;
};

/// Code of an asset: 1 to 16 characters A-Z 0-9 and `.`, starting with a letter, padded with zero bytes.
using AssetCode = std::array<char, 16>;

struct Asset {
  AssetCode code{};
  std::uint8_t scale = 0;   ///< decimal places of the smallest unit, 0 to 30
  bool operator==(const Asset&) const = default;
};

constexpr std::uint8_t asset_scale_max = 30;

/// True for the code of an asset without its padding.
bool is_asset_code(std::string_view text);

/// `CODE/SCALE`: `USD/2`, `JPY/0`, `ETH/18`.
std::string to_text(const Asset& asset);
std::optional<Asset> parse_asset(std::string_view text);

/// Account ids: 1 to 128 characters of A-Z a-z 0-9 and `-._~:/@`, no empty, `.` or `..` part between slashes.
constexpr std::size_t account_name_size_max = 128;
bool is_account_name(std::string_view text);

}  // namespace model
