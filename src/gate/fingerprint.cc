#include "gate/fingerprint.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "crypto/mac.h"

namespace gate {

namespace {

// The lists of docs/format/idempotency.md. Only ever appended to: the place is the number.
constexpr std::array<std::string_view, 1> open_tenant = {"name"};
constexpr std::array<std::string_view, 1> register_asset = {"code"};
constexpr std::array<std::string_view, 7> open_account = {
    "id", "asset", "flags", "limits/debit_amount_max", "limits/daily_debits_max", "limits/balance_max", "metadata"};
constexpr std::array<std::string_view, 4> change_account_flags = {"id", "action", "debits", "credits"};
constexpr std::array<std::string_view, 4> set_account_limits = {"id", "debit_amount_max", "daily_debits_max",
                                                                "balance_max"};
constexpr std::array<std::string_view, 9> create_transfer = {
    "debit_account", "credit_account", "asset", "amount", "hold", "hold_seconds", "reference", "metadata", "kind"};
constexpr std::array<std::string_view, 2> capture_hold = {"id", "amount"};
constexpr std::array<std::string_view, 1> void_hold = {"id"};
constexpr std::array<std::string_view, 2> cancel_key = {"operation", "key"};
constexpr std::array<std::string_view, 1> record_batch = {"items"};
constexpr std::array<std::string_view, 3> create_client = {"name", "kind", "scopes"};
constexpr std::array<std::string_view, 2> rotate_client = {"id", "overlap_seconds"};
constexpr std::array<std::string_view, 1> revoke_client = {"id"};
constexpr std::array<std::string_view, 11> create_payout = {
    "debit_account", "asset", "amount", "rail", "beneficiary", "country", "instrument", "send_within_seconds",
    "reference", "metadata", "kind"};
constexpr std::array<std::string_view, 11> create_collect = {
    "credit_account", "asset", "amount", "rail", "payer", "country", "instrument", "send_within_seconds",
    "reference", "metadata", "kind"};
constexpr std::array<std::string_view, 1> cancel_transfer = {"id"};
constexpr std::array<std::string_view, 3> review_transfer = {"id", "decision", "reason"};
constexpr std::array<std::string_view, 3> resolve_unknown = {"id", "verdict", "reason"};
constexpr std::array<std::string_view, 4> refund_transfer = {"id", "amount", "reference", "metadata"};
constexpr std::array<std::string_view, 3> record_statement = {"rail", "format", "file"};
constexpr std::array<std::string_view, 4> resolve_exception = {"exception", "resolution", "transfer", "reason"};
constexpr std::array<std::string_view, 3> configure_rail = {"name", "asset", "profile"};
constexpr std::array<std::string_view, 5> control_rail = {"name", "action", "from", "until", "paused"};
constexpr std::array<std::string_view, 4> create_webhook = {"url", "events", "ordered", "personal"};
constexpr std::array<std::string_view, 6> change_webhook = {"id", "url", "events", "enabled", "ordered", "personal"};
constexpr std::array<std::string_view, 1> remove_webhook = {"id"};
constexpr std::array<std::string_view, 2> rotate_webhook = {"id", "overlap_seconds"};
constexpr std::array<std::string_view, 11> import_key = {"partner",     "key",    "purpose",     "material",
                                                        "responsible", "staged", "activate_at", "overlap_seconds",
                                                        "captured",    "id",     "address"};
constexpr std::array<std::string_view, 1> challenge_import = {"id"};
constexpr std::array<std::string_view, 2> prove_import = {"id", "signature"};
constexpr std::array<std::string_view, 3> review_import = {"id", "decision", "reason"};
constexpr std::array<std::string_view, 4> steer_key = {"id", "verb", "version", "reason"};
static_assert(create_transfer.size() <= model::fingerprint_fields_max);
static_assert(create_payout.size() <= model::fingerprint_fields_max);

void write_scope(base::CborWriter& out, model::TenantNumber tenant, model::PrincipalNumber principal,
                 model::Operation operation, std::string_view key) {
  out.array(4);
  out.uint(tenant);
  out.uint(principal);
  out.uint(static_cast<std::uint64_t>(operation));
  out.text(key);
}

}  // namespace

base::Tag128 key_mac(const GateKeys& keys, model::TenantNumber tenant, model::PrincipalNumber principal,
                     model::Operation operation, std::string_view key) {
  base::Bytes bytes;
  base::CborWriter out(bytes);
  write_scope(out, tenant, principal, operation, key);
  return crypto::siphash128(keys.idempotency, bytes);
}

base::Tag128 reference_mac(const GateKeys& keys, model::TenantNumber tenant, std::string_view reference) {
  base::Bytes bytes;
  base::CborWriter out(bytes);
  out.array(2);
  out.uint(tenant);
  out.text(reference);
  return crypto::siphash128(keys.reference, bytes);
}

std::span<const std::string_view> fields_of(model::Operation operation) {
  switch (operation) {
    case model::Operation::open_tenant:
      return open_tenant;
    case model::Operation::register_asset:
      return register_asset;
    case model::Operation::open_account:
      return open_account;
    case model::Operation::change_account_flags:
      return change_account_flags;
    case model::Operation::set_account_limits:
      return set_account_limits;
    case model::Operation::create_transfer:
      return create_transfer;
    case model::Operation::capture_hold:
      return capture_hold;
    case model::Operation::void_hold:
      return void_hold;
    case model::Operation::cancel_key:
      return cancel_key;
    case model::Operation::record_batch:
      return record_batch;
    case model::Operation::create_client:
      return create_client;
    case model::Operation::rotate_client:
      return rotate_client;
    case model::Operation::revoke_client:
      return revoke_client;
    case model::Operation::configure_rail:
      return configure_rail;
    case model::Operation::control_rail:
      return control_rail;
    case model::Operation::create_payout:
      return create_payout;
    case model::Operation::create_collect:
      return create_collect;
    case model::Operation::cancel_transfer:
      return cancel_transfer;
    case model::Operation::review_transfer:
      return review_transfer;
    case model::Operation::resolve_unknown:
      return resolve_unknown;
    case model::Operation::refund_transfer:
      return refund_transfer;
    case model::Operation::record_statement:
      return record_statement;
    case model::Operation::resolve_exception:
      return resolve_exception;
    case model::Operation::create_webhook:
      return create_webhook;
    case model::Operation::change_webhook:
      return change_webhook;
    case model::Operation::remove_webhook:
      return remove_webhook;
    case model::Operation::rotate_webhook:
      return rotate_webhook;
    case model::Operation::import_key:
      return import_key;
    case model::Operation::challenge_import:
      return challenge_import;
    case model::Operation::prove_import:
      return prove_import;
    case model::Operation::review_import:
      return review_import;
    case model::Operation::steer_key:
      return steer_key;
    case model::Operation::mark_webhook:
    case model::Operation::none:
    case model::Operation::tick:
    case model::Operation::confirm_clock:
    case model::Operation::bump_epoch:
    case model::Operation::change_log_key:
    case model::Operation::report_rail:
      break;
  }
  return {};
}

FingerprintMaker::FingerprintMaker(const GateKeys& keys) : keys_(keys), writer_(bytes_) {
  for (const VersionedKey<16>& key : keys.fingerprints) {
    CHECK_THAT(key.version <= UINT8_MAX, "custody makes no more versions than a tag can name");
    lanes_.push_back({.key = crypto::SipKeyView(key.key), .tag = {}});
    lanes_.back().tag.fingerprint_version = static_cast<std::uint8_t>(key.version);
  }
}

void FingerprintMaker::start(model::TenantNumber tenant, model::PrincipalNumber principal, model::Operation operation,
                             std::string_view key) {
  bytes_.clear();
  write_scope(writer_, tenant, principal, operation, key);
  const base::Tag128 key_in_scope = crypto::siphash128(keys_.idempotency, bytes_);
  for (Lane& lane : lanes_) {
    lane.tag = {.key = key_in_scope, .fingerprint_version = lane.tag.fingerprint_version};
    // Every request has a key of its own, bound to its scope: equal fields of different requests do not show as equal.
    lane.request_key = crypto::siphash128(lane.key, key_in_scope);
  }
  finished_ = false;
  bytes_.clear();
  bytes_.push_back(0xA0);  // head of a map of fewer than 24 pairs, counted up by end()
}

void FingerprintMaker::begin(std::uint8_t field) {
  CHECK(field > lanes_[0].tag.field_count && field <= model::fingerprint_fields_max);
  field_start_ = bytes_.size();
  writer_.uint(field);
}

void FingerprintMaker::end(std::uint8_t field) {
  ++bytes_[0];
  const base::ByteView pair = base::ByteView(bytes_).subspan(field_start_);
  for (Lane& lane : lanes_) add_field(lane, field, pair);
}

void FingerprintMaker::add_field(Lane& lane, std::uint8_t field, base::ByteView pair) {
  const auto mac = static_cast<std::uint32_t>(crypto::siphash64(lane.request_key, pair));
  lane.tag.fields[field - 1u] = mac == 0 ? 1 : mac;  // 0 is a field that is absent
  lane.tag.field_count = field;
}

void FingerprintMaker::text(std::uint8_t field, std::string_view value) {
  begin(field);
  writer_.text(value);
  end(field);
}

void FingerprintMaker::number(std::uint8_t field, std::uint64_t value) {
  begin(field);
  writer_.uint(value);
  end(field);
}

void FingerprintMaker::amount(std::uint8_t field, base::U128 value) {
  begin(field);
  writer_.amount(value);
  end(field);
}

void FingerprintMaker::boolean(std::uint8_t field, bool value) {
  begin(field);
  writer_.boolean(value);
  end(field);
}

void FingerprintMaker::bytes(std::uint8_t field, base::ByteView value) {
  begin(field);
  writer_.bytes(value);
  end(field);
}

void FingerprintMaker::bytes_of_versions(std::uint8_t field, std::span<const base::Bytes> values) {
  CHECK(values.size() == lanes_.size() && bytes_.size() == 1);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    bytes_.resize(1);
    field_start_ = 1;
    writer_.uint(field);
    writer_.bytes(values[i]);
    bytes_[0] = 0xA1;
    add_field(lanes_[i], field, base::ByteView(bytes_).subspan(field_start_));
    lanes_[i].tag.fingerprint = crypto::siphash128(lanes_[i].request_key, bytes_);
  }
  finished_ = true;
}

void FingerprintMaker::asset(std::uint8_t field, const model::Asset& value) {
  begin(field);
  writer_.array(2);
  writer_.text({value.code.data(), ::strnlen(value.code.data(), value.code.size())});
  writer_.uint(value.scale);
  end(field);
}

model::IdempotencyTag FingerprintMaker::finish() {
  if (!finished_) {
    for (Lane& lane : lanes_) lane.tag.fingerprint = crypto::siphash128(lane.request_key, bytes_);
  }
  return lanes_[0].tag;
}

std::vector<std::string_view> field_names(model::Operation operation, std::uint16_t bits) {
  std::vector<std::string_view> names;
  const auto fields = fields_of(operation);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if ((bits >> i & 1u) != 0) names.push_back(fields[i]);
  }
  return names;
}

std::vector<std::string_view> differing_fields(model::Operation operation, const model::IdempotencyTag& first,
                                               const model::IdempotencyTag& second) {
  unsigned bits = 0;
  for (std::size_t i = 0; i < model::fingerprint_fields_max; ++i) {
    if (first.fields[i] != second.fields[i]) bits |= 1u << i;
  }
  return field_names(operation, static_cast<std::uint16_t>(bits));
}

}  // namespace gate
