// The rules of values, whichever way they came in.

#include <algorithm>

#include "gate/schema.h"
#include "gate/webhook_schema.h"

namespace gate {

namespace {

constexpr const char* malformed = "request_field_malformed";
constexpr const char* out_of_range = "request_field_out_of_range";
constexpr std::size_t client_name_bytes_max = 128;
constexpr const char* rail_name_rule = "1 to 32 of a-z 0-9 -, a letter first";
constexpr std::string_view world_prefix = "world/";

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

bool is_asset(const model::Asset& asset) {
  const auto end = std::find(asset.code.begin(), asset.code.end(), '\0');
  return asset.scale <= model::asset_scale_max &&
         model::is_asset_code({asset.code.data(), static_cast<std::size_t>(end - asset.code.begin())}) &&
         std::all_of(end, asset.code.end(), [](char c) { return c == '\0'; });
}

class BodyChecker {
 public:
  BodyChecker(std::string_view prefix, Problems& problems) : prefix_(prefix), problems_(problems) {}

  void operator()(const TenantOpening& body) {
    require(is_tenant_name(body.name), "name", malformed, "1 to 64 of A-Z a-z 0-9 - . _");
  }
  void operator()(const AssetRegistration& body) { asset(body.asset, "code"); }
  void operator()(const AccountOpening& body) {
    account(body.name, "id");
    require(!body.name.starts_with(world_prefix), "id", malformed, "accounts of the world are opened with their asset");
    asset(body.asset, "asset");
    constexpr unsigned allowed = model::debits_must_not_exceed_credits | model::credits_must_not_exceed_debits;
    require((body.flags & ~allowed) == 0, "flags", out_of_range, "an account cannot be opened with these flags");
    limits(body.limits, "limits");
    metadata(body.metadata);
  }
  void operator()(const AccountFlagChange& body) {
    account(body.name, "id");
    require(body.action == FlagAction::close || body.debits || body.credits, "debits", out_of_range,
            "at least one of debits and credits must be true");
  }
  void operator()(const AccountLimitChange& body) {
    account(body.name, "id");
    limits(body.limits, "");
  }
  void operator()(const TransferRequest& body) {
    account(body.debit_account, "debit_account");
    account(body.credit_account, "credit_account");
    asset(body.asset, "asset");
    amount(body.amount, "amount");
    require(body.hold || body.hold_for.ns == 0, "hold_seconds", out_of_range,
            "only a transfer with hold: true takes this");
    whole_seconds(body.hold_for, "hold_seconds");
    reference(body.reference);
    metadata(body.metadata);
  }
  void operator()(const Capture& body) {
    transfer_id(body.hold);
    if (body.amount) amount(*body.amount, "amount");
  }
  void operator()(const Voiding& body) { transfer_id(body.hold); }
  void operator()(const RailTransferRequest& body) {
    account(body.account, body.kind == model::TransferKind::payout ? "debit_account" : "credit_account");
    asset(body.asset, "asset");
    amount(body.amount, "amount");
    require(body.rail.empty() || model::is_rail_name(body.rail), "rail", malformed, rail_name_rule);
    require(body.beneficiary.size() >= 2 && body.beneficiary.size() <= beneficiary_bytes_max,
            body.kind == model::TransferKind::payout ? "beneficiary" : "payer", out_of_range, "at most 4096 bytes");
    whole_seconds(body.send_within, "send_within_seconds");
    reference(body.reference);
    metadata(body.metadata);
  }
  void operator()(const TransferCancellation& body) { transfer_id(body.transfer); }
  void operator()(const TransferReview& body) {
    transfer_id(body.transfer);
    reason(body.reason);
  }
  void operator()(const UnknownResolution& body) {
    transfer_id(body.transfer);
    require(!body.reason.empty(), "reason", malformed, "say why, in 1 to 1000 bytes");
    reason(body.reason);
  }
  void operator()(const ExceptionDecision& body) {
    require(!body.reason.empty(), "reason", malformed, "say why, in 1 to 1000 bytes");
    reason(body.reason);
    if (body.end == model::ExceptionEnd::linked) transfer_id(body.transfer);
  }
  void operator()(const Refund& body) {
    transfer_id(body.original);
    if (body.amount) amount(*body.amount, "amount");
    reference(body.reference);
    metadata(body.metadata);
  }
  void operator()(const RailConfiguration& body) {
    require(model::is_rail_name(body.name), "name", malformed, rail_name_rule);
    asset(body.asset, "asset");
    amount(body.profile.amount_min, "amount_min");
    amount(body.profile.amount_max, "amount_max");
    amount(body.profile.cost_fixed, "cost_fixed");
    require(body.profile.cost_basis_points <= model::rail_cost_basis_points_max, "cost_basis_points", out_of_range,
            "at most 10000");
  }
  void operator()(const RailControl& body) {
    require(model::is_rail_name(body.name), "name", malformed, rail_name_rule);
    require(body.from.ns >= 0, "from", out_of_range, "an instant since 1970");
    require(body.until.ns >= 0, "until", out_of_range, "an instant since 1970");
  }
  void operator()(const KeyCancellation& body) {
    require(is_idempotency_key(body.key), "key", malformed, "1 to 255 printable ASCII characters");
    require(body.operation != model::Operation::cancel_key, "operation", out_of_range,
            "a cancellation cannot be cancelled");
  }
  void operator()(const ClientCreation& body) {
    require(!body.name.empty() && body.name.size() <= client_name_bytes_max && !has_control_character(body.name),
            "name", malformed, "1 to 128 bytes without control characters");
    require(body.scopes != 0 && (body.scopes & ~model::all_scopes) == 0, "scopes", out_of_range, "at least one scope");
  }
  void operator()(const ClientRotation& body) {
    client(body.client);
    require(body.overlap.ns >= 0 && body.overlap <= base::seconds(overlap_seconds_max), "overlap_seconds", out_of_range,
            "at most seven days");
  }
  void operator()(const ClientRevocation& body) { client(body.client); }
  void operator()(const WebhookCreation& body) {
    webhook_url(body.url);
    require(body.events != 0 && (body.events & ~model::all_webhook_events) == 0, "events", out_of_range, "at least one event type");
  }
  void operator()(const WebhookChange& body) {
    webhook(body.webhook);
    if (body.url) webhook_url(*body.url);
    require((body.events & ~model::all_webhook_events) == 0, "events", out_of_range, "event types there are");
  }
  void operator()(const WebhookRemoval& body) { webhook(body.webhook); }
  void operator()(const WebhookRotation& body) {
    webhook(body.webhook);
    require(body.overlap.ns >= 0 && body.overlap <= base::seconds(overlap_seconds_max), "overlap_seconds", out_of_range,
            "at most seven days");
  }
  void operator()(const WebhookMark& body) { webhook(body.webhook); }
  void operator()(const KeyImport& body) {
    require(model::is_rail_name(body.partner), "partner", malformed, rail_name_rule);
    require(model::is_rail_name(body.key), "key", malformed, rail_name_rule);
    require(!body.material.empty() && body.material.size() <= body_bytes_max, "material", out_of_range, "1 to 65536 bytes");
    require(body.responsible.size() <= responsible_bytes_max && !has_control_character(body.responsible), "responsible", malformed,
            "1 to 128 bytes without control characters");
    require(body.activate_at.ns >= 0, "activate_at", out_of_range, "an instant since 1970");
    whole_seconds(body.overlap, "overlap_seconds");
    require(body.captured.size() <= captured_messages_max && std::ranges::all_of(body.captured, [](const intake::Text& one) { return captured_problem(one).empty(); }),
            "captured", malformed, "at most 4 captured messages, each a document as holdfast try reads it, without key and secret");
  }
  void operator()(const ImportChallenge& body) { import(body.import); }
  void operator()(const WalletConfirmation& body) {
    require(is_wallet_import_id(body.id), "id", malformed, "not the id of a wallet import");
    require(is_wallet_address(body.address), "address", malformed, "1 to 128 printable ASCII characters without blanks");
  }
  void operator()(const ImportProof& body) {
    import(body.import);
    require(!body.signature.empty() && body.signature.size() <= signature_bytes_max, "signature", out_of_range, "1 to 2048 bytes");
  }
  void operator()(const ImportReview& body) {
    import(body.import);
    reason(body.reason);
  }
  void operator()(const KeySteering& body) {
    require(body.key != 0, "id", malformed, "not a key id");
    reason(body.reason);
  }

 private:
  void require(bool holds, std::string_view field, const char* code, const char* detail) {
    if (holds) [[likely]]
      return;
    add_problem(problems_, code, field.empty() ? std::string(prefix_) : std::string(prefix_) + "/" + std::string(field),
                detail);
  }
  void account(std::string_view name, std::string_view field) {
    require(model::is_account_name(name), field, malformed,
            "1 to 128 of A-Z a-z 0-9 - . _ ~ : @ in parts between slashes");
  }
  void asset(const model::Asset& value, std::string_view field) {
    require(is_asset(value), field, malformed, "expected CODE/SCALE, like USD/2");
  }
  void amount(base::U128 value, std::string_view field) {
    require(value <= base::amount_max, field, out_of_range, "at most 2^127 - 1");
  }
  void limits(const model::AccountLimits& value, std::string_view field) {
    const auto fits = [](const std::optional<base::U128>& bound) { return !bound || *bound <= base::amount_max; };
    require(fits(value.debit_amount_max) && fits(value.daily_debits_max) && fits(value.balance_max), field,
            out_of_range, "limits are at most 2^127 - 1");
  }
  void metadata(const base::Bytes& canonical) {
    if (canonical.empty()) return;
    require(parse_metadata(canonical).has_value(), "metadata", malformed, "not canonical metadata");
  }
  void whole_seconds(base::Duration duration, std::string_view field) {
    require(duration.ns >= 0 && duration.ns % base::seconds(1).ns == 0, field, out_of_range,
            "whole seconds, not negative");
  }
  void reference(std::string_view text) {
    require(text.size() <= reference_bytes_max && !has_control_character(text), "reference", malformed,
            "1 to 255 bytes without control characters");
  }
  void reason(std::string_view text) {
    require(text.size() <= vote_reason_bytes_max && !has_control_character(text), "reason", malformed,
            "1 to 1000 bytes without control characters");
  }
  void transfer_id(const model::TransferId& id) {
    require(id.event != 0 && id.event <= model::event_number_max, "id", malformed, "not a transfer id");
  }
  void webhook(model::WebhookNumber number) { require(number != 0, "id", malformed, "not a webhook id"); }
  void webhook_url(std::string_view url) {
    require(is_webhook_url(url), "url", malformed, "an http or https URL of at most 2000 characters, without user and fragment");
  }
  void import(model::EventNumber number) {
    require(number != 0 && number <= model::event_number_max, "id", malformed, "not an import id");
  }
  void client(model::PrincipalNumber number) { require(number != 0, "id", malformed, "not a client id"); }

  std::string_view prefix_;
  Problems& problems_;
};

}  // namespace

bool is_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= 255 &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

bool is_tenant_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

void check_body(const RequestBody& body, std::string_view prefix, Problems& problems) {
  std::visit(BodyChecker(prefix, problems), body);
}

void check_transfer(const TransferRequest& transfer, std::string_view prefix, Problems& problems) {
  BodyChecker(prefix, problems)(transfer);
}

std::string item_pointer(std::span<const TransferRequest> items, std::size_t index) {
  // Groups count as one item of the body.
  std::size_t place = 0, in_group = 0;
  for (std::size_t i = 1; i <= index; ++i) {
    const bool same_group = items[i].group != 0 && items[i].group == items[i - 1].group;
    in_group = same_group ? in_group + 1 : 0;
    if (!same_group) ++place;
  }
  std::string pointer = wire::pointer_to("/items", place);
  if (items[index].group != 0) pointer = wire::pointer_to(pointer + "/group", in_group);
  return pointer;
}

}  // namespace gate
