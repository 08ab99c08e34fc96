// Imports, keys of partners and their versions.

#include <algorithm>

#include "base/text.h"
#include "edge/render_parts.h"

namespace edge {

using wire::JsonWriter;

namespace {

void write_id(JsonWriter& json, std::string_view name, model::EventNumber import) { json.member(name, std::string_view(model::import_id(import))); }

void write_digest(JsonWriter& json, std::string_view name, const base::Digest& digest) {
  json.member(name, std::string_view(base::to_base64url(digest)));
}

// Left out where there is none.
void write_due(JsonWriter& json, std::string_view name, base::Instant instant) {
  if (instant.ns != 0) write_instant(json, name, instant);
}

void write_facts(JsonWriter& json, const model::KeyFacts& facts) {
  json.member("form", model::to_text(facts.form));
  json.member("algorithm", model::to_text(facts.algorithm));
  json.member("bits", std::uint64_t{facts.bits});
  json.member("fingerprint_sha256", std::string_view(base::to_hex(facts.fingerprint)));
  json.member("pin_sha256", std::string_view(base::to_base64(facts.pin)));
  if (facts.thumbprint) write_digest(json, "thumbprint", *facts.thumbprint);
  write_due(json, "not_before", facts.not_before);
  write_due(json, "not_after", facts.not_after);
}

// As the doctor wrote them, and in a second line what captured messages said, if there were any, or what is watched of a wallet;
// left out once they were erased.
void write_findings(JsonWriter& json, const EntryWithPrivates& source, model::EventNumber received, model::KeyPurpose purpose) {
  const auto told = private_value(source, received, model::PrivateField::import_findings);
  if (!told) return;
  const std::string_view text = base::as_text(*told);
  const std::size_t end = std::min(text.find('\n'), text.size());
  json.key("findings");
  json.raw(text.substr(0, end));
  if (end == text.size()) return;
  json.key(purpose == model::KeyPurpose::watch ? "watched" : "trials");
  json.raw(text.substr(end + 1));
}

void write_received(JsonWriter& json, const EventAt& at, const model::ImportReceived& event) {
  write_id(json, "id", at.number);
  json.member("partner", model::to_text(event.partner_name));
  json.member("key", model::to_text(event.key_name));
  if (event.key != 0) json.member("key_id", std::string_view(model::key_id(event.key)));
  json.member("purpose", model::to_text(event.purpose));
  if (event.facts) write_facts(json, **event.facts);
  if (event.staged) json.member("staged", true);
  write_due(json, "activate_at", event.activate_at);
}

// The last step of an import that its entry tells; null if there is none.
const model::ImportMoved* last_step(const model::Entry& entry) {
  const model::ImportMoved* last = nullptr;
  for (const model::Event& event : entry.events) {
    if (const auto* moved = std::get_if<model::ImportMoved>(&event.body)) last = moved;
  }
  return last;
}

// The version that came of an import; null if its entry tells of none.
const model::KeyVersionAdded* added_in(const model::Entry& entry) {
  for (const model::Event& event : entry.events) {
    if (const auto* added = std::get_if<model::KeyVersionAdded>(&event.body)) return added;
  }
  return nullptr;
}

void write_version_moves(JsonWriter& json, const model::Entry& entry) {
  json.key("versions");
  json.begin_array();
  for (const model::Event& event : entry.events) {
    const auto* moved = std::get_if<model::KeyVersionMoved>(&event.body);
    if (moved == nullptr) continue;
    json.begin_object();
    json.member("version", std::uint64_t{moved->version});
    json.member("from", model::to_text(moved->from));
    json.member("state", model::to_text(moved->to));
    json.member("cause", model::to_text(moved->cause));
    write_due(json, "due_at", moved->due);
    write_due(json, "usable_until", moved->usable_until);
    json.end_object();
  }
  json.end_array();
}

// What a person's or a key's word about an import led to, as far as its entry tells.
void write_consequences(JsonWriter& json, const EventAt& at) {
  const model::Entry& entry = at.source.entry;
  if (const model::ImportMoved* step = last_step(entry)) {
    json.member("state", model::to_text(step->to));
    json.member("cause", model::to_text(step->cause));
  }
  if (const model::KeyVersionAdded* added = added_in(entry)) {
    json.member("key_id", std::string_view(model::key_id(added->key)));
    json.member("version", std::uint64_t{added->version});
  }
  write_version_moves(json, entry);
}

// Of an import that was proven in its own request: what came of it at once.
void write_what_came(JsonWriter& json, const model::Entry& entry, model::ImportCause cause) {
  json.member("cause", model::to_text(cause));
  if (const model::KeyVersionAdded* added = added_in(entry)) json.member("version", std::uint64_t{added->version});
  write_version_moves(json, entry);
}

// What the answer to an import says that was not taken.
model::Outcome outcome_of(model::ImportCause cause) {
  switch (cause) {
    case model::ImportCause::secret_sent: return model::Outcome::import_contains_secret;
    case model::ImportCause::trial: return model::Outcome::import_trial_failed;
    default: return model::Outcome::import_material_refused;
  }
}

}  // namespace

const model::ImportReceived* received_in(const model::Entry& entry, model::EventNumber& number) {
  number = entry.first_event;
  for (const model::Event& event : entry.events) {
    if (const auto* received = std::get_if<model::ImportReceived>(&event.body)) return received;
    ++number;
  }
  return nullptr;
}

Rendered write_import_taken(JsonWriter& json, const EventAt& at, const model::ImportReceived& event) {
  const model::ImportMoved* step = last_step(at.source.entry);
  if (event.key == 0) {
    const model::OutcomeRow& row = model::row_of(outcome_of(step == nullptr ? model::ImportCause::doctor : step->cause));
    write_problem_head(json, row, "decided at received_at; the answer sticks to the idempotency key");
    write_id(json, "import", at.number);
    write_findings(json, at.source, at.number, event.purpose);
    write_instant(json, "received_at", at.event.at);
    write_problem_tail(json, at.source.entry.command.trace, {});
    return {.status = row.http_status, .outcome = row.outcome, .location = {}};
  }
  write_received(json, at, event);
  if (step != nullptr) {
    json.member("state", model::to_text(step->to));
    write_due(json, "waits_until", step->due);
  }
  if (step != nullptr && step->to == model::ImportState::active) write_what_came(json, at.source.entry, step->cause);
  write_findings(json, at.source, at.number, event.purpose);
  write_instant(json, "received_at", at.event.at);
  return {.status = 201, .outcome = model::Outcome::done, .location = "/v1/imports/" + model::import_id(at.number)};
}

void write_challenge(JsonWriter& json, const Backend& backend, const model::ImportChallenged& event) {
  write_id(json, "id", event.import);
  if (const auto face = backend.import_face(event.import)) {
    json.member("challenge", std::string_view(model::to_text(model::Challenge{.origin = base::as_text(event.origin),
                                                                              .import = event.import,
                                                                              .partner = face->partner,
                                                                              .key = face->key,
                                                                              .thumbprint = face->thumbprint,
                                                                              .nonce = event.nonce,
                                                                              .expires_at = event.expires_at})));
  }
  write_digest(json, "nonce", event.nonce);
  write_instant(json, "expires_at", event.expires_at);
}

void write_import_step(JsonWriter& json, const EventAt& at, model::EventNumber import) {
  write_id(json, "id", import);
  if (const auto* vote = std::get_if<model::ImportVoted>(&at.event.body)) {
    json.member("decision", vote->approve ? "approve" : "reject");
    json.member("counted", std::uint64_t{vote->counted});
    json.member("needed", std::uint64_t{vote->needed});
  }
  write_consequences(json, at);
  write_instant(json, "decided_at", at.event.at);
}

void write_key_step(JsonWriter& json, const EventAt& at, model::KeyNumber key) {
  json.member("id", std::string_view(model::key_id(key)));
  write_version_moves(json, at.source.entry);
  write_instant(json, "decided_at", at.event.at);
}

void write_import_reading(JsonWriter& json, const ImportReading& reading) {
  const EventAt at = event_of(reading.received);
  const auto& event = std::get<model::ImportReceived>(at.event.body);
  json.begin_object();
  write_received(json, at, event);
  json.member("state", model::to_text(reading.state));
  json.member("cause", model::to_text(reading.cause));
  if (reading.version != 0) json.member("version", std::uint64_t{reading.version});
  if (reading.approvals != 0) json.member("approvals", std::uint64_t{reading.approvals});
  write_due(json, "waits_until", reading.due);
  write_due(json, "challenge_expires_at", reading.challenge_ends);
  write_findings(json, at.source, at.number, event.purpose);
  write_instant(json, "received_at", at.event.at);
  json.end_object();
}

void write_revocation(JsonWriter& json, const RevocationReading& revocation) {
  json.key("revocation");
  json.begin_object();
  json.member("result", revocation.result);
  if (!revocation.code.empty()) json.member("code", std::string_view(revocation.code));
  if (!revocation.evidence.empty()) json.member("evidence", std::string_view(revocation.evidence));
  write_instant(json, "checked_at", revocation.checked_at);
  write_due(json, "good_at", revocation.good_at);
  json.end_object();
}

void write_version_reading(JsonWriter& json, const KeyVersionReading& version) {
  json.begin_object();
  json.member("version", std::uint64_t{version.version});
  json.member("state", model::to_text(version.state));
  json.member("usable", model::is_usable(version.state));
  json.member("proven", version.proven);
  if (version.cause) json.member("cause", model::to_text(*version.cause));
  write_id(json, "import", version.import);
  write_facts(json, version.facts);
  if (!version.facts.spki.empty()) json.member("spki", std::string_view(base::to_base64(version.facts.spki)));
  write_instant(json, "since", version.since);
  write_due(json, "due_at", version.due);
  write_due(json, "usable_until", version.usable_until);
  if (version.revocation) write_revocation(json, *version.revocation);
  json.end_object();
}

void write_key_reading(JsonWriter& json, const KeyReading& key) {
  json.begin_object();
  json.member("id", std::string_view(model::key_id(key.number)));
  json.member("partner", std::string_view(key.partner));
  json.member("key", std::string_view(key.name));
  json.member("purpose", model::to_text(key.purpose));
  if (!key.responsible.empty()) json.member("responsible", std::string_view(key.responsible));
  if (key.active != 0) json.member("active", std::uint64_t{key.active});
  if (key.former != 0) json.member("rolls_back_to", std::uint64_t{key.former});
  json.key("versions");
  json.begin_array();
  for (const KeyVersionReading& version : key.versions) write_version_reading(json, version);
  json.end_array();
  json.end_object();
}

}  // namespace edge
