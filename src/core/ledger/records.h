#pragma once
// The records of the ledger's state: fixed size, no pointers, no padding left to chance, because their bytes are the
// snapshot (docs/format/snapshot.md) and a state digest must depend on nothing else.

#include <cstdint>
#include <type_traits>

#include "model/account.h"
#include "model/command.h"
#include "model/ids.h"

namespace core {

struct AccountRecord {
  model::Counters counters;
  model::EventNumber last_posting = 0;   ///< head of the account's history
  model::EventNumber last_64 = 0;        ///< last posting whose ordinal is a multiple of 64
  model::EventNumber last_4096 = 0;
  std::uint64_t postings = 0;
  model::EventNumber opened = 0;
  model::AssetNumber asset = 0;
  model::TenantNumber tenant = 0;
  std::uint32_t limits_slot = 0;         ///< index into limits plus one; 0 has no limits
  std::uint32_t open_holds = 0;          ///< on either side
  model::AccountFlags flags = 0;
  std::uint16_t pad16 = 0;
  std::uint32_t pad32 = 0;
};
static_assert(sizeof(AccountRecord) == 128);

struct LimitsRecord {
  base::U128 debit_amount_max = 0;
  base::U128 daily_debits_max = 0;
  base::U128 balance_max = 0;
  base::U128 debited_on_day = 0;         ///< debits and holds since the start of `day`
  std::int64_t day = 0;                  ///< days since 1970-01-01, UTC
  std::uint8_t has_debit_amount_max = 0;
  std::uint8_t has_daily_debits_max = 0;
  std::uint8_t has_balance_max = 0;
  std::uint8_t pad8[5] = {};
  std::uint8_t pad[48] = {};
};
static_assert(sizeof(LimitsRecord) == 128);

struct HoldRecord {
  base::U128 amount = 0;
  model::EventNumber placed = 0;         ///< its identity; 0 marks a free slot
  std::int64_t expires_at_ns = 0;        ///< 0 never
  model::AccountNumber debit = 0;
  model::AccountNumber credit = 0;
  model::AssetNumber asset = 0;
  std::uint32_t next_free = 0;           ///< in a free slot: the next free slot plus one
  std::uint64_t pad64[2] = {};
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
