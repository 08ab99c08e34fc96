#pragma once
// The API as data: what can be asked of the service. The OpenAPI document is checked against this table.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/command.h"

namespace gate {

/// What a route does.
enum class Action : std::uint8_t {
  open_tenant,
  register_asset,
  open_account,
  freeze_account,
  unfreeze_account,
  close_account,
  set_account_limits,
  create_transfer,
  create_batch,
  capture_hold,
  void_hold,
  cancel_key,
  create_client,
  rotate_client,
  revoke_client,
  get_access_token,
  get_account,
  list_accounts,
  get_account_history,
  get_transfer,
  list_transfers,
  get_trial_balance,
  get_checkpoint,
  get_own_keys,
  get_tile,
  get_entry_bundle,
  get_transfer_evidence,
  cancel_transfer,
  review_transfer,
  resolve_unknown,
  refund_transfer,
  configure_rail,
  pause_rail,
  resume_rail,
  set_rail_maintenance,
  take_rail_callback,
  list_rails,
  get_rail,
  create_webhook,
  change_webhook,
  remove_webhook,
  rotate_webhook,
  test_webhook,
  resend_webhook,
  list_webhooks,
  get_webhook,
  list_webhook_deliveries,
  take_statement,
  list_reconciliations,
  get_reconciliation,
  resolve_exception,
  import_key,
  get_import,
  get_import_evidence,
  challenge_import,
  prove_import,
  approve_import,
  reject_import,
  list_keys,
  get_key,
  list_key_versions,
  apply_key,
  rollback_key,
  retire_key,
  compromise_key,
  destroy_key,
  derive_wallet,
  confirm_wallet,
  list_wallets,
  get_wallet,
};

struct Route {
  std::string_view method;  ///< GET or POST; HEAD goes wherever GET goes
  /// `/v1/accounts/{id}/freeze`: a part in braces is one segment, decoded; `{tile}` is the last and takes all that follow,
  /// joined by slashes.
  std::string_view path;
  Action action = Action::get_account;
  model::Operation operation = model::Operation::none;  ///< scope of the idempotency key; none for what changes nothing
  std::optional<model::Scope> scope;                    ///< nothing: no bearer token is asked for;
                                                        ///< who sent it shows by other means, or may not matter
  bool takes_cbor = false;                              ///< besides JSON
};

std::span<const Route> routes();

/// Where a request goes.
struct RouteMatch {
  const Route* route = nullptr;         ///< null: no path matches, or no method of a path that does
  std::vector<std::string> parameters;  ///< decoded values of the parts in braces, in order
  std::string_view allow;               ///< when only the method does not match: those that do, static storage
};
RouteMatch find_route(std::string_view method, const std::vector<std::string>& segments);

}  // namespace gate
