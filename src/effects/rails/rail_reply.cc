#include "effects/rails/rail_reply.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "wire/json_writer.h"
#include "wire/structured_field.h"

namespace effects {

using model::RailReason;
using model::RailResult;

namespace {

constexpr std::size_t rail_reference_bytes_max = 128;

constexpr std::array<std::string_view, 5> state_names = {"accepted", "settled", "rejected", "returned", "voided"};

// docs/rail-protocol.md, "Refusals". A refusal that is not here leaves the outcome open.
constexpr std::array<RefusalMeaning, 22> refusals = {{
    {"rate_limited", RailResult::rejected, RailReason::rate_limited},
    {"rail_busy", RailResult::rejected, RailReason::rail_busy},
    {"rail_in_maintenance", RailResult::rejected, RailReason::rail_in_maintenance},
    {"beneficiary_account_invalid", RailResult::rejected, RailReason::beneficiary_account_invalid},
    {"beneficiary_account_closed", RailResult::rejected, RailReason::beneficiary_account_closed},
    {"beneficiary_refused", RailResult::rejected, RailReason::beneficiary_refused},
    {"payer_refused", RailResult::rejected, RailReason::payer_refused},
    {"insufficient_funds_at_rail", RailResult::rejected, RailReason::insufficient_funds_at_rail},
    {"insufficient_funds_of_payer", RailResult::rejected, RailReason::insufficient_funds_of_payer},
    {"amount_below_minimum", RailResult::rejected, RailReason::amount_below_minimum},
    {"amount_above_maximum", RailResult::rejected, RailReason::amount_above_maximum},
    {"asset_not_supported", RailResult::rejected, RailReason::asset_not_supported},
    {"country_not_supported", RailResult::rejected, RailReason::country_not_supported},
    {"compliance_refused", RailResult::rejected, RailReason::compliance_refused},
    {"signature_refused", RailResult::rejected, RailReason::signature_refused},
    {"credentials_refused", RailResult::rejected, RailReason::credentials_refused},
    {"request_not_understood", RailResult::rejected, RailReason::request_not_understood},
    {"original_not_refundable", RailResult::rejected, RailReason::other},
    {"valid_until_passed", RailResult::not_sent, RailReason::send_deadline_passed},
    {"reference_voided", RailResult::not_sent, RailReason::tombstoned},
    {"reference_reused", RailResult::unknown, RailReason::duplicate_reference},
    {"payment_not_found", RailResult::unknown, RailReason::not_found_at_rail},
}};

RailAnswer unknown(RailReason reason, std::string detail) {
  RailAnswer answer;
  answer.result = RailResult::unknown;
  answer.reason = reason;
  answer.detail = std::move(detail);
  return answer;
}

std::optional<std::string_view> text_of(wire::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string() : std::nullopt;
}

/// Absent and null are empty; another kind is nothing.
std::optional<std::string> optional_text(wire::JsonValue object, std::string_view name, std::size_t bytes_max) {
  const auto member = object.find(name);
  if (!member || member->is_null()) return std::string();
  const auto text = member->string();
  if (!text || text->size() > bytes_max) return std::nullopt;
  return std::string(*text);
}

bool has_type(const wire::Response& response, std::string_view wanted) {
  const auto field = response.headers.find("content-type");
  const auto type = field ? wire::parse_media_type(*field) : std::nullopt;
  return type && type->type == wanted;
}

/// A 4xx: a problem+json whose code the protocol knows, and which speaks of our reference if of any.
RailAnswer judge_refusal(RailQuestion question, const std::string& reference, const wire::Response& response) {
  const std::string status = "the rail answered " + std::to_string(response.status);
  if (!has_type(response, "application/problem+json")) return unknown(RailReason::reply_malformed, status + " without a problem document");
  const auto document = wire::parse_json(base::as_bytes(response.body));
  if (!document.ok() || !document->root().is_object()) return unknown(RailReason::reply_malformed, status + " with a text that is not JSON");
  const wire::JsonValue problem = document->root();
  const auto code = text_of(problem, "code");
  const auto meaning = code ? meaning_of_refusal(*code) : std::nullopt;
  if (!meaning) return unknown(RailReason::reply_malformed, status + " with a code the protocol does not have");
  const auto stated = problem.find("reference");
  if (stated && stated->string() != reference) return unknown(RailReason::reply_contradicts_request, status + " about another reference");
  RailAnswer answer;
  answer.reason = meaning->reason;
  answer.detail = status + " " + std::string(meaning->code);
  // A question that was refused says nothing about the payment, unless it says that there will never be one.
  answer.result = question == RailQuestion::send || meaning->code == "reference_voided" ? meaning->result : RailResult::unknown;
  // No send is "not found"; and a rail that says so to one has not refused it.
  if (question == RailQuestion::send && meaning->code == "payment_not_found") answer.reason = RailReason::reply_contradicts_request;
  return answer;
}

RailAnswer judge_payment(const std::string& reference, const Rail::Expected& expected, const wire::Response& response) {
  const std::string status = "the rail answered " + std::to_string(response.status);
  const bool json = has_type(response, "application/json"), problem = has_type(response, "application/problem+json");
  if (!json && !problem) return unknown(RailReason::reply_malformed, status + " without a JSON document");
  const auto document = wire::parse_json(base::as_bytes(response.body));
  if (!document.ok()) return unknown(RailReason::reply_malformed, status + " with a text that is not JSON");
  const wire::JsonValue root = document->root();
  if (problem || (root.is_object() && root.find("code"))) return unknown(RailReason::reply_contradicts_request, status + " with the text of a refusal");
  const auto payment = read_rail_payment(root);
  if (!payment) return unknown(RailReason::reply_malformed, status + " with something that is not a payment");
  RailAnswer answer = answer_of(*payment);
  const char* contradiction = payment->reference != reference       ? "another reference"
                              : payment->kind != expected.kind       ? "another kind of payment"
                              : payment->asset != expected.asset     ? "another asset"
                              : payment->amount != expected.amount   ? "another amount"
                                                                     : nullptr;
  // A reference that was voided before anything was sent has no amount to compare.
  if (payment->state == RailPaymentState::voided && payment->reference == reference) contradiction = nullptr;
  if (contradiction != nullptr) {
    answer.result = RailResult::unknown;
    answer.reason = RailReason::reply_contradicts_request;
    answer.detail = std::string("the rail speaks of ") + contradiction;
  }
  return answer;
}

}  // namespace

std::string_view to_text(RailPaymentState state) { return state_names[static_cast<std::size_t>(state)]; }

std::optional<RailPaymentState> parse_rail_payment_state(std::string_view text) {
  const auto found = std::ranges::find(state_names, text);
  if (found == state_names.end()) return std::nullopt;
  return static_cast<RailPaymentState>(found - state_names.begin());
}

std::string_view to_text(model::TransferKind kind) {
  switch (kind) {
    case model::TransferKind::payout:
      return "payout";
    case model::TransferKind::collect:
      return "collect";
    case model::TransferKind::recall:
      return "recall";
  }
  return "payout";
}

std::optional<model::TransferKind> parse_transfer_kind(std::string_view text) {
  for (const auto kind : {model::TransferKind::payout, model::TransferKind::collect, model::TransferKind::recall}) {
    if (to_text(kind) == text) return kind;
  }
  return std::nullopt;
}

std::optional<RailPayment> read_rail_payment(wire::JsonValue value) {
  if (!value.is_object()) return std::nullopt;
  const auto reference = text_of(value, "reference");
  const auto kind = text_of(value, "kind");
  const auto state = text_of(value, "state");
  const auto amount = text_of(value, "amount");
  const auto asset = text_of(value, "asset");
  auto payment = optional_text(value, "payment", rail_reference_bytes_max);
  auto reason = optional_text(value, "reason", 64);
  if (!reference || !kind || !state || !amount || !asset || !payment || !reason) return std::nullopt;
  const auto known_state = parse_rail_payment_state(*state);
  const auto known_kind = parse_transfer_kind(*kind);
  const auto number = base::parse_decimal(*amount);
  if (!known_state || !known_kind || !number || asset->size() > 32) return std::nullopt;
  return RailPayment{.reference = std::string(*reference),
                     .payment = std::move(*payment),
                     .kind = *known_kind,
                     .state = *known_state,
                     .reason = std::move(*reason),
                     .amount = *number,
                     .asset = std::string(*asset)};
}

void write_rail_payment(const RailPayment& payment, std::string& out) {
  wire::JsonWriter json(out);
  const auto optional = [&](std::string_view name, const std::string& text) {
    json.key(name);
    if (text.empty()) {
      json.null();
    } else {
      json.string(text);
    }
  };
  json.begin_object();
  json.member("reference", std::string_view(payment.reference));
  optional("payment", payment.payment);
  json.member("kind", to_text(payment.kind));
  json.member("state", to_text(payment.state));
  optional("reason", payment.reason);
  json.member("amount", std::string_view(base::to_decimal(payment.amount)));
  json.member("asset", std::string_view(payment.asset));
  json.end_object();
}

RailAnswer answer_of(const RailPayment& payment) {
  RailAnswer answer;
  answer.rail_reference = payment.payment;
  answer.amount = payment.amount;
  answer.asset = payment.asset;
  switch (payment.state) {
    case RailPaymentState::accepted:
      answer.result = RailResult::accepted;
      break;
    case RailPaymentState::settled:
      answer.result = RailResult::settled;
      break;
    case RailPaymentState::rejected: {
      answer.result = RailResult::rejected;
      const auto meaning = meaning_of_refusal(payment.reason);
      // Only what a refusal can be is a reason of one: a "rejected" for, say, a lost reply is no licence to go elsewhere.
      answer.reason = meaning && meaning->result == RailResult::rejected ? meaning->reason : RailReason::other;
      break;
    }
    case RailPaymentState::returned: {
      answer.result = RailResult::rejected;
      answer.reason = payment.reason == "payer_refused" ? RailReason::payer_refused : RailReason::returned_by_beneficiary_bank;
      break;
    }
    case RailPaymentState::voided:
      answer.result = RailResult::not_sent;
      answer.reason = RailReason::tombstoned;
      break;
  }
  answer.detail = "the rail says " + std::string(to_text(payment.state));
  return answer;
}

std::optional<RefusalMeaning> meaning_of_refusal(std::string_view code) {
  const auto found = std::ranges::find(refusals, code, &RefusalMeaning::code);
  if (found == refusals.end()) return std::nullopt;
  return *found;
}

RailAnswer judge_reply(RailQuestion question, const std::string& reference, const Rail::Expected& expected, const wire::Response& response) {
  RailAnswer answer;
  if (response.status == 200 || response.status == 201) {
    answer = judge_payment(reference, expected, response);
  } else if (response.status >= 400 && response.status < 500) {
    answer = judge_refusal(question, reference, response);
  } else if (response.status >= 500) {
    answer = unknown(RailReason::rail_internal_error, "the rail answered " + std::to_string(response.status));
  } else {
    answer = unknown(RailReason::reply_malformed, "the rail answered " + std::to_string(response.status));
  }
  answer.body = crypto::sha256(base::as_bytes(response.body));
  return answer;
}

}  // namespace effects
