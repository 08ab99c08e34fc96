#include "gate/routes.h"

#include <algorithm>

#include "base/check.h"

namespace gate {

namespace {

using model::Operation;

constexpr std::array<Route, 70> table = {{
    {"POST", "/v1/tenants", Action::open_tenant, Operation::open_tenant, model::operate},
    {"POST", "/v1/assets", Action::register_asset, Operation::register_asset, model::assets_write},
    {"POST", "/v1/accounts", Action::open_account, Operation::open_account, model::accounts_write},
    {"GET", "/v1/accounts", Action::list_accounts, Operation::none, model::accounts_read},
    {"GET", "/v1/accounts/{id}", Action::get_account, Operation::none, model::accounts_read},
    {"GET", "/v1/accounts/{id}/history", Action::get_account_history, Operation::none, model::accounts_read},
    {"POST", "/v1/accounts/{id}/freeze", Action::freeze_account, Operation::change_account_flags,
     model::accounts_control},
    {"POST", "/v1/accounts/{id}/unfreeze", Action::unfreeze_account, Operation::change_account_flags,
     model::accounts_control},
    {"POST", "/v1/accounts/{id}/close", Action::close_account, Operation::change_account_flags,
     model::accounts_control},
    {"POST", "/v1/accounts/{id}/limits", Action::set_account_limits, Operation::set_account_limits,
     model::accounts_control},
    {"POST", "/v1/transfers", Action::create_transfer, Operation::create_transfer, model::transfers_write},
    {"GET", "/v1/transfers", Action::list_transfers, Operation::none, model::transfers_read},
    {"POST", "/v1/transfers:batch", Action::create_batch, Operation::record_batch, model::transfers_write, true},
    {"GET", "/v1/transfers/{id}", Action::get_transfer, Operation::none, model::transfers_read},
    {"POST", "/v1/transfers/{id}/capture", Action::capture_hold, Operation::capture_hold, model::transfers_write},
    {"POST", "/v1/transfers/{id}/void", Action::void_hold, Operation::void_hold, model::transfers_write},
    {"POST", "/v1/transfers/{id}/cancel", Action::cancel_transfer, Operation::cancel_transfer, model::transfers_write},
    {"POST", "/v1/transfers/{id}/review", Action::review_transfer, Operation::review_transfer, model::transfers_review},
    {"POST", "/v1/transfers/{id}/resolve", Action::resolve_unknown, Operation::resolve_unknown,
     model::transfers_resolve},
    {"POST", "/v1/transfers/{id}/refunds", Action::refund_transfer, Operation::refund_transfer, model::transfers_write},
    {"POST", "/v1/rails", Action::configure_rail, Operation::configure_rail, model::rails_write},
    {"GET", "/v1/rails", Action::list_rails, Operation::none, model::transfers_read},
    {"GET", "/v1/rails/{name}", Action::get_rail, Operation::none, model::transfers_read},
    {"POST", "/v1/rails/{name}/pause", Action::pause_rail, Operation::control_rail, model::rails_write},
    {"POST", "/v1/rails/{name}/resume", Action::resume_rail, Operation::control_rail, model::rails_write},
    {"POST", "/v1/rails/{name}/maintenance", Action::set_rail_maintenance, Operation::control_rail, model::rails_write},
    {"POST", "/v1/rails/{name}/callbacks", Action::take_rail_callback, Operation::none, std::nullopt},
    {"POST", "/v1/webhooks", Action::create_webhook, Operation::create_webhook, model::webhooks_write},
    {"GET", "/v1/webhooks", Action::list_webhooks, Operation::none, model::webhooks_write},
    {"GET", "/v1/webhooks/{id}", Action::get_webhook, Operation::none, model::webhooks_write},
    {"POST", "/v1/webhooks/{id}", Action::change_webhook, Operation::change_webhook, model::webhooks_write},
    {"POST", "/v1/webhooks/{id}/remove", Action::remove_webhook, Operation::remove_webhook, model::webhooks_write},
    {"POST", "/v1/webhooks/{id}/rotate", Action::rotate_webhook, Operation::rotate_webhook, model::webhooks_write},
    {"POST", "/v1/webhooks/{id}/test", Action::test_webhook, Operation::none, model::webhooks_write},
    {"POST", "/v1/webhooks/{id}/resend", Action::resend_webhook, Operation::none, model::webhooks_write},
    {"GET", "/v1/webhooks/{id}/deliveries", Action::list_webhook_deliveries, Operation::none, model::webhooks_write},
    {"POST", "/v1/statements", Action::take_statement, Operation::record_statement, model::reconcile_write},
    {"GET", "/v1/reconciliations", Action::list_reconciliations, Operation::none, model::transfers_read},
    {"GET", "/v1/reconciliations/{id}", Action::get_reconciliation, Operation::none, model::transfers_read},
    {"POST", "/v1/reconciliations/{id}/exceptions/{exception}/resolve", Action::resolve_exception, Operation::resolve_exception,
     model::reconcile_write},
    {"POST", "/v1/imports", Action::import_key, Operation::import_key, model::imports_write},
    {"GET", "/v1/imports/{id}", Action::get_import, Operation::none, model::imports_read},
    {"GET", "/v1/imports/{id}/evidence", Action::get_import_evidence, Operation::none, model::imports_read},
    {"POST", "/v1/imports/{id}/challenge", Action::challenge_import, Operation::challenge_import, model::imports_write},
    {"POST", "/v1/imports/{id}/prove", Action::prove_import, Operation::prove_import, model::imports_write},
    {"POST", "/v1/imports/{id}/approve", Action::approve_import, Operation::review_import, model::imports_review},
    {"POST", "/v1/imports/{id}/reject", Action::reject_import, Operation::review_import, model::imports_review},
    {"GET", "/v1/keys", Action::list_keys, Operation::none, model::keys_read},
    {"GET", "/v1/keys/{id}", Action::get_key, Operation::none, model::keys_read},
    {"GET", "/v1/keys/{id}/versions", Action::list_key_versions, Operation::none, model::keys_read},
    {"POST", "/v1/keys/{id}/apply", Action::apply_key, Operation::steer_key, model::keys_write},
    {"POST", "/v1/keys/{id}/rollback", Action::rollback_key, Operation::steer_key, model::keys_write},
    {"POST", "/v1/keys/{id}/retire", Action::retire_key, Operation::steer_key, model::keys_write},
    {"POST", "/v1/keys/{id}/compromise", Action::compromise_key, Operation::steer_key, model::keys_write},
    {"POST", "/v1/keys/{id}/destroy", Action::destroy_key, Operation::steer_key, model::keys_write},
    {"POST", "/v1/wallets/imports", Action::derive_wallet, Operation::none, model::wallets_write},
    {"POST", "/v1/wallets/imports/{id}/confirm", Action::confirm_wallet, Operation::import_key, model::wallets_write},
    {"GET", "/v1/wallets", Action::list_wallets, Operation::none, model::wallets_read},
    {"GET", "/v1/wallets/{id}", Action::get_wallet, Operation::none, model::wallets_read},
    {"GET", "/v1/trial-balance", Action::get_trial_balance, Operation::none, model::accounts_read},
    {"POST", "/v1/idempotency-keys:cancel", Action::cancel_key, Operation::cancel_key, model::transfers_write},
    {"POST", "/v1/clients", Action::create_client, Operation::create_client, model::clients_admin},
    {"POST", "/v1/clients/{id}/rotate", Action::rotate_client, Operation::rotate_client, model::clients_admin},
    {"POST", "/v1/clients/{id}/revoke", Action::revoke_client, Operation::revoke_client, model::clients_admin},
    {"POST", "/v1/token", Action::get_access_token, Operation::none, std::nullopt},
    {"GET", "/v1/transfers/{id}/evidence", Action::get_transfer_evidence, Operation::none, model::transfers_read},
    {"GET", "/v1/audit/checkpoint", Action::get_checkpoint, Operation::none, std::nullopt},
    {"GET", "/.well-known/jwks.json", Action::get_own_keys, Operation::none, std::nullopt},
    {"GET", "/v1/audit/tile/entries/{tile}", Action::get_entry_bundle, Operation::none, model::audit_read},
    {"GET", "/v1/audit/tile/{tile}", Action::get_tile, Operation::none, std::nullopt},
}};

constexpr std::string_view rest_of_path = "{tile}";

// Does a template's path match? Parts in braces match any one segment, the last one all that are left.
bool matches(std::string_view path, const std::vector<std::string>& segments) {
  std::size_t at = 0;
  for (const std::string& segment : segments) {
    if (at >= path.size()) return false;
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view part = path.substr(at + 1, end - at - 1);
    if (part == rest_of_path) return true;
    if (part.front() != '{' && part != segment) return false;
    at = end;
  }
  return at == path.size();
}

std::vector<std::string> parameters_of(std::string_view path, const std::vector<std::string>& segments) {
  std::vector<std::string> parameters;
  std::size_t at = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (path.substr(at + 1) == rest_of_path) {
      std::string rest = segments[i];
      for (++i; i < segments.size(); ++i) rest.append("/").append(segments[i]);
      parameters.push_back(std::move(rest));
      break;
    }
    if (path[at + 1] == '{') parameters.push_back(segments[i]);
    at = std::min(path.find('/', at + 1), path.size());
  }
  return parameters;
}

}  // namespace

std::span<const Route> routes() { return table; }

RouteMatch find_route(std::string_view method, const std::vector<std::string>& segments) {
  if (method == "HEAD") method = "GET";
  RouteMatch match;
  bool gets = false, posts = false;
  for (const Route& route : table) {
    if (!matches(route.path, segments)) continue;
    if (route.method == method) {
      match.route = &route;
      match.parameters = parameters_of(route.path, segments);
      return match;
    }
    (route.method == "GET" ? gets : posts) = true;
  }
  if (gets)
    match.allow = posts ? "GET, HEAD, POST" : "GET, HEAD";
  else if (posts)
    match.allow = "POST";
  return match;
}

}  // namespace gate
