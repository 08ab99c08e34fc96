#pragma once
// Tags of idempotency keys (docs/format/idempotency.md): what the journal knows of a key and of the body it came with.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/int128.h"
#include "gate/keys.h"
#include "model/command.h"
#include "model/ids.h"

namespace gate {

constexpr std::uint8_t fingerprint_version = 1;

/// MAC of a key in its scope; equal keys of different tenants, principals or operations have different MACs.
base::Tag128 key_mac(const GateKeys& keys, model::TenantNumber tenant, model::PrincipalNumber principal,
                     model::Operation operation, std::string_view key);

/// MAC of a transfer's reference within its tenant, for look-up by reference.
base::Tag128 reference_mac(const GateKeys& keys, model::TenantNumber tenant, std::string_view reference);

/// Names of an operation's business fields. The place in the list, from 1, is the field's number. Lists only grow.
std::span<const std::string_view> fields_of(model::Operation operation);

/// Collects the business fields of one request in ascending order of their numbers and makes the tag. A field that is
/// absent, or present with its default value, is not given: so that saying the default and leaving it out agree.
/// Reuse one object: it keeps its memory. Not for two threads.
class FingerprintMaker {
 public:
  explicit FingerprintMaker(const GateKeys& keys) : keys_(keys), writer_(bytes_) {}

  /// Begins the tag of a request under this key.
  void start(model::TenantNumber tenant, model::PrincipalNumber principal, model::Operation operation,
             std::string_view key);
  void text(std::uint8_t field, std::string_view value);
  void number(std::uint8_t field, std::uint64_t value);
  void amount(std::uint8_t field, base::U128 value);
  void boolean(std::uint8_t field, bool value);
  void bytes(std::uint8_t field, base::ByteView value);
  void asset(std::uint8_t field, const model::Asset& value);
  model::IdempotencyTag finish();

 private:
  void begin(std::uint8_t field);
  void end(std::uint8_t field);

  const GateKeys& keys_;
  base::Bytes bytes_;
  base::CborWriter writer_;
  base::Tag128 request_key_{};  // SipHash key of this one request
  std::size_t field_start_ = 0;
  model::IdempotencyTag tag_;
};

/// Names of fields given as bits: bit i is field i + 1 (node::ItemAnswer::differing_fields).
std::vector<std::string_view> field_names(model::Operation operation, std::uint16_t bits);

/// Names of the fields in which two requests under one key differ; empty when none does.
std::vector<std::string_view> differing_fields(model::Operation operation, const model::IdempotencyTag& first,
                                               const model::IdempotencyTag& second);

}  // namespace gate
