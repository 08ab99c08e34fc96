#include "node/webhook_messages.h"

#include "base/instant.h"
#include "gate/request_body.h"
#include "node/one_answer.h"
#include "wire/json_writer.h"

namespace node {

namespace {

using model::TransferState;
using model::WebhookEvent;

constexpr model::PartitionNumber partition = 0;

std::optional<WebhookEvent> event_of_move(const model::TransferMoved& move) {
  // A recall that failed leads back to settled: that is old news.
  if (move.from == TransferState::reversing && move.to == TransferState::settled) return std::nullopt;
  switch (move.to) {
    case TransferState::reviewing: return WebhookEvent::transfer_reviewing;
    case TransferState::parked: return WebhookEvent::transfer_parked;
    case TransferState::accepted: return WebhookEvent::transfer_accepted;
    case TransferState::outcome_unknown: return WebhookEvent::transfer_outcome_unknown;
    case TransferState::manual_review: return WebhookEvent::transfer_manual_review;
    case TransferState::settled: return WebhookEvent::transfer_settled;
    case TransferState::failed: return WebhookEvent::transfer_failed;
    case TransferState::returned: return WebhookEvent::transfer_returned;
    case TransferState::rejected: return WebhookEvent::transfer_rejected;
    case TransferState::cancelled: return WebhookEvent::transfer_cancelled;
    case TransferState::reversed: return WebhookEvent::transfer_reversed;
    default: return std::nullopt;
  }
}

// The states in which somebody has to do something, or nobody any more.
std::optional<WebhookEvent> event_of_import(model::ImportState state) {
  switch (state) {
    case model::ImportState::waiting: return WebhookEvent::import_waiting;
    case model::ImportState::active: return WebhookEvent::import_active;
    case model::ImportState::rejected: return WebhookEvent::import_rejected;
    case model::ImportState::manual_review: return WebhookEvent::import_manual_review;
    default: return std::nullopt;
  }
}

// By what was asked: the event shows pause and window as they are then, whichever of the two was meant. A window alone neither pauses
// nor resumes.
std::optional<WebhookEvent> event_of_control(const model::CommandBody& command) {
  const auto* control = std::get_if<model::ControlRail>(&command);
  if (control == nullptr) return std::nullopt;
  if (control->paused) return WebhookEvent::rail_paused;
  const bool window = control->maintenance_from.ns != 0 || control->maintenance_until.ns != 0;
  return window ? std::nullopt : std::optional(WebhookEvent::rail_resumed);
}

std::string decimal(base::U128 amount) { return base::to_decimal(amount); }

}  // namespace

std::optional<WebhookEvent> webhook_event_of(const model::Entry& entry, std::size_t index) {
  const model::EventBody& body = entry.events[index].body;
  if (const auto* move = std::get_if<model::TransferMoved>(&body)) return event_of_move(*move);
  if (std::holds_alternative<model::TransferPosted>(body)) {
    // Postings of sagas are told by what they mean.
    const bool plain = std::holds_alternative<model::CreateTransfer>(entry.command.body);
    const bool refund = index == 0 && std::holds_alternative<model::RefundTransfer>(entry.command.body);
    return plain || refund ? std::optional(WebhookEvent::transfer_posted) : std::nullopt;
  }
  if (std::holds_alternative<model::TransferRequested>(body)) return WebhookEvent::transfer_requested;
  if (std::holds_alternative<model::AgeAlarmRaised>(body)) return WebhookEvent::transfer_overdue;
  if (std::holds_alternative<model::CaseOpened>(body)) return WebhookEvent::case_opened;
  if (std::holds_alternative<model::RailControlled>(body)) return event_of_control(entry.command.body);
  if (const auto* moved = std::get_if<model::ImportMoved>(&body)) return event_of_import(moved->to);
  if (const auto* moved = std::get_if<model::KeyVersionMoved>(&body)) {
    return moved->from == moved->to ? std::nullopt : std::optional(WebhookEvent::key_changed);
  }
  if (std::holds_alternative<model::KeyExpiryWarned>(body)) return WebhookEvent::key_expiring;
  return std::nullopt;
}

// A message in the making: the members of `data` go to `json`.
struct WebhookMessages::Story {
  const model::Entry& entry;
  std::size_t index;
  model::TenantNumber tenant;
  bool personal;
  wire::JsonWriter& json;

  const model::EventBody& body() const { return entry.events[index].body; }
  model::EventNumber number() const { return entry.first_event + index; }
};

base::Result<const WebhookMessages::Rail*> WebhookMessages::rail(model::RailNumber number) {
  if (number > rails_.size()) {
    OneAnswer sink;
    Question question;
    question = AskState{};   // a Question made of it at once is a false alarm of GCC 12 under sanitizers
    const base::Error silent{core_takes_no_questions, "what the rail is called cannot be asked now"};
    if (service_.pipeline().submit({.content = std::move(question), .sink = &sink, .token = 0}) != model::Outcome::done) return silent;
    const Answer answer = sink.wait();
    const auto* found = std::get_if<StateFound>(&answer.finding);
    if (found == nullptr) return silent;
    const auto& rails = found->state->sagas.rails;
    for (std::size_t i = rails_.size(); i < rails.size(); ++i) {
      rails_.push_back({rails[i].tenant, std::string(model::to_text(core::name_of(rails[i])))});
    }
  }
  return number != 0 && number <= rails_.size() ? &rails_[number - 1u] : static_cast<const Rail*>(nullptr);
}

bool WebhookMessages::is_of(model::TenantNumber tenant, model::AssetNumber asset) const {
  const auto known = service_.asset(asset);
  return known && service_.asset_number(tenant, *known) == asset;
}

base::Status WebhookMessages::write_rail_name(Story& story, model::RailNumber number) {
  if (number == 0) return base::ok();
  TRY_ASSIGN(const Rail* const known, rail(number));
  if (known != nullptr) story.json.member("rail", std::string_view(known->name));
  return base::ok();
}

base::Status WebhookMessages::write_personal(Story& story, model::EventNumber event, bool reference, bool metadata) {
  if (!story.personal) return base::ok();
  if (reference) {
    TRY_ASSIGN(const auto value, service_.reader().read_private(event, model::PrivateField::transfer_reference));
    if (value && !value->erased) story.json.member("reference", base::as_text(value->value));
  }
  if (metadata) {
    TRY_ASSIGN(const auto value, service_.reader().read_private(event, model::PrivateField::transfer_metadata));
    const auto pairs = value && !value->erased ? gate::parse_metadata(value->value) : std::nullopt;
    if (pairs) {
      story.json.key("metadata");
      story.json.begin_object();
      for (const auto& [key, text] : *pairs) story.json.member(key, text);
      story.json.end_object();
    }
  }
  return base::ok();
}

base::Result<bool> WebhookMessages::write_posted(Story& story, const model::TransferPosted& posted) {
  if (!is_of(story.tenant, posted.asset)) return false;
  wire::JsonWriter& json = story.json;
  json.member("id", std::string_view(model::transfer_id(partition, story.number())));
  json.member("kind", "internal");
  json.member("state", "posted");
  json.member("debit_account", service_.directory().name_of(posted.debit.account));
  json.member("credit_account", service_.directory().name_of(posted.credit.account));
  json.member("asset", std::string_view(model::to_text(*service_.asset(posted.asset))));
  json.member("amount", std::string_view(decimal(posted.amount)));
  TRY(write_personal(story, story.number(), posted.reference.has_value(), posted.metadata.has_value()));
  return true;
}

base::Result<bool> WebhookMessages::write_saga(Story& story, model::EventNumber transfer) {
  // Its request is in this entry, or in one of its own.
  model::Entry other;
  const model::Entry* holder = &story.entry;
  if (transfer < story.entry.first_event) {
    TRY_ASSIGN(const store::StoredEntry stored, service_.reader().read_entry(transfer));
    TRY_ASSIGN(other, model::decode_entry(stored.bytes, stored.first_event));
    holder = &other;
  }
  const auto* request = std::get_if<model::TransferRequested>(&holder->events[transfer - holder->first_event].body);
  if (request == nullptr || !is_of(story.tenant, request->asset)) return false;
  wire::JsonWriter& json = story.json;
  const auto* move = std::get_if<model::TransferMoved>(&story.body());
  const auto* alarm = std::get_if<model::AgeAlarmRaised>(&story.body());
  const auto* opened = std::get_if<model::CaseOpened>(&story.body());
  json.member("id", std::string_view(model::transfer_id(partition, transfer)));
  json.member("kind", model::name_of(request->kind));
  const bool is_request = move == nullptr && alarm == nullptr && opened == nullptr;
  if (is_request) json.member("state", model::name_of(TransferState::requested));
  if (move != nullptr) {
    json.member("state", model::name_of(move->to));
    json.member("previous_state", model::name_of(move->from));
    if (move->reason != model::RailReason::none) json.member("reason", model::row_of(move->reason).name);
    TRY(write_rail_name(story, move->rail));
  }
  if (alarm != nullptr) {
    json.member("state", model::name_of(alarm->state));
    json.member("since", std::string_view(base::to_rfc3339(alarm->since)));
  }
  if (opened != nullptr) {
    json.member("case", model::name_of(opened->kind));
    json.member("case_amount", std::string_view(decimal(opened->amount)));
    TRY(write_rail_name(story, opened->rail));
  }
  const bool out = request->kind == model::TransferKind::payout;
  json.member(out ? "debit_account" : "credit_account", service_.directory().name_of(request->account));
  json.member("asset", std::string_view(model::to_text(*service_.asset(request->asset))));
  json.member("amount", std::string_view(decimal(request->amount)));
  if (request->original != 0) json.member("refund_of", std::string_view(model::transfer_id(partition, request->original)));
  TRY(write_personal(story, transfer, request->reference.has_value(), request->metadata.has_value()));
  return true;
}

base::Result<bool> WebhookMessages::write_rail(Story& story, const model::RailControlled& control) {
  TRY_ASSIGN(const Rail* const known, rail(control.rail));
  if (known == nullptr || known->tenant != story.tenant) return false;
  story.json.member("name", std::string_view(known->name));
  story.json.member("paused", control.paused);
  if (control.maintenance_until.ns != 0) {
    story.json.member("maintenance_from", std::string_view(base::to_rfc3339(control.maintenance_from)));
    story.json.member("maintenance_until", std::string_view(base::to_rfc3339(control.maintenance_until)));
  }
  return true;
}

bool WebhookMessages::write_key_name(Story& story, model::KeyNumber number) {
  const auto registry = service_.pipeline().registry();
  const core::KeyRecord* key = registry->key(number);
  if (key == nullptr || key->tenant != story.tenant) return false;
  story.json.member("key_id", std::string_view(model::key_id(number)));
  story.json.member("partner", model::to_text(registry->partners[key->partner - 1].name));
  story.json.member("key", model::to_text(key->name));
  return true;
}

// An import that the doctor refused has no key; its names are in its own entry.
bool WebhookMessages::write_import(Story& story, const model::ImportMoved& moved) {
  const auto registry = service_.pipeline().registry();
  const core::ImportRecord* import = registry->import(moved.import);
  if (import != nullptr) {
    if (!write_key_name(story, import->key)) return false;
  } else {
    const std::size_t place = static_cast<std::size_t>(moved.import - story.entry.first_event);
    const auto* received = place < story.index ? std::get_if<model::ImportReceived>(&story.entry.events[place].body) : nullptr;
    if (received == nullptr || received->tenant != story.tenant) return false;
    story.json.member("partner", model::to_text(received->partner_name));
    story.json.member("key", model::to_text(received->key_name));
  }
  story.json.member("import", std::string_view(model::import_id(moved.import)));
  story.json.member("state", model::to_text(moved.to));
  story.json.member("cause", model::to_text(moved.cause));
  if (moved.due.ns != 0) story.json.member("waits_until", std::string_view(base::to_rfc3339(moved.due)));
  return true;
}

bool WebhookMessages::write_version(Story& story, const model::KeyVersionMoved& moved) {
  if (!write_key_name(story, moved.key)) return false;
  story.json.member("version", std::uint64_t{moved.version});
  story.json.member("from", model::to_text(moved.from));
  story.json.member("state", model::to_text(moved.to));
  story.json.member("cause", model::to_text(moved.cause));
  if (moved.due.ns != 0) story.json.member("due_at", std::string_view(base::to_rfc3339(moved.due)));
  return true;
}

bool WebhookMessages::write_expiry(Story& story, const model::KeyExpiryWarned& warned) {
  if (!write_key_name(story, warned.key)) return false;
  story.json.member("version", std::uint64_t{warned.version});
  story.json.member("days_left", std::uint64_t{warned.days});
  story.json.member("not_after", std::string_view(base::to_rfc3339(warned.not_after)));
  return true;
}

base::Result<std::optional<std::string>> WebhookMessages::body(const model::Entry& entry, std::size_t index, model::WebhookEvent type,
                                                               model::TenantNumber tenant, bool personal) {
  std::string text;
  wire::JsonWriter json(text);
  Story story{entry, index, tenant, personal, json};
  json.begin_object();
  json.member("type", model::to_text(type));
  json.member("timestamp", std::string_view(base::to_rfc3339(entry.events[index].at)));
  json.key("data");
  json.begin_object();
  bool theirs = false;
  if (const auto* posted = std::get_if<model::TransferPosted>(&story.body())) {
    TRY_ASSIGN(theirs, write_posted(story, *posted));
  } else if (const auto* control = std::get_if<model::RailControlled>(&story.body())) {
    TRY_ASSIGN(theirs, write_rail(story, *control));
  } else if (const auto* import = std::get_if<model::ImportMoved>(&story.body())) {
    theirs = write_import(story, *import);
  } else if (const auto* version = std::get_if<model::KeyVersionMoved>(&story.body())) {
    theirs = write_version(story, *version);
  } else if (const auto* warned = std::get_if<model::KeyExpiryWarned>(&story.body())) {
    theirs = write_expiry(story, *warned);
  } else {
    model::EventNumber transfer = story.number();
    if (const auto* move = std::get_if<model::TransferMoved>(&story.body())) transfer = move->transfer;
    if (const auto* alarm = std::get_if<model::AgeAlarmRaised>(&story.body())) transfer = alarm->transfer;
    if (const auto* opened = std::get_if<model::CaseOpened>(&story.body())) transfer = opened->transfer;
    TRY_ASSIGN(theirs, write_saga(story, transfer));
  }
  if (!theirs) return std::optional<std::string>();
  json.end_object();
  json.end_object();
  return std::optional(std::move(text));
}

std::string WebhookMessages::test_body(model::WebhookNumber webhook, base::Instant now) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("type", "webhook.test");
  json.member("timestamp", std::string_view(base::to_rfc3339(now)));
  json.key("data");
  json.begin_object();
  json.member("webhook", std::string_view(model::webhook_id(webhook)));
  json.end_object();
  json.end_object();
  return text;
}

}  // namespace node
