#pragma once
// The records of the key registry: partners, their keys, versions of those, imports, and the material itself. Fixed size, no
// padding left to chance: their bytes are the snapshot (docs/format/snapshot.md).

#include <cstdint>
#include <type_traits>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/registry.h"

namespace core {

/// What an operator may set about the registry. Journaled nowhere: events carry what came of it.
struct RegistryBounds {
  std::uint32_t partners_max = 10'000;
  std::uint32_t keys_max = 100'000;
  std::uint32_t imports_max = 1'000'000;                             ///< taken by the doctor, ever; versions are no more than these
  base::Duration challenge_for = base::seconds(15 * 60);
  base::Duration import_waits_for = base::seconds(30LL * 86'400);    ///< for a proof or for people
  base::Duration provisional_for = base::seconds(86'400);            ///< usable without a proof, where people let it in
  base::Duration overlap_default = base::seconds(7LL * 86'400);
  base::Duration overlap_max = base::seconds(400LL * 86'400);
  base::Duration activation_max = base::seconds(400LL * 86'400);     ///< from now
};

struct PartnerRecord {
  model::PartnerName name{};
  model::EventNumber opened = 0;
  model::TenantNumber tenant = 0;
  std::uint32_t pad32 = 0;
  std::uint64_t pad64[2] = {};
};
static_assert(sizeof(PartnerRecord) == 64);
static_assert(std::has_unique_object_representations_v<PartnerRecord>);

/// A key of a partner: a place for versions.
struct KeyRecord {
  model::KeyName name{};
  model::EventNumber opened = 0;
  model::EventNumber responsible_event = 0;    ///< import whose private value says who is responsible; 0 nobody said
  std::int64_t overlap_ns = 0;                 ///< as the newest import asked; 0 takes the bound
  model::PartnerNumber partner = 0;
  model::TenantNumber tenant = 0;
  std::uint32_t newest = 0;                    ///< place of the newest version in its table, from 1; 0 none
  model::KeyVersion versions = 0;
  model::KeyVersion active = 0;                ///< 0 none
  model::KeyVersion former = 0;                ///< that a rollback brings back; 0 none
  std::uint8_t purpose = 0;                    ///< model::KeyPurpose
  std::uint8_t pad8[7] = {};
  std::uint64_t pad64[5] = {};
};
static_assert(sizeof(KeyRecord) == 128);
static_assert(std::has_unique_object_representations_v<KeyRecord>);

struct KeyVersionRecord {
  model::EventNumber added = 0;
  model::EventNumber import = 0;               ///< that brought its material
  model::EventNumber moved = 0;                ///< newest event about it
  std::int64_t since_ns = 0;                   ///< in this state
  std::int64_t due_ns = 0;                     ///< when time takes the next step; 0 never
  std::int64_t warn_ns = 0;                    ///< when its end is told of next; 0 never
  std::int64_t usable_until_ns = 0;            ///< unconfirmed; 0 without such a bound
  model::KeyNumber key = 0;
  model::KeyVersion version = 0;
  std::uint32_t previous = 0;                  ///< place of the version before it of the same key, from 1; 0 none
  std::uint8_t state = 0;                      ///< model::KeyState
  std::uint8_t cause = 0;                      ///< model::KeyCause of the last move; 0 none yet
  std::uint8_t proven = 0;
  std::uint8_t pad8 = 0;
  std::uint64_t pad64[7] = {};

  model::KeyState status() const { return static_cast<model::KeyState>(state); }
  /// When time has something to do; 0 never.
  std::int64_t wakes_at_ns() const {
    if (due_ns == 0 || warn_ns == 0) return due_ns + warn_ns;
    return due_ns < warn_ns ? due_ns : warn_ns;
  }
};
static_assert(sizeof(KeyVersionRecord) == 128);
static_assert(std::has_unique_object_representations_v<KeyVersionRecord>);

/// An import that the doctor took. Those it refused are in the journal only.
struct ImportRecord {
  base::Digest pin{};
  base::Digest fingerprint{};
  base::Digest thumbprint{};                   ///< `pin` where the key has none of its own
  base::Digest nonce{};                        ///< of the open challenge; zeros without one
  model::EventNumber received = 0;             ///< its identity
  std::int64_t received_at_ns = 0;
  std::int64_t challenge_ends_ns = 0;
  std::int64_t not_before_ns = 0;
  std::int64_t not_after_ns = 0;
  std::int64_t activate_at_ns = 0;
  std::int64_t due_ns = 0;                     ///< when waiting is over; 0 never
  std::uint32_t material = 0;                  ///< place of its first block, from 0
  model::KeyNumber key = 0;
  model::KeyVersion version = 0;               ///< that came of it; 0 none yet
  model::PrincipalNumber importer = 0;
  model::PrincipalNumber approver = 0;         ///< who approved first; 0 nobody
  std::uint16_t spki_bytes = 0;
  std::uint16_t bits = 0;
  std::uint8_t form = 0;                       ///< model::KeyForm
  std::uint8_t algorithm = 0;                  ///< model::KeyAlgorithm
  std::uint8_t state = 0;                      ///< model::ImportState
  std::uint8_t cause = 0;                      ///< model::ImportCause of the last move
  std::uint8_t has_thumbprint = 0;
  std::uint8_t staged = 0;
  std::uint8_t approvals = 0;
  std::uint8_t pad8 = 0;
  std::uint64_t pad64[5] = {};

  model::ImportState status() const { return static_cast<model::ImportState>(state); }
};
static_assert(sizeof(ImportRecord) == 256);
static_assert(std::has_unique_object_representations_v<ImportRecord>);

/// A piece of the material of one import; what does not fill its last block is zeros. All zeros once it is destroyed.
struct MaterialBlock {
  std::uint8_t bytes[64] = {};
};
static_assert(sizeof(MaterialBlock) == 64);

constexpr std::size_t material_blocks(std::size_t spki_bytes) { return (spki_bytes + sizeof(MaterialBlock) - 1) / sizeof(MaterialBlock); }

}  // namespace core
