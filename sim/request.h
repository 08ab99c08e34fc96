#pragma once
// What a client of the false world asks for, owned: it is kept for as long as the client may repeat it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gate/rail_report.h"
#include "gate/request_body.h"
#include "model/command.h"

namespace sim {

enum class Kind : std::uint8_t {
  open_tenant, register_asset, open_account, change_flags, set_limits, transfer, batch, capture, void_hold, cancel_key,
  create_client, rotate_client, revoke_client,
  // over rails; `report` is what a rail, a statement or our own runner says
  configure_rail, control_rail, payout, collect, cancel_transfer, review, resolve, refund, report,
};
constexpr bool is_of_rails(Kind kind) { return kind >= Kind::configure_rail; }

/// One transfer, alone or in a batch.
struct Movement {
  std::string key;
  std::string debit, credit;
  model::Asset asset;
  base::U128 amount = 0;
  bool hold = false;
  std::int64_t hold_seconds = 0;
  std::string reference;
  std::string note;               ///< metadata: one pair `note`
  std::uint32_t group = 0;        ///< neighbours of one number other than 0 are one atomic group
};

struct Request {
  Kind kind = Kind::transfer;
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 1;
  std::string key;                ///< of a batch: the header's; of a transfer: in its movement
  std::string name;               ///< tenant, account or client
  std::string note;
  model::Asset asset;
  model::AccountFlags flags = model::debits_must_not_exceed_credits;
  model::AccountLimits limits;
  gate::FlagAction action = gate::FlagAction::freeze;
  bool debits = true, credits = true;
  std::vector<Movement> movements;
  model::EventNumber hold = 0;
  std::optional<base::U128> amount;
  model::Operation cancelled_operation = model::Operation::create_transfer;
  std::string cancelled_key;
  model::PrincipalNumber client = 0;
  model::Scopes scopes = model::transfers_read;
  std::int64_t overlap_seconds = 0;
  bool person = false;            ///< of create_client
  // --- rails. `name` is the account of a payout or collect, the rail of configure and control ---
  std::string rail;               ///< this one and no other; empty lets the router choose
  std::string reference;
  std::int64_t send_within_seconds = 0;
  model::EventNumber transfer = 0;
  bool approve = true;
  model::Verdict verdict = model::Verdict::settled;
  std::string reason;             ///< of a review or a resolution
  gate::RailAction rail_action = gate::RailAction::pause;
  base::Instant from{}, until{};
  model::RailProfile profile;
  gate::RailReport report;        ///< of a report
};

/// Where an idempotency key counts: equal texts of different scopes are different keys.
struct KeyName {
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 0;
  model::Operation operation = model::Operation::none;
  std::string text;
  auto operator<=>(const KeyName&) const = default;
};

model::Operation operation_of(const Request& request);
/// The key of item `item` of a request; of anything but transfers there is one item.
KeyName key_of(const Request& request, std::size_t item);
/// The key of a batch's reply.
KeyName batch_key_of(const Request& request);
/// The business fields of an item as text, in the documented order of its operation.
std::vector<std::string> fields_of(const Request& request, std::size_t item);

/// What the rail needs to know of a payout's beneficiary, or of a collect's payer.
std::string beneficiary_of(const Request& request);

/// Canonical metadata of a note; empty for none.
base::Bytes metadata_of(const std::string& note);

}  // namespace sim
