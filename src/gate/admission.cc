// From decoded bodies to commands with commitments and MACs.

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "gate/gate.h"
#include "gate/import_schema.h"
#include "gate/refusal_of.h"
#include "gate/schema.h"
#include "gate/statement_upload.h"
#include "gate/wallet_schema.h"
#include "wire/webhook_signature.h"

namespace gate {

using model::Outcome;

struct Gate::Builder {
  Builder(const Sender& from, const RandomSource& source) : sender(from), random(source) {
    admitted.tenant = sender.tenant;
    admitted.principal = sender.principal;
    admitted.trace = sender.trace;
  }

  model::Command& add_command() {
    model::Command& command = admitted.commands.emplace_back();
    command.tenant = sender.tenant;
    command.principal = sender.principal;
    command.trace = sender.trace;
    return command;
  }
  std::uint32_t last_command() const { return static_cast<std::uint32_t>(admitted.commands.size() - 1); }

  void resolve(model::NameToResolve::Field field, std::string_view name, std::uint32_t item = 0) {
    admitted.names.push_back(
        {last_command(), item, field, model::account_name_hash(sender.tenant, name), std::string(name)});
  }
  /// Keeps a personal value for the private section and gives what the command says of it.
  model::Commitment commit(model::PrivateField field, base::ByteView value, std::uint32_t item = 0) {
    model::PrivateDraft& draft = admitted.privates.emplace_back();
    draft.command = last_command();
    draft.item = item;
    draft.field = field;
    random(draft.salt);
    draft.value = base::to_bytes(value);
    return crypto::sha256({draft.salt, value});
  }

  /// The tag just made, under the former versions of the key.
  void keep_former(const FingerprintMaker& maker) {
    for (std::size_t i = 1; i < maker.versions(); ++i) admitted.former_tags.push_back(maker.tag_of_version(i));
  }
  /// What was made, ready to leave.
  model::Admitted finish() {
    std::ranges::sort(admitted.former_tags, {}, model::version_of_key);
    return std::move(admitted);
  }

  Sender sender;
  const RandomSource& random;
  model::Admitted admitted;
};

namespace {

void tag_limits(FingerprintMaker& maker, std::uint8_t first, const model::AccountLimits& limits) {
  if (limits.debit_amount_max) maker.amount(first, *limits.debit_amount_max);
  if (limits.daily_debits_max) maker.amount(static_cast<std::uint8_t>(first + 1), *limits.daily_debits_max);
  if (limits.balance_max) maker.amount(static_cast<std::uint8_t>(first + 2), *limits.balance_max);
}

std::uint64_t number_of(const model::TransferId& id) { return (std::uint64_t{id.partition} << 48) | id.event; }

std::uint64_t seconds_of(base::Duration duration) {
  return static_cast<std::uint64_t>(duration.ns / base::seconds(1).ns);
}

// docs/format/idempotency.md: an array of all members in the order of the struct.
base::Bytes canonical_profile(const model::RailProfile& profile) {
  base::Bytes bytes;
  base::CborWriter out(bytes);
  out.array(16);
  out.uint(profile.capabilities);
  out.uint(profile.directions);
  out.amount(profile.amount_min);
  out.amount(profile.amount_max);
  out.amount(profile.cost_fixed);
  out.uint(profile.cost_basis_points);
  for (const base::Duration duration : {profile.send_window, profile.reply_timeout, profile.visibility_horizon,
                                        profile.settle_within, profile.inquiry_first, profile.inquiry_max}) {
    out.uint(static_cast<std::uint64_t>(duration.ns));
  }
  out.uint(profile.inquiries_max);
  out.uint(profile.in_flight_max);
  out.uint(profile.rate_per_second);
  out.array(profile.countries.size());
  for (const model::Country country : profile.countries) out.uint(country);
  return bytes;
}

// Gives each body's fields to the maker, in ascending order of the numbers in docs/format/idempotency.md.
struct FieldGiver {
  FingerprintMaker& maker;

  void operator()(const TenantOpening& body) { maker.text(1, body.name); }
  void operator()(const AssetRegistration& body) { maker.asset(1, body.asset); }
  void operator()(const AccountOpening& body) {
    maker.text(1, body.name);
    maker.asset(2, body.asset);
    if (body.flags != model::debits_must_not_exceed_credits) maker.number(3, body.flags);
    tag_limits(maker, 4, body.limits);
    if (!body.metadata.empty()) maker.bytes(7, body.metadata);
  }
  void operator()(const AccountFlagChange& body) {
    maker.text(1, body.name);
    maker.number(2, static_cast<std::uint64_t>(body.action));
    if (body.action == FlagAction::close) return;
    if (!body.debits) maker.boolean(3, false);
    if (!body.credits) maker.boolean(4, false);
  }
  void operator()(const AccountLimitChange& body) {
    maker.text(1, body.name);
    tag_limits(maker, 2, body.limits);
  }
  void operator()(const TransferRequest& body) {
    maker.text(1, body.debit_account);
    maker.text(2, body.credit_account);
    maker.asset(3, body.asset);
    maker.amount(4, body.amount);
    if (body.hold) maker.boolean(5, true);
    if (body.hold_for.ns != 0) maker.number(6, seconds_of(body.hold_for));
    if (!body.reference.empty()) maker.text(7, body.reference);
    if (!body.metadata.empty()) maker.bytes(8, body.metadata);
  }
  void operator()(const Capture& body) {
    maker.number(1, number_of(body.hold));
    if (body.amount) maker.amount(2, *body.amount);
  }
  void operator()(const Voiding& body) { maker.number(1, number_of(body.hold)); }
  void operator()(const RailTransferRequest& body) {
    maker.text(1, body.account);
    maker.asset(2, body.asset);
    maker.amount(3, body.amount);
    if (!body.rail.empty()) maker.text(4, body.rail);
    maker.text(5, body.beneficiary);
    if (body.country != 0) maker.number(6, body.country);
    if (body.instrument != 0) maker.number(7, body.instrument);
    if (body.send_within.ns != 0) maker.number(8, seconds_of(body.send_within));
    if (!body.reference.empty()) maker.text(9, body.reference);
    if (!body.metadata.empty()) maker.bytes(10, body.metadata);
  }
  void operator()(const TransferCancellation& body) { maker.number(1, number_of(body.transfer)); }
  void operator()(const TransferReview& body) {
    maker.number(1, number_of(body.transfer));
    maker.number(2, body.approve ? 1 : 2);
    if (!body.reason.empty()) maker.text(3, body.reason);
  }
  void operator()(const UnknownResolution& body) {
    maker.number(1, number_of(body.transfer));
    maker.number(2, static_cast<std::uint64_t>(body.verdict));
    maker.text(3, body.reason);
  }
  void operator()(const ExceptionDecision& body) {
    maker.number(1, body.exception);
    maker.number(2, static_cast<std::uint64_t>(body.end));
    if (body.transfer.event != 0) maker.number(3, number_of(body.transfer));
    maker.text(4, body.reason);
  }
  void operator()(const Refund& body) {
    maker.number(1, number_of(body.original));
    if (body.amount) maker.amount(2, *body.amount);
    if (!body.reference.empty()) maker.text(3, body.reference);
    if (!body.metadata.empty()) maker.bytes(4, body.metadata);
  }
  void operator()(const RailConfiguration& body) {
    maker.text(1, body.name);
    maker.asset(2, body.asset);
    maker.bytes(3, canonical_profile(body.profile));
  }
  void operator()(const RailControl& body) {
    maker.text(1, body.name);
    maker.number(2, static_cast<std::uint64_t>(body.action));
    if (body.action != RailAction::maintenance) return;
    maker.number(3, static_cast<std::uint64_t>(body.from.ns));
    maker.number(4, static_cast<std::uint64_t>(body.until.ns));
    if (body.paused) maker.boolean(5, true);
  }
  void operator()(const KeyCancellation& body) {
    maker.number(1, static_cast<std::uint64_t>(body.operation));
    maker.text(2, body.key);
  }
  void operator()(const ClientCreation& body) {
    maker.text(1, body.name);
    maker.number(2, static_cast<std::uint64_t>(body.kind));
    maker.number(3, body.scopes);
  }
  void operator()(const ClientRotation& body) {
    maker.number(1, body.client);
    if (body.overlap != base::seconds(overlap_seconds_default)) maker.number(2, seconds_of(body.overlap));
  }
  void operator()(const ClientRevocation& body) { maker.number(1, body.client); }
  void operator()(const WebhookCreation& body) {
    maker.text(1, body.url);
    maker.number(2, body.events);
    if (body.ordered) maker.boolean(3, true);
    if (body.personal) maker.boolean(4, true);
  }
  void operator()(const WebhookChange& body) {
    maker.number(1, body.webhook);
    if (body.url) maker.text(2, *body.url);
    if (body.events != 0) maker.number(3, body.events);
    std::uint8_t field = 4;
    for (const model::WebhookFlag flag : {model::webhook_enabled, model::webhook_ordered, model::webhook_personal}) {
      if (((body.set | body.clear) & flag) != 0) maker.boolean(field, (body.set & flag) != 0);
      ++field;
    }
  }
  void operator()(const WebhookRemoval& body) { maker.number(1, body.webhook); }
  void operator()(const WebhookRotation& body) {
    maker.number(1, body.webhook);
    if (body.overlap != base::seconds(overlap_seconds_default)) maker.number(2, seconds_of(body.overlap));
  }
  void operator()(const WebhookMark&) {}   // the process's own, without a key
  void operator()(const ImportChallenge& body) { maker.number(1, body.import); }
  void operator()(const KeyImport& body) { give_fields(maker, body); }
  void operator()(const ImportProof& body) { give_fields(maker, body); }
  void operator()(const ImportReview& body) { give_fields(maker, body); }
  void operator()(const KeySteering& body) { give_fields(maker, body); }
  void operator()(const WalletConfirmation& body) { give_fields(maker, body); }
};

struct OperationOf {
  model::Operation operator()(const TenantOpening&) const { return model::Operation::open_tenant; }
  model::Operation operator()(const AssetRegistration&) const { return model::Operation::register_asset; }
  model::Operation operator()(const AccountOpening&) const { return model::Operation::open_account; }
  model::Operation operator()(const AccountFlagChange&) const { return model::Operation::change_account_flags; }
  model::Operation operator()(const AccountLimitChange&) const { return model::Operation::set_account_limits; }
  model::Operation operator()(const TransferRequest&) const { return model::Operation::create_transfer; }
  model::Operation operator()(const Capture&) const { return model::Operation::capture_hold; }
  model::Operation operator()(const Voiding&) const { return model::Operation::void_hold; }
  model::Operation operator()(const RailTransferRequest& body) const {
    return body.kind == model::TransferKind::payout ? model::Operation::create_payout : model::Operation::create_collect;
  }
  model::Operation operator()(const TransferCancellation&) const { return model::Operation::cancel_transfer; }
  model::Operation operator()(const TransferReview&) const { return model::Operation::review_transfer; }
  model::Operation operator()(const UnknownResolution&) const { return model::Operation::resolve_unknown; }
  model::Operation operator()(const ExceptionDecision&) const { return model::Operation::resolve_exception; }
  model::Operation operator()(const Refund&) const { return model::Operation::refund_transfer; }
  model::Operation operator()(const RailConfiguration&) const { return model::Operation::configure_rail; }
  model::Operation operator()(const RailControl&) const { return model::Operation::control_rail; }
  model::Operation operator()(const KeyCancellation&) const { return model::Operation::cancel_key; }
  model::Operation operator()(const ClientCreation&) const { return model::Operation::create_client; }
  model::Operation operator()(const ClientRotation&) const { return model::Operation::rotate_client; }
  model::Operation operator()(const ClientRevocation&) const { return model::Operation::revoke_client; }
  model::Operation operator()(const WebhookCreation&) const { return model::Operation::create_webhook; }
  model::Operation operator()(const WebhookChange&) const { return model::Operation::change_webhook; }
  model::Operation operator()(const WebhookRemoval&) const { return model::Operation::remove_webhook; }
  model::Operation operator()(const WebhookRotation&) const { return model::Operation::rotate_webhook; }
  model::Operation operator()(const WebhookMark&) const { return model::Operation::mark_webhook; }
  model::Operation operator()(const KeyImport&) const { return model::Operation::import_key; }
  model::Operation operator()(const ImportChallenge&) const { return model::Operation::challenge_import; }
  model::Operation operator()(const ImportProof&) const { return model::Operation::prove_import; }
  model::Operation operator()(const ImportReview&) const { return model::Operation::review_import; }
  model::Operation operator()(const KeySteering&) const { return model::Operation::steer_key; }
  model::Operation operator()(const WalletConfirmation&) const { return model::Operation::import_key; }
};

// Only partition 0 exists; the event number of an id from elsewhere means something else here.
bool names_other_partition(const RequestBody& body) {
  if (const auto* capture = std::get_if<Capture>(&body)) return capture->hold.partition != 0;
  if (const auto* voiding = std::get_if<Voiding>(&body)) return voiding->hold.partition != 0;
  if (const auto* cancellation = std::get_if<TransferCancellation>(&body)) return cancellation->transfer.partition != 0;
  if (const auto* review = std::get_if<TransferReview>(&body)) return review->transfer.partition != 0;
  if (const auto* resolution = std::get_if<UnknownResolution>(&body)) return resolution->transfer.partition != 0;
  if (const auto* decision = std::get_if<ExceptionDecision>(&body)) return decision->transfer.partition != 0;
  if (const auto* refund = std::get_if<Refund>(&body)) return refund->original.partition != 0;
  return false;
}

std::optional<Refusal> refuse_key(const Sender& sender, std::string_view key) {
  if (key.empty() && sender.principal != 0)
    return refusal(Outcome::idempotency_key_missing, "there is no idempotency key", sender.trace);
  if (!key.empty() && !is_idempotency_key(key)) {
    return refusal(Outcome::idempotency_key_invalid, "an idempotency key is 1 to 255 printable ASCII characters",
                   sender.trace);
  }
  return std::nullopt;
}

// Puts a key into a table of open addressing (a power of two of slots, at least twice as many as keys; a free one is
// all zeros). False if it is there already. Keys are MACs: their first bytes need no further hashing.
bool put_key(std::vector<base::Tag128>& table, const base::Tag128& key) {
  std::size_t slot = base::load_le<std::uint64_t>(key.data()) & (table.size() - 1);
  while (table[slot] != base::Tag128{}) {
    if (table[slot] == key) return false;
    slot = (slot + 1) & (table.size() - 1);
  }
  table[slot] = key;
  return true;
}

std::size_t slots_for(std::size_t keys) {
  std::size_t slots = 16;
  while (slots < keys * 2) slots *= 2;
  return slots;
}

}  // namespace

model::IdempotencyTag Gate::tag_of(Builder& builder, std::string_view key, const RequestBody& body) {
  const Sender& sender = builder.sender;
  fingerprints_.start(sender.tenant, sender.principal, std::visit(OperationOf{}, body), key);
  std::visit(FieldGiver{fingerprints_}, body);
  const model::IdempotencyTag tag = fingerprints_.finish();
  builder.keep_former(fingerprints_);
  return tag;
}

model::IdempotencyTag Gate::add_transfer(Builder& builder, std::string_view key, const TransferRequest& transfer) {
  auto& items = std::get<model::CreateTransfer>(builder.admitted.commands.back().body).items;
  const auto place = static_cast<std::uint32_t>(items.size());
  model::TransferItem& item = items.emplace_back();
  builder.resolve(model::NameToResolve::Field::debit, transfer.debit_account, place);
  builder.resolve(model::NameToResolve::Field::credit, transfer.credit_account, place);
  item.asset = transfer.asset;
  item.amount = transfer.amount;
  item.hold = transfer.hold;
  item.hold_for = transfer.hold_for;
  if (!transfer.reference.empty()) {
    item.reference = builder.commit(model::PrivateField::transfer_reference, base::as_bytes(transfer.reference), place);
    item.reference_key = reference_mac(keys_, builder.sender.tenant, transfer.reference);
  }
  if (!transfer.metadata.empty()) {
    item.metadata = builder.commit(model::PrivateField::transfer_metadata, transfer.metadata, place);
  }
  if (key.empty()) return {};
  const Sender& sender = builder.sender;
  fingerprints_.start(sender.tenant, sender.principal, model::Operation::create_transfer, key);
  FieldGiver{fingerprints_}(transfer);
  item.idempotency = fingerprints_.finish();
  builder.keep_former(fingerprints_);
  return *item.idempotency;
}

model::CommandBody Gate::rail_transfer_of(Builder& builder, const RailTransferRequest& body) {
  using Field = model::NameToResolve::Field;
  model::RailRequest request;
  request.asset = body.asset;
  request.amount = body.amount;
  request.country = body.country;
  request.instrument = body.instrument;
  request.approvals = approvals_for(body.asset, body.amount);
  request.send_within = body.send_within;
  builder.resolve(Field::account, body.account);
  if (!body.rail.empty()) builder.resolve(Field::rail, body.rail);
  request.beneficiary = builder.commit(model::PrivateField::transfer_beneficiary, base::as_bytes(body.beneficiary));
  if (!body.reference.empty()) {
    request.reference = builder.commit(model::PrivateField::transfer_reference, base::as_bytes(body.reference));
    request.reference_key = reference_mac(keys_, builder.sender.tenant, body.reference);
  }
  if (!body.metadata.empty()) request.metadata = builder.commit(model::PrivateField::transfer_metadata, body.metadata);
  if (body.kind == model::TransferKind::payout) return model::CreatePayout{std::move(request)};
  return model::CreateCollect{std::move(request)};
}

std::uint8_t Gate::approvals_for(const model::Asset& asset, base::U128 amount) const {
  std::uint8_t needed = 0;
  for (const ApprovalRule& rule : settings_.approvals) {
    if (rule.asset == asset && amount >= rule.amount_from) needed = std::max(needed, rule.people);
  }
  return std::min(needed, model::approvals_max);
}

// Decisions of people, and what gives money back.
model::CommandBody Gate::decision_of(Builder& builder, const RequestBody& request) {
  const auto reason_of = [&](std::string_view reason) {
    return builder.commit(model::PrivateField::vote_reason, base::as_bytes(reason));
  };
  if (const auto* body = std::get_if<TransferCancellation>(&request)) {
    return model::CancelTransfer{.transfer = body->transfer.event};
  }
  if (const auto* body = std::get_if<TransferReview>(&request)) {
    model::ReviewTransfer review{.transfer = body->transfer.event, .approve = body->approve, .reason = {}};
    if (!body->reason.empty()) review.reason = reason_of(body->reason);
    return review;
  }
  if (const auto* body = std::get_if<UnknownResolution>(&request)) {
    return model::ResolveUnknown{
        .transfer = body->transfer.event, .verdict = body->verdict, .reason = reason_of(body->reason)};
  }
  if (const auto* body = std::get_if<ExceptionDecision>(&request)) {
    return model::ResolveException{
        .exception = body->exception, .end = body->end, .transfer = body->transfer.event, .reason = reason_of(body->reason)};
  }
  const auto& body = std::get<Refund>(request);
  model::RefundTransfer refund;
  refund.original = body.original.event;
  refund.amount = body.amount;
  refund.approvals = std::min(settings_.refund_approvals, model::approvals_max);
  if (!body.reference.empty()) {
    refund.reference = builder.commit(model::PrivateField::transfer_reference, base::as_bytes(body.reference));
    refund.reference_key = reference_mac(keys_, builder.sender.tenant, body.reference);
  }
  if (!body.metadata.empty()) refund.metadata = builder.commit(model::PrivateField::transfer_metadata, body.metadata);
  return refund;
}

model::CommandBody Gate::rail_command_of(Builder& builder, const RequestBody& request) {
  using Field = model::NameToResolve::Field;
  if (const auto* body = std::get_if<RailControl>(&request)) {
    builder.resolve(Field::rail, body->name);
    const bool window = body->action == RailAction::maintenance;
    return model::ControlRail{.paused = window ? body->paused : body->action == RailAction::pause,
                              .maintenance_from = window ? body->from : base::Instant{},
                              .maintenance_until = window ? body->until : base::Instant{}};
  }
  const auto& body = std::get<RailConfiguration>(request);
  const std::string clearing = "rails/" + std::string(body.name) + "/clearing";
  const std::string suspense = "suspense/" + std::string(body.name);
  builder.resolve(Field::clearing_account, clearing);
  builder.resolve(Field::suspense_account, suspense);
  model::ConfigureRail rail;
  rail.name = model::parse_rail_name(body.name).value_or(model::RailName{});
  rail.asset = body.asset;
  rail.profile = body.profile;
  rail.clearing_name = builder.commit(model::PrivateField::account_name, base::as_bytes(clearing), 0);
  rail.suspense_name = builder.commit(model::PrivateField::account_name, base::as_bytes(suspense), 1);
  return rail;
}

// The name of a new key; the secret that is made of it goes out with the first reply, and is not kept.
model::WebhookKey Gate::new_webhook_key(Builder& builder) {
  model::WebhookKey key;
  random_(key.name);
  const WebhookKeys keys(keys_, key.name);
  key.public_key = crypto::ed25519_public_key(keys.seed);
  builder.admitted.secret = wire::to_webhook_key(wire::WebhookKeyKind::secret, keys.secret);
  return key;
}

model::CommandBody Gate::import_command_of(Builder& builder, const KeyImport& body) {
  const Examined& examined = *body.examined;
  model::ImportKey command;
  command.partner = model::parse_rail_name(body.partner).value_or(model::PartnerName{});
  command.key = model::parse_rail_name(body.key).value_or(model::KeyName{});
  command.purpose = body.purpose;
  command.verdict = examined.verdict;
  if (examined.facts) command.facts = *examined.facts;
  command.causes = examined.causes;
  // One private value: the findings, and the trials in a line of their own (docs/format/entry.md).
  const std::string told = examined.trials.empty() ? examined.findings : examined.findings + "\n" + examined.trials;
  command.findings = builder.commit(model::PrivateField::import_findings, base::as_bytes(told));
  command.staged = body.staged;
  command.activate_at = body.activate_at;
  command.overlap = body.overlap;
  const bool named = !body.responsible.empty() && model::is_taken(examined.verdict);
  if (named) command.responsible = builder.commit(model::PrivateField::key_responsible, base::as_bytes(body.responsible));
  const bool kept = !examined.certificates.empty() && model::is_taken(examined.verdict);
  if (kept) command.certificate = builder.commit(model::PrivateField::key_certificate, base::as_bytes(examined.certificates));
  return command;
}

// Without a word of what was found there is nothing in it but that, and the core refuses.
model::CommandBody Gate::wallet_command_of(Builder& builder, const WalletConfirmation& body) {
  const ConfirmedWallet found = body.found.value_or(ConfirmedWallet{});
  model::ImportKey command;
  const auto name_of = [](std::string_view name) { return model::parse_rail_name(name.empty() ? "unknown" : name).value_or(model::RailName{}); };
  command.partner = name_of(found.partner);
  command.key = name_of(found.wallet);
  command.purpose = model::KeyPurpose::watch;
  command.verdict = found.verdict;
  if (!found.facts) return command;
  command.facts = *found.facts;
  command.causes = found.causes;
  // One private value: the findings, and what is watched in a line of its own (docs/format/entry.md).
  command.findings = builder.commit(model::PrivateField::import_findings, base::as_bytes(found.findings + "\n" + found.watched));
  return command;
}

// What the key answered is judged here; whether it was asked that, still and only once, is the core's to say.
model::CommandBody Gate::proof_command_of(const Sender& sender, const ImportProof& body) const {
  const auto known = key_book_ == nullptr ? std::nullopt : key_book_->find(sender.tenant, body.import);
  model::ProveImport command{.import = body.import};
  if (!known) return command;
  command.nonce = known->nonce;
  const std::string text = model::to_text(model::Challenge{.origin = settings_.origin,
                                                           .import = body.import,
                                                           .partner = known->partner,
                                                           .key = known->key,
                                                           .thumbprint = known->thumbprint,
                                                           .nonce = known->nonce,
                                                           .expires_at = known->ends_at});
  command.verified = is_signed_by(known->spki, text, body.signature);
  return command;
}

// Nothing if it is about something else than imports and keys.
std::optional<model::CommandBody> Gate::registry_command_of(Builder& builder, const RequestBody& request) {
  const auto reason_of = [&](std::string_view reason) -> std::optional<model::Commitment> {
    if (reason.empty()) return std::nullopt;
    return builder.commit(model::PrivateField::vote_reason, base::as_bytes(reason));
  };
  if (const auto* body = std::get_if<KeyImport>(&request)) return import_command_of(builder, *body);
  if (const auto* body = std::get_if<WalletConfirmation>(&request)) return wallet_command_of(builder, *body);
  if (const auto* body = std::get_if<ImportProof>(&request)) return proof_command_of(builder.sender, *body);
  if (const auto* body = std::get_if<ImportChallenge>(&request)) {
    model::ChallengeImport command{.import = body->import, .origin = base::to_bytes(base::as_bytes(settings_.origin))};
    random_(command.nonce);
    return command;
  }
  if (const auto* body = std::get_if<ImportReview>(&request)) {
    return model::ReviewImport{.import = body->import, .approve = body->approve, .reason = reason_of(body->reason)};
  }
  if (const auto* body = std::get_if<KeySteering>(&request)) {
    return model::SteerKey{.key = body->key, .version = body->version, .verb = body->verb, .reason = reason_of(body->reason)};
  }
  return std::nullopt;
}

// Nothing if it is about something else than webhooks.
std::optional<model::CommandBody> Gate::webhook_command_of(Builder& builder, const RequestBody& request) {
  const auto commit_url = [&](std::string_view url) { return builder.commit(model::PrivateField::webhook_url, base::as_bytes(url)); };
  if (const auto* body = std::get_if<WebhookCreation>(&request)) {
    unsigned flags = model::webhook_enabled;
    if (body->ordered) flags |= model::webhook_ordered;
    if (body->personal) flags |= model::webhook_personal;
    return model::CreateWebhook{.url = commit_url(body->url),
                                .events = body->events,
                                .flags = static_cast<model::WebhookFlags>(flags),
                                .key = new_webhook_key(builder)};
  }
  if (const auto* body = std::get_if<WebhookChange>(&request)) {
    model::ChangeWebhook change{.webhook = body->webhook,
                                .url = {},
                                .events = body->events,
                                .set = body->set,
                                .clear = body->clear,
                                .cause = body->cause};
    if (body->url) change.url = commit_url(*body->url);
    return change;
  }
  if (const auto* body = std::get_if<WebhookRemoval>(&request)) return model::RemoveWebhook{.webhook = body->webhook};
  if (const auto* body = std::get_if<WebhookRotation>(&request)) {
    return model::RotateWebhook{.webhook = body->webhook, .key = new_webhook_key(builder), .overlap = body->overlap};
  }
  if (const auto* body = std::get_if<WebhookMark>(&request)) {
    return model::MarkWebhook{.webhook = body->webhook, .told_through = body->told_through};
  }
  return std::nullopt;
}

model::CommandBody Gate::command_of(Builder& builder, const RequestBody& request) {
  using Field = model::NameToResolve::Field;
  if (const auto* body = std::get_if<TenantOpening>(&request)) {
    builder.resolve(Field::opened_tenant, body->name);
    return model::OpenTenant{.name = builder.commit(model::PrivateField::tenant_name, base::as_bytes(body->name))};
  }
  if (const auto* body = std::get_if<AssetRegistration>(&request)) {
    const std::string text = model::to_text(body->asset);
    const std::string world = "world/" + text.substr(0, text.find('/'));
    return model::RegisterAsset{
        .asset = body->asset,
        .world_name = builder.commit(model::PrivateField::world_account_name, base::as_bytes(world))};
  }
  if (const auto* body = std::get_if<AccountOpening>(&request)) {
    builder.resolve(Field::opened_account, body->name);
    model::OpenAccount open{.name = builder.commit(model::PrivateField::account_name, base::as_bytes(body->name)),
                            .asset = body->asset,
                            .flags = body->flags,
                            .limits = body->limits,
                            .metadata = {}};
    if (!body->metadata.empty()) open.metadata = builder.commit(model::PrivateField::account_metadata, body->metadata);
    return open;
  }
  if (const auto* body = std::get_if<AccountFlagChange>(&request)) {
    builder.resolve(Field::account, body->name);
    model::AccountFlags sides = 0;
    if (body->debits) sides |= model::frozen_for_debits;
    if (body->credits) sides |= model::frozen_for_credits;
    switch (body->action) {
      case FlagAction::freeze:
        return model::ChangeAccountFlags{.set = sides};
      case FlagAction::unfreeze:
        return model::ChangeAccountFlags{.clear = sides};
      case FlagAction::close:
        return model::ChangeAccountFlags{.set = model::closed};
    }
  }
  if (const auto* body = std::get_if<AccountLimitChange>(&request)) {
    builder.resolve(Field::account, body->name);
    return model::SetAccountLimits{.limits = body->limits};
  }
  if (const auto* body = std::get_if<Capture>(&request)) {
    return model::CaptureHold{.hold = body->hold.event, .amount = body->amount};
  }
  if (const auto* body = std::get_if<Voiding>(&request)) return model::VoidHold{.hold = body->hold.event};
  if (const auto* body = std::get_if<KeyCancellation>(&request)) {
    const Sender& sender = builder.sender;
    return model::CancelKey{.cancelled = key_mac(keys_, sender.tenant, sender.principal, body->operation, body->key)};
  }
  if (const auto* body = std::get_if<ClientCreation>(&request)) {
    builder.admitted.secret = make_refresh_secret(random_);
    return model::CreateClient{.kind = body->kind,
                               .scopes = body->scopes,
                               .name = builder.commit(model::PrivateField::client_name, base::as_bytes(body->name)),
                               .secret_hash = hash_refresh_secret(keys_.secret, builder.admitted.secret)};
  }
  if (const auto* body = std::get_if<ClientRotation>(&request)) {
    builder.admitted.secret = make_refresh_secret(random_);
    return model::RotateClient{.client = body->client,
                               .secret_hash = hash_refresh_secret(keys_.secret, builder.admitted.secret),
                               .overlap = body->overlap};
  }
  if (const auto* body = std::get_if<ClientRevocation>(&request)) return model::RevokeClient{.client = body->client};
  if (const auto* body = std::get_if<RailTransferRequest>(&request)) return rail_transfer_of(builder, *body);
  if (std::holds_alternative<RailConfiguration>(request) || std::holds_alternative<RailControl>(request)) {
    return rail_command_of(builder, request);
  }
  if (auto webhook = webhook_command_of(builder, request)) return *std::move(webhook);
  if (auto registry = registry_command_of(builder, request)) return *std::move(registry);
  return decision_of(builder, request);
}

model::Admitted Gate::admit_report(const RailReport& report) {
  Builder builder({.tenant = report.tenant, .principal = 0, .trace = report.trace}, random_);
  model::Command& command = builder.add_command();
  model::ReportRail body;
  body.reference = report.reference;
  body.source = report.source;
  body.result = report.result;
  body.reason = report.reason;
  body.inquiry = report.inquiry;
  body.latency = report.latency;
  body.amount = report.amount;
  body.asset = report.asset;
  body.body = report.body;
  if (!report.rail_reference.empty()) {
    body.rail_reference = builder.commit(model::PrivateField::rail_reference, base::as_bytes(report.rail_reference));
    body.rail_reference_key = rail_reference_mac(keys_, report.tenant, report.rail_name.empty() ? report.rail : report.rail_name, report.rail_reference);
  }
  if (!report.raw.empty()) {
    if (!body.body) body.body = crypto::sha256(report.raw);
    if (report.raw.size() <= rail_report_bytes_max) builder.commit(model::PrivateField::rail_report, report.raw);
  }
  command.body = body;
  if (!report.rail.empty()) builder.resolve(model::NameToResolve::Field::rail, report.rail);
  return builder.finish();
}

std::variant<model::Admitted, Refusal> Gate::admit_body(const Sender& sender, std::string_view key,
                                                        const RequestBody& body) {
  if (auto refused = refuse_key(sender, key)) return *std::move(refused);
  Problems problems;
  check_body(body, "", problems);
  if (!problems.empty()) return refusal(std::move(problems), sender.trace);
  if (const auto* import = std::get_if<KeyImport>(&body); import != nullptr && !import->examined) {
    KeyImport examined = *import;
    examined.examined = examine_material(import->material, import->purpose, {});
    try_captured(import->captured, {}, *examined.examined);
    return admit_body(sender, key, examined);
  }
  if (names_other_partition(body)) {
    return refusal(Outcome::transfer_not_found, "there is no transfer with this id here", sender.trace);
  }

  Builder builder(sender, random_);
  model::Command& command = builder.add_command();
  if (const auto* transfer = std::get_if<TransferRequest>(&body)) {
    command.body = model::CreateTransfer{};
    add_transfer(builder, key, *transfer);  // its tag belongs to the item
  } else {
    if (!key.empty()) command.idempotency = tag_of(builder, key, body);
    command.body = command_of(builder, body);
  }
  return builder.finish();
}

std::variant<model::Admitted, Refusal> Gate::admit_statement(const Sender& sender, std::string_view key,
                                                            const StatementUpload& upload) {
  if (auto refused = refuse_key(sender, key)) return *std::move(refused);
  auto read = parts_of(keys_, settings_.epochs, sender.tenant, upload);
  if (!read.ok()) {
    return refusal(Outcome::statement_unreadable, read.error().message + " [" + read.error().code + "]", sender.trace);
  }
  Builder builder(sender, random_);
  for (model::RecordStatement& part : read->parts) {
    model::Command& command = builder.add_command();
    if (!key.empty()) {
      // Each part is a command of its own; no client can send a key with a line feed in it.
      const std::string part_key = part.part == 1 ? std::string(key) : std::string(key) + "\n" + std::to_string(part.part);
      fingerprints_.start(sender.tenant, sender.principal, model::Operation::record_statement, part_key);
      fingerprints_.text(1, upload.rail);
      fingerprints_.number(2, static_cast<std::uint64_t>(part.format));
      fingerprints_.bytes(3, part.file);
      command.idempotency = fingerprints_.finish();
      builder.keep_former(fingerprints_);
    }
    builder.resolve(model::NameToResolve::Field::rail, upload.rail);
    if (part.part == 1 && !read->name.empty()) part.name = builder.commit(model::PrivateField::statement_name, base::as_bytes(read->name));
    command.body = std::move(part);
  }
  return builder.finish();
}

std::variant<model::Admitted, Refusal> Gate::admit_transfers(const Sender& sender,
                                                             std::span<const TransferRequest> transfers,
                                                             std::string_view batch_key) {
  if (!batch_key.empty() && !is_idempotency_key(batch_key)) return *refuse_key(sender, batch_key);
  if (transfers.size() > batch_items_max) {
    return refusal(Outcome::batch_too_large, "a batch has at most 8190 items", sender.trace);
  }
  Problems problems, of_item;
  if (transfers.empty()) add_problem(problems, "request_field_out_of_range", "/items", "a batch has at least one item");
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    check_transfer(transfers[i], "", of_item);
    if (!is_idempotency_key(transfers[i].key)) {
      add_problem(of_item, "request_field_malformed", "/idempotency_key", "1 to 255 printable ASCII characters");
    }
    if (of_item.empty()) [[likely]]
      continue;
    const std::string prefix = item_pointer(transfers, i);
    for (wire::FieldProblem& problem : of_item)
      add_problem(problems, problem.code, prefix + problem.pointer, problem.detail);
    of_item.clear();
    if (problems.size() >= problems_max) break;
  }
  if (!problems.empty()) return refusal(std::move(problems), sender.trace);

  Builder builder(sender, random_);
  builder.admitted.is_batch = true;
  builder.admitted.commands.reserve(transfers.size());
  builder.admitted.names.reserve(transfers.size() * 2);
  seen_keys_.assign(slots_for(transfers.size()), {});
  batch_fields_.resize(fingerprints_.versions());
  for (base::Bytes& fields : batch_fields_) fields.clear();
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const TransferRequest& transfer = transfers[i];
    const bool joins = i > 0 && transfer.group != 0 && transfer.group == transfers[i - 1].group;
    if (!joins)
      std::get<model::CreateTransfer>((builder.add_command().body = model::CreateTransfer{})).items.reserve(1);
    const model::IdempotencyTag tag = add_transfer(builder, transfer.key, transfer);
    if (!put_key(seen_keys_, tag.key)) {
      const std::string pointer = item_pointer(transfers, i) + "/idempotency_key";
      Refusal refused =
          refusal(Outcome::idempotency_key_twice_in_batch, pointer + ": another item has the same key", sender.trace);
      refused.fields.push_back({"request_field_not_unique", pointer, "another item has the same key", ""});
      return refused;
    }
    if (!batch_key.empty()) {
      for (std::size_t version = 0; version < batch_fields_.size(); ++version) {
        base::append(batch_fields_[version], tag.key);
        base::append(batch_fields_[version], fingerprints_.tag_of_version(version).fingerprint);
        batch_fields_[version].push_back(joins ? 1 : 0);
      }
    }
  }
  if (!batch_key.empty()) {
    fingerprints_.start(sender.tenant, sender.principal, model::Operation::record_batch, batch_key);
    fingerprints_.bytes_of_versions(1, batch_fields_);
    builder.admitted.batch_tag = fingerprints_.finish();
    builder.keep_former(fingerprints_);
  }
  return builder.finish();
}

}  // namespace gate
