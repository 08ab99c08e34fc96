#pragma once
// Pieces of replies that several resources share. Private to this room.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "edge/render.h"
#include "wire/json_writer.h"

namespace edge {

void write_amount(wire::JsonWriter& json, std::string_view name, base::U128 amount);
void write_instant(wire::JsonWriter& json, std::string_view name, base::Instant instant);
/// Left out where nobody knows the number any more.
void write_asset(wire::JsonWriter& json, const Backend& backend, std::string_view name, model::AssetNumber number);
/// An account's id; null where it is not known.
void write_account(wire::JsonWriter& json, const Backend& backend, std::string_view name, model::AccountNumber number);
/// Members of the object that is open: the four counters and `available`.
void write_counters(wire::JsonWriter& json, const model::Counters& counters);
void write_flags(wire::JsonWriter& json, model::AccountFlags flags);
void write_limits(wire::JsonWriter& json, const model::AccountLimits& limits);
void write_scopes(wire::JsonWriter& json, model::Scopes scopes);
/// Left out where there is none.
void write_metadata(wire::JsonWriter& json, base::ByteView canonical);
void write_transfer_id(wire::JsonWriter& json, const Backend& backend, std::string_view name, model::EventNumber event);
/// The number of an event as a position.
void write_position(wire::JsonWriter& json, const Backend& backend, std::string_view name, model::EventNumber event);

/// The private value of an event; nothing if it has none or it was erased.
std::optional<base::ByteView> private_value(const EntryWithPrivates& source, model::EventNumber event,
                                            model::PrivateField field);

/// The event an item points to, and its number.
struct EventAt {
  const EntryWithPrivates& source;
  const model::Event& event;
  model::EventNumber number;
};
EventAt event_of(const AnswerItem& item);

/// The members every problem begins with, in the object that is open.
void write_problem_head(wire::JsonWriter& json, const model::OutcomeRow& row, std::string_view detail);
/// The members every problem ends with.
void write_problem_tail(wire::JsonWriter& json, const base::Tag128& trace, std::span<const wire::FieldProblem> fields);

/// Members of a transfer in the object that is open: what created it, and what resolved it or null.
void write_transfer(wire::JsonWriter& json, const Backend& backend, const EventAt& created, gate::TransferState state,
                    const EventAt* resolved);
/// Members of the reply to a capture or void.
void write_resolution(wire::JsonWriter& json, const Backend& backend, const EventAt& at,
                      const model::HoldResolved& end);
/// Members of one line of an account's history.
void write_posting(wire::JsonWriter& json, const Backend& backend, const EventAt& at, model::AccountNumber account);
/// The transfer over a rail whose step an event is; 0 if it is none. `number` is the event's own.
model::EventNumber saga_of(const model::EventBody& body, model::EventNumber number);
/// Members of a transfer over a rail: its request, and the steps after it that are known, ascending.
void write_saga(wire::JsonWriter& json, const Backend& backend, std::span<const EventAt> steps);
/// The same as far as the entry of its request tells.
void write_requested(wire::JsonWriter& json, const Backend& backend, const EventAt& at);
/// Members of the reply to a cancellation, a review or a resolution: where the transfer is now.
void write_decision(wire::JsonWriter& json, const Backend& backend, const EventAt& at, model::EventNumber transfer);
void write_rail_configured(wire::JsonWriter& json, const Backend& backend, const EventAt& at,
                           const model::RailConfigured& rail);
void write_rail_controlled(wire::JsonWriter& json, const Backend& backend, const EventAt& at,
                           const model::RailControlled& rail);
/// An object.
void write_statement(wire::JsonWriter& json, const StatementReading& statement);
void write_exception(wire::JsonWriter& json, const Backend& backend, const ExceptionReading& exception);
/// A part of a statement that was taken; a voice about an exception, and what it led to.
void write_statement_taken(wire::JsonWriter& json, const Backend& backend, const EventAt& at, const model::StatementRecorded& event);
void write_exception_voice(wire::JsonWriter& json, const EventAt& at, const model::ExceptionVoted& event);
void write_rail_reading(wire::JsonWriter& json, const Backend& backend, const RailReading& rail);
/// Members of the reply to a new endpoint, and of the others about endpoints. `secret` is empty in a replay.
void write_webhook_created(wire::JsonWriter& json, const EventAt& at, const model::WebhookCreated& webhook, std::string_view secret);
void write_webhook_rotated(wire::JsonWriter& json, const EventAt& at, const model::WebhookRotated& webhook, std::string_view secret);
void write_webhook_changed(wire::JsonWriter& json, const EventAt& at, const model::WebhookChanged& webhook);
void write_webhook_removed(wire::JsonWriter& json, const EventAt& at, const model::WebhookRemoved& webhook);
/// Objects.
void write_webhook_reading(wire::JsonWriter& json, const WebhookReading& webhook);
void write_delivery(wire::JsonWriter& json, const Backend& backend, const DeliveryReading& attempt);
void write_webhook_test(wire::JsonWriter& json, const WebhookTestReading& test);
/// The import that an entry took in, and its number; null if it took none.
const model::ImportReceived* received_in(const model::Entry& entry, model::EventNumber& number);
/// Members of the reply to an import: what it is, or the problem that the doctor found.
Rendered write_import_taken(wire::JsonWriter& json, const EventAt& at, const model::ImportReceived& event);
void write_challenge(wire::JsonWriter& json, const Backend& backend, const model::ImportChallenged& event);
/// Members of the reply to a proof or a person's word about an import; of one about a key.
void write_import_step(wire::JsonWriter& json, const EventAt& at, model::EventNumber import);
void write_key_step(wire::JsonWriter& json, const EventAt& at, model::KeyNumber key);
/// Objects.
void write_import_reading(wire::JsonWriter& json, const ImportReading& reading);
void write_key_reading(wire::JsonWriter& json, const KeyReading& key);
void write_version_reading(wire::JsonWriter& json, const KeyVersionReading& version);
/// Objects: what was derived of a wallet, or the problem that nothing could be; a wallet that is watched.
Rendered write_wallet_derivation(wire::JsonWriter& json, const base::Tag128& trace, const WalletDerivationReading& reading);
void write_wallet_reading(wire::JsonWriter& json, const WalletReading& wallet);
/// Members of the problem an event recorded.
void write_refused(wire::JsonWriter& json, const Backend& backend, const EventAt& at, const model::Refused& refused);

/// Writes the members of one item (resource or problem) into the object that is open.
Rendered write_item(wire::JsonWriter& json, const RenderContext& context, const AnswerItem& item);

}  // namespace edge
