#include "gate/scope.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace gate {

namespace {

constexpr std::array<std::pair<model::Scope, std::string_view>, 22> scope_names = {{
    {model::accounts_read, "accounts:read"},
    {model::accounts_write, "accounts:write"},
    {model::transfers_read, "transfers:read"},
    {model::transfers_write, "transfers:write"},
    {model::assets_write, "assets:write"},
    {model::accounts_control, "accounts:control"},
    {model::clients_admin, "clients:admin"},
    {model::metrics_read, "metrics:read"},
    {model::operate, "operate"},
    {model::audit_read, "audit:read"},
    {model::imports_read, "imports:read"},
    {model::imports_write, "imports:write"},
    {model::transfers_review, "transfers:review"},
    {model::transfers_resolve, "transfers:resolve"},
    {model::rails_write, "rails:write"},
    {model::reconcile_write, "reconciliation:write"},
    {model::webhooks_write, "webhooks:write"},
    {model::imports_review, "imports:review"},
    {model::keys_read, "keys:read"},
    {model::keys_write, "keys:write"},
    {model::wallets_read, "wallets:read"},
    {model::wallets_write, "wallets:write"},
}};
static_assert(model::all_scopes == (1u << scope_names.size()) - 1, "every scope has a name");

constexpr std::array<std::pair<model::Operation, std::string_view>, 32> operation_names = {{
    {model::Operation::open_tenant, "open_tenant"},
    {model::Operation::register_asset, "register_asset"},
    {model::Operation::open_account, "open_account"},
    {model::Operation::change_account_flags, "change_account_flags"},
    {model::Operation::set_account_limits, "set_account_limits"},
    {model::Operation::create_transfer, "create_transfer"},
    {model::Operation::capture_hold, "capture_hold"},
    {model::Operation::void_hold, "void_hold"},
    {model::Operation::cancel_key, "cancel_key"},
    {model::Operation::record_batch, "record_batch"},
    {model::Operation::create_client, "create_client"},
    {model::Operation::rotate_client, "rotate_client"},
    {model::Operation::revoke_client, "revoke_client"},
    {model::Operation::configure_rail, "configure_rail"},
    {model::Operation::control_rail, "control_rail"},
    {model::Operation::create_payout, "create_payout"},
    {model::Operation::create_collect, "create_collect"},
    {model::Operation::cancel_transfer, "cancel_transfer"},
    {model::Operation::review_transfer, "review_transfer"},
    {model::Operation::resolve_unknown, "resolve_unknown"},
    {model::Operation::refund_transfer, "refund_transfer"},
    {model::Operation::record_statement, "record_statement"},
    {model::Operation::resolve_exception, "resolve_exception"},
    {model::Operation::create_webhook, "create_webhook"},
    {model::Operation::change_webhook, "change_webhook"},
    {model::Operation::remove_webhook, "remove_webhook"},
    {model::Operation::rotate_webhook, "rotate_webhook"},
    {model::Operation::import_key, "import_key"},
    {model::Operation::challenge_import, "challenge_import"},
    {model::Operation::prove_import, "prove_import"},
    {model::Operation::review_import, "review_import"},
    {model::Operation::steer_key, "steer_key"},
}};

}  // namespace

std::string_view to_text(model::Scope scope) {
  for (const auto& [known, name] : scope_names) {
    if (known == scope) return name;
  }
  CHECK_THAT(false, "a scope without a name");
}

std::optional<model::Scope> parse_scope(std::string_view text) {
  for (const auto& [scope, name] : scope_names) {
    if (name == text) return scope;
  }
  return std::nullopt;
}

std::vector<std::string_view> to_texts(model::Scopes scopes) {
  std::vector<std::string_view> texts;
  for (const auto& [scope, name] : scope_names) {
    if ((scopes & scope) != 0) texts.push_back(name);
  }
  return texts;
}

std::string_view to_text(model::Operation operation) {
  for (const auto& [known, name] : operation_names) {
    if (known == operation) return name;
  }
  CHECK_THAT(false, "an operation that no client can send has no name");
}

std::optional<model::Operation> parse_operation(std::string_view text) {
  for (const auto& [operation, name] : operation_names) {
    if (name == text) return operation;
  }
  return std::nullopt;
}

}  // namespace gate
