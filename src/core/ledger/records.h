#pragma once
// The records of the ledger's state: fixed size, no pointers, no padding left to chance, because their bytes are the
// snapshot (docs/format/snapshot.md) and a state digest must depend on nothing else.

#include <cstdint>
#include <type_traits>

#include "model/account.h"
#include "model/command.h"
#include "model/ids.h"

namespace core {

/// An event number, or a count of events, in the six bytes it takes (model::event_number_max).
class Packed48 {
 public:
  constexpr Packed48() = default;
  constexpr Packed48(std::uint64_t value)
      : words_{static_cast<std::uint16_t>(value), static_cast<std::uint16_t>(value >> 16), static_cast<std::uint16_t>(value >> 32)} {}
  constexpr operator std::uint64_t() const {
    return words_[0] | std::uint64_t{words_[1]} << 16 | std::uint64_t{words_[2]} << 32;
  }
  constexpr Packed48& operator+=(std::uint64_t more) { return *this = *this + more; }

 private:
  std::uint16_t words_[3] = {};
};

/// Its tenant is that of its asset. Two cache lines, no byte to spare: there are millions of them.
struct AccountRecord {
  model::Counters counters;
  base::U128 debited_on_day = 0;         ///< debits and holds since the start of `day`, whether or not there are limits
  model::AssetNumber asset = 0;
  std::uint32_t limits_slot = 0;         ///< index into limits plus one; 0 has no limits
  std::uint32_t open_holds = 0;          ///< on either side
  model::AccountFlags flags = 0;
  std::uint16_t day = 0;                 ///< of the newest debit: days since 1970-01-01, UTC, modulo 2^16
  Packed48 last_posting;                 ///< head of the account's history
  Packed48 last_64;                      ///< last posting whose ordinal is a multiple of 64
  Packed48 last_4096;
  Packed48 postings;
  Packed48 opened;
  std::uint16_t pad16 = 0;
};
static_assert(sizeof(AccountRecord) == 128);

struct LimitsRecord {
  base::U128 debit_amount_max = 0;
  base::U128 daily_debits_max = 0;
  base::U128 balance_max = 0;
  std::uint8_t has_debit_amount_max = 0;
  std::uint8_t has_daily_debits_max = 0;
  std::uint8_t has_balance_max = 0;
  std::uint8_t pad8[13] = {};
};
static_assert(sizeof(LimitsRecord) == 64);

struct HoldRecord {
  base::U128 amount = 0;
  model::EventNumber placed = 0;         ///< its identity; 0 marks a free slot
  std::int64_t expires_at_ns = 0;        ///< 0 never
  model::AccountNumber debit = 0;
  model::AccountNumber credit = 0;
  model::AssetNumber asset = 0;
  std::uint32_t next_free = 0;           ///< in a free slot: the next free slot plus one
  model::EventNumber transfer = 0;       ///< the payout that keeps it; nobody else may resolve it
  std::uint64_t pad64 = 0;
};
static_assert(sizeof(HoldRecord) == 64);

struct AssetRecord {
  model::EventNumber registered = 0;
  model::TenantNumber tenant = 0;
  model::AccountNumber world = 0;
  char code[16] = {};
  std::uint8_t scale = 0;
  std::uint8_t pad[31] = {};

  model::Asset asset() const {
    model::Asset asset;
    for (std::size_t i = 0; i < asset.code.size(); ++i) asset.code[i] = code[i];
    asset.scale = scale;
    return asset;
  }
};
static_assert(sizeof(AssetRecord) == 64);

struct TenantRecord {
  model::EventNumber opened = 0;
  std::uint64_t pad = 0;
};
static_assert(sizeof(TenantRecord) == 16);

struct ClientRecord {
  std::uint8_t secret_hash[32] = {};
  std::uint8_t former_secret_hash[32] = {};
  std::int64_t former_valid_until_ns = 0;
  model::EventNumber created = 0;
  model::TenantNumber tenant = 0;
  std::uint32_t generation = 0;
  model::Scopes scopes = 0;
  std::uint8_t kind = 0;                 ///< model::PrincipalKind
  std::uint8_t revoked = 0;
  std::uint8_t pad16[2] = {};
  std::uint8_t pad[32] = {};
};
static_assert(sizeof(ClientRecord) == 128);

static_assert(std::has_unique_object_representations_v<AccountRecord>);
static_assert(std::has_unique_object_representations_v<LimitsRecord>);
static_assert(std::has_unique_object_representations_v<HoldRecord>);
static_assert(std::has_unique_object_representations_v<AssetRecord>);
static_assert(std::has_unique_object_representations_v<TenantRecord>);
static_assert(std::has_unique_object_representations_v<ClientRecord>);

}  // namespace core
