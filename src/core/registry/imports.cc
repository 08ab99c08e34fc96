// Imports: from what the doctor took to a version of a key.

#include "core/registry/registry.h"

namespace core {

using model::ImportCause;
using model::ImportState;
using model::Outcome;

namespace {

// The import a command names, if it can still become something; null, and refused, otherwise.
const ImportRecord* find_open(Docket& docket, model::EventNumber number) {
  const RegistryTables& registry = docket.registry();
  const ImportRecord* import = registry.import(number);
  if (import == nullptr || registry.key(import->key)->tenant != docket.command().tenant) {
    docket.refuse(Outcome::import_not_found, number);
    return nullptr;
  }
  if (model::is_open(import->status())) return import;
  docket.refuse(Outcome::import_not_waiting, number);
  return nullptr;
}

// What is there of the same material in the tenant: the first thing that stands in the way.
struct Twin {
  Outcome outcome = Outcome::done;
  model::EventNumber import = 0;
};

Twin find_twin(const Docket& docket, const base::Digest& pin, model::PartnerNumber partner, model::KeyNumber key) {
  const RegistryTables& registry = docket.registry();
  Twin worst;
  for (auto at = registry.by_pin().lower_bound({pin, 0}); at != registry.by_pin().end() && at->first == pin; ++at) {
    const ImportRecord& other = *registry.import(at->second);
    const KeyRecord& place = *registry.key(other.key);
    if (place.tenant != docket.command().tenant) continue;
    const KeyVersionRecord* version = registry.version(other.key, other.version);
    if (version != nullptr && version->status() == model::KeyState::compromised) return {Outcome::key_was_compromised, other.received};
    const bool is_over = version == nullptr ? other.status() == ImportState::rejected
                                            : version->status() == model::KeyState::retired || version->status() == model::KeyState::destroyed;
    if (is_over) continue;
    if (place.partner != partner) worst = {Outcome::key_belongs_to_another_partner, other.received};
    else if (other.key == key && worst.outcome == Outcome::done) worst = {Outcome::key_already_imported, other.received};
  }
  return worst;
}

Outcome check_times(const Docket& docket, const model::ImportKey& body) {
  const RegistryBounds& bounds = docket.bounds();
  const model::KeyFacts& facts = **body.facts;
  if (facts.not_after.ns != 0 && facts.not_after <= docket.at()) return Outcome::key_has_expired;
  if (body.overlap > bounds.overlap_max) return Outcome::key_overlap_out_of_range;
  if (body.activate_at.ns != 0 && (body.staged || body.activate_at > docket.at() + bounds.activation_max)) return Outcome::key_activation_out_of_range;
  return Outcome::done;
}

model::ImportReceived received(const Docket& docket, const model::ImportKey& body) {
  return {.tenant = docket.command().tenant,
          .importer = docket.command().principal,
          .partner = 0,
          .key = 0,
          .partner_name = body.partner,
          .key_name = body.key,
          .purpose = body.purpose,
          .facts = {},
          .causes = body.causes,
          .findings = body.findings,
          .responsible = {},
          .staged = body.staged,
          .activate_at = body.activate_at,
          .overlap = body.overlap,
          .certificate = {}};
}

// Why what was not taken was not.
ImportCause refusal_cause(model::ImportVerdict verdict) {
  switch (verdict) {
    case model::ImportVerdict::secret_sent: return ImportCause::secret_sent;
    case model::ImportVerdict::trial_failed: return ImportCause::trial;
    default: return ImportCause::doctor;
  }
}

// History, so that the partner can be told and the refusal explained; neither partner nor key is opened by it.
void record_refusal(Docket& docket, const model::ImportKey& body) {
  const model::EventNumber import = docket.emit(received(docket, body));
  docket.emit(model::ImportMoved{.import = import,
                                 .from = ImportState::received,
                                 .to = ImportState::rejected,
                                 .cause = refusal_cause(body.verdict),
                                 .due = {}});
}

// Why a wallet is not taken; done where it can be. Nothing was imported then, so there is nothing to look at but the refusal.
Outcome wallet_refusal(model::ImportVerdict verdict) {
  switch (verdict) {
    case model::ImportVerdict::address_differs: return Outcome::wallet_address_differs;
    case model::ImportVerdict::wallet_unknown: return Outcome::wallet_import_not_found;
    case model::ImportVerdict::wallet_expired: return Outcome::wallet_import_expired;
    default: return Outcome::done;
  }
}

// A captured message proved it, or its owner's address: import and version come to be in one decision, so both are told of as they will stand.
void take_proven(Docket& docket, const model::ImportKey& body, model::KeyNumber number, model::EventNumber received) {
  const ImportCause cause = body.verdict == model::ImportVerdict::address_confirmed ? ImportCause::address : ImportCause::trial;
  const KeyRecord* known = docket.registry().key(number);
  KeyRecord key = known == nullptr ? KeyRecord{} : *known;
  key.overlap_ns = body.overlap.ns;
  ImportRecord import;
  import.received = received;
  import.key = number;
  import.not_after_ns = (*body.facts)->not_after.ns;
  import.activate_at_ns = body.activate_at.ns;
  import.staged = body.staged;
  import.state = static_cast<std::uint8_t>(ImportState::waiting);
  move_import(docket, import, ImportState::tried, cause);
  docket.emit(model::ImportMoved{.import = received, .from = ImportState::tried, .to = ImportState::active, .cause = cause, .due = {}});
  add_version(docket, key, import, true);
}

void reject(Docket& docket, const ImportRecord& import) {
  move_import(docket, import, ImportState::rejected, ImportCause::people);
  const KeyVersionRecord* version = docket.registry().version(import.key, import.version);
  if (version == nullptr) return;
  if (model::is_usable(version->status())) take_back(docket, *version, {model::KeyCause::request});
  else if (model::may_move(version->status(), model::KeyState::retired)) move_version(docket, *version, model::KeyState::retired, {model::KeyCause::request});
}

}  // namespace

void decide(Docket& docket, const model::ImportKey& body) {
  if (const Outcome outcome = wallet_refusal(body.verdict); outcome != Outcome::done) return docket.refuse(outcome);
  if (!model::is_taken(body.verdict) || !body.facts) return record_refusal(docket, body);
  const RegistryTables& registry = docket.registry();
  const RegistryBounds& bounds = docket.bounds();
  if (const Outcome outcome = check_times(docket, body); outcome != Outcome::done) return docket.refuse(outcome);
  model::PartnerNumber partner = registry.partner_by_name(docket.command().tenant, body.partner);
  model::KeyNumber key = partner == 0 ? 0 : registry.key_by_name(partner, body.key);
  if (key != 0 && registry.key(key)->purpose != static_cast<std::uint8_t>(body.purpose)) return docket.refuse(Outcome::key_has_another_purpose, key);
  const Twin twin = find_twin(docket, (*body.facts)->pin, partner, key);
  if (twin.outcome != Outcome::done) return docket.refuse(twin.outcome, twin.import);
  const bool new_partner = partner == 0, new_key = key == 0;
  if ((new_partner && registry.partner_count() >= bounds.partners_max) || (new_key && registry.key_count() >= bounds.keys_max) ||
      registry.import_count() >= bounds.imports_max) {
    return docket.refuse(Outcome::too_many_keys);
  }

  if (new_partner) partner = registry.partner_count() + 1;
  if (new_key) key = registry.key_count() + 1;
  if (new_partner) docket.emit(model::PartnerOpened{.number = partner, .tenant = docket.command().tenant, .name = body.partner});
  if (new_key) docket.emit(model::KeyOpened{.number = key, .partner = partner, .name = body.key, .purpose = body.purpose});
  model::ImportReceived event = received(docket, body);
  event.partner = partner;
  event.key = key;
  event.facts = body.facts;
  event.responsible = body.responsible;
  event.certificate = body.certificate;
  const model::EventNumber import = docket.emit(std::move(event));
  docket.emit(model::ImportMoved{.import = import, .from = ImportState::received, .to = ImportState::inspected, .cause = ImportCause::doctor, .due = {}});
  docket.emit(model::ImportMoved{.import = import,
                                 .from = ImportState::inspected,
                                 .to = ImportState::waiting,
                                 .cause = ImportCause::doctor,
                                 .due = docket.at() + bounds.import_waits_for});
  if (body.verdict == model::ImportVerdict::proven || body.verdict == model::ImportVerdict::address_confirmed) take_proven(docket, body, key, import);
}

void decide(Docket& docket, const model::ChallengeImport& body) {
  const ImportRecord* import = find_open(docket, body.import);
  if (import == nullptr) return;
  if (!model::can_sign(static_cast<model::KeyAlgorithm>(import->algorithm))) return docket.refuse(Outcome::key_cannot_sign, body.import);
  docket.emit(model::ImportChallenged{.import = body.import,
                                      .nonce = body.nonce,
                                      .expires_at = docket.at() + docket.bounds().challenge_for,
                                      .origin = body.origin});
}

void decide(Docket& docket, const model::ProveImport& body) {
  const ImportRecord* import = find_open(docket, body.import);
  if (import == nullptr) return;
  const bool is_open = import->challenge_ends_ns > docket.at().ns && import->nonce == body.nonce;
  if (!is_open) return docket.refuse(Outcome::challenge_not_open, body.import);
  if (!body.verified) return docket.refuse(Outcome::challenge_signature_wrong, body.import);
  if (import->status() == ImportState::waiting) {
    move_import(docket, *import, ImportState::tried, ImportCause::proof);
    docket.emit(model::ImportMoved{.import = body.import, .from = ImportState::tried, .to = ImportState::active, .cause = ImportCause::proof, .due = {}});
    return add_version(docket, *import, true);
  }
  move_import(docket, *import, ImportState::active, ImportCause::proof);
  const KeyVersionRecord& version = *docket.registry().version(import->key, import->version);
  if (version.status() == model::KeyState::suspended) return activate(docket, version, {model::KeyCause::confirmed});
  if (!model::may_move(version.status(), version.status())) return;   // it is over; the proof is history
  // Its bound is gone; where it waits for its time or for the end of an overlap, it still does.
  const bool had_bound_only = version.due_ns == version.usable_until_ns;
  docket.emit(model::KeyVersionMoved{.key = version.key,
                                     .version = version.version,
                                     .from = version.status(),
                                     .to = version.status(),
                                     .cause = model::KeyCause::confirmed,
                                     .due = {had_bound_only && version.status() == model::KeyState::active ? 0 : version.due_ns},
                                     .usable_until = {},
                                     .reason = {}});
}

void decide(Docket& docket, const model::ReviewImport& body) {
  const ImportRecord* import = find_open(docket, body.import);
  if (import == nullptr) return;
  const model::PrincipalNumber person = docket.command().principal;
  const ClientRecord* client = docket.state().client(person);
  if (client == nullptr || client->kind != static_cast<std::uint8_t>(model::PrincipalKind::person)) {
    return docket.refuse(Outcome::approver_must_be_a_person, body.import);
  }
  if (body.approve && person == import->importer) return docket.refuse(Outcome::approver_must_not_be_requester, body.import);
  // Whom people let in once is confirmed by a proof, not by people again.
  if (body.approve && import->status() != ImportState::waiting) return docket.refuse(Outcome::import_not_waiting, body.import);
  if (body.approve && person == import->approver) return docket.refuse(Outcome::approver_counted_already, body.import);
  const auto counted = static_cast<std::uint8_t>(body.approve ? import->approvals + 1 : 1);
  const std::uint8_t needed = body.approve ? model::import_approvals_needed : 1;
  docket.emit(model::ImportVoted{.import = body.import, .person = person, .approve = body.approve, .counted = counted, .needed = needed, .reason = body.reason});
  if (counted < needed) return;
  if (!body.approve) return reject(docket, *import);
  move_import(docket, *import, ImportState::provisional, ImportCause::people);
  add_version(docket, *import, false);
}

}  // namespace core
