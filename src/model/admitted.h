#pragma once
// What the gate lets in. Nothing else can make one: the constructor belongs to gate::Gate, and the pipeline takes
// nothing but this. It still carries names (to be resolved to numbers at the core's door) and personal values (to be
// written to the private section); neither enters the command that the journal keeps.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "model/command.h"
#include "model/entry.h"

namespace gate {
class Gate;
}

namespace model {

/// 64-bit hash of (tenant, account name) for the account directory. Not keyed, not stored: FNV-1a and a mixer.
std::uint64_t account_name_hash(TenantNumber tenant, std::string_view name);

/// A name in a command that the pipeline must turn into a number: which command, which item, which field.
struct NameToResolve {
  enum class Field : std::uint8_t {
    debit,
    credit,
    account,           ///< of a change to an account; of a payout or collect
    opened_account,
    opened_tenant,
    rail,              ///< a rail by its name: ControlRail::rail, RailRequest::wanted
    clearing_account,  ///< ConfigureRail
    suspense_account,
  };
  std::uint32_t command = 0;   ///< index into Admitted::commands
  std::uint32_t item = 0;      ///< index into CreateTransfer::items
  Field field = Field::debit;
  std::uint64_t hash = 0;      ///< account_name_hash
  std::string name;
};

/// A personal value whose event number is not known yet. `item` says which of the command's events it belongs to; of
/// ConfigureRail 0 is the clearing account's name and 1 the suspense account's.
struct PrivateDraft {
  std::uint32_t command = 0;
  std::uint32_t item = 0;
  PrivateField field = PrivateField::account_name;
  base::Tag128 salt{};
  base::Bytes value;
};

/// An authenticated, well-formed request that changes something.
class Admitted {
 public:
  Admitted(Admitted&&) = default;
  Admitted& operator=(Admitted&&) = default;
  Admitted(const Admitted&) = delete;
  Admitted& operator=(const Admitted&) = delete;

  /// One command for most requests; one per item (or atomic group) for a batch. Never empty.
  std::vector<Command> commands;
  std::vector<NameToResolve> names;      ///< ascending by command, then item
  std::vector<PrivateDraft> privates;    ///< ascending by command, then item
  bool is_batch = false;
  std::optional<IdempotencyTag> batch_tag;   ///< the header's key of a batch; covers the reply only
  /// The tags of all keys once more, made with former versions of the fingerprint key: ascending by key and version, empty
  /// while there is only one. What the first request under a key recorded decides which one counts.
  std::vector<IdempotencyTag> former_tags;
  TenantNumber tenant = 1;
  PrincipalNumber principal = 0;
  base::Tag128 trace{};
  /// The refresh secret of create_client and rotate_client, for the first reply only: never journaled, never logged.
  std::string secret;

 private:
  friend class gate::Gate;
  Admitted() = default;
};

}  // namespace model
