// Statements and exceptions in replies.

#include "edge/render_parts.h"

namespace edge {

using wire::JsonWriter;

void write_statement(JsonWriter& json, const StatementReading& statement) {
  json.member("id", std::string_view(statement.statement == 0 ? "orphans" : model::statement_id(statement.statement)));
  if (statement.statement != 0) {
    json.member("rail", std::string_view(statement.rail));
    json.member("format", model::name_of(statement.format));
    write_instant(json, "from", statement.from);
    write_instant(json, "until", statement.until);
    write_instant(json, "recorded_at", statement.recorded_at);
    json.member("complete", statement.parts == statement.parts_taken);
    json.member("compared", statement.compared);
    json.member("lines", std::uint64_t{statement.lines_total});
    json.member("lines_known_before", std::uint64_t{statement.lines_known});
    json.key("results");
    json.begin_object();
    for (std::size_t i = 1; i < statement.results.size(); ++i) {
      json.member(model::name_of(static_cast<model::LineResult>(i)), std::uint64_t{statement.results[i]});
    }
    json.end_object();
  }
  json.member("open_exceptions", std::uint64_t{statement.open_exceptions});
}

void write_exception(JsonWriter& json, const Backend& backend, const ExceptionReading& exception) {
  json.begin_object();
  json.member("id", std::string_view(model::exception_id(exception.exception)));
  json.member("rail", std::string_view(exception.rail));
  json.member("kind", model::name_of(exception.kind));
  json.member("responsible_party", model::name_of(exception.party));
  json.member("state", exception.ended_at.ns == 0 ? std::string_view("open") : model::name_of(exception.end));
  if (exception.statement != 0) json.member("statement", std::string_view(model::statement_id(exception.statement)));
  if (exception.line != 0) json.member("line", std::uint64_t{exception.line});
  if (exception.orphan) json.member("told_by_rail", true);
  if (exception.transfer != 0) write_transfer_id(json, backend, "transfer", exception.transfer);
  write_asset(json, backend, "asset", exception.asset);
  write_amount(json, "expected", exception.expected);
  write_amount(json, "stated", exception.stated);
  if (exception.line != 0) {
    json.member("direction", exception.credit ? "credit" : "debit");
    write_instant(json, "booked_at", exception.booked_at);
  }
  write_instant(json, "opened_at", exception.opened_at);
  if (exception.ended_at.ns != 0) write_instant(json, "ended_at", exception.ended_at);
  if (exception.posting != 0) write_transfer_id(json, backend, "posting", exception.posting);
  if (exception.ended_at.ns == 0 && exception.voter != 0) {
    json.member("proposed", model::name_of(exception.vote));
    json.member("proposed_by", std::string_view(model::client_id(exception.voter)));
  }
  json.end_object();
}

void write_statement_taken(JsonWriter& json, const Backend& backend, const EventAt& at, const model::StatementRecorded& event) {
  json.member("id", std::string_view(model::statement_id(event.statement == 0 ? at.number : event.statement)));
  json.member("rail", std::string_view(backend.rail_name(event.rail)));
  json.member("format", model::name_of(event.format));
  write_instant(json, "from", event.from);
  write_instant(json, "until", event.until);
  json.member("lines", std::uint64_t{event.lines_total});
  json.member("taken_before", event.repeated);
  write_instant(json, "recorded_at", at.event.at);
}

void write_exception_voice(JsonWriter& json, const EventAt& at, const model::ExceptionVoted& event) {
  json.member("id", std::string_view(model::exception_id(event.exception)));
  json.member("resolution", model::name_of(event.end));
  json.member("people", std::uint64_t{event.counted});
  json.member("people_needed", std::uint64_t{event.needed});
  bool resolved = false;
  for (const model::Event& other : at.source.entry.events) {
    const auto* end = std::get_if<model::ExceptionResolved>(&other.body);
    resolved = resolved || (end != nullptr && end->exception == event.exception);
  }
  json.member("state", resolved ? model::name_of(event.end) : std::string_view("open"));
  write_instant(json, "decided_at", at.event.at);
}

}  // namespace edge
