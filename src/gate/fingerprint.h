#pragma once
// Tags of idempotency keys (docs/format/idempotency.md): what the journal knows of a key and of the body it came with.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/int128.h"
#include "crypto/mac.h"
#include "gate/keys.h"
#include "model/command.h"
#include "model/ids.h"

namespace gate {

/// MAC of a key in its scope; equal keys of different tenants, principals or operations have different MACs.
base::Tag128 key_mac(const GateKeys& keys, model::TenantNumber tenant, model::PrincipalNumber principal,
                     model::Operation operation, std::string_view key);

/// MAC of a transfer's reference within its tenant, for look-up by reference.
base::Tag128 reference_mac(const GateKeys& keys, model::TenantNumber tenant, std::string_view reference);

/// Names of an operation's business fields. The place in the list, from 1, is the field's number. Lists only grow.
std::span<const std::string_view> fields_of(model::Operation operation);

/// Collects the business fields of one request in ascending order of their numbers and makes the tag. A field that is
/// absent, or present with its default value, is not given: so that saying the default and leaving it out agree.
/// The tag is made with the newest version of the key; a request that repeats one of before the key was rotated is compared
/// under the version its first request was recorded with, so tags under all former versions are made beside it.
/// Reuse one object: it keeps its memory. Not for two threads.
class FingerprintMaker {
 public:
  explicit FingerprintMaker(const GateKeys& keys);

  /// Versions of the key, newest first.
  std::size_t versions() const { return lanes_.size(); }

  /// Begins the tag of a request under this key.
  void start(model::TenantNumber tenant, model::PrincipalNumber principal, model::Operation operation,
             std::string_view key);
  void text(std::uint8_t field, std::string_view value);
  void number(std::uint8_t field, std::uint64_t value);
  void amount(std::uint8_t field, base::U128 value);
  void boolean(std::uint8_t field, bool value);
  void bytes(std::uint8_t field, base::ByteView value);
  /// A field whose value is itself made of fingerprints: for each version its own. Must be the only field.
  void bytes_of_versions(std::uint8_t field, std::span<const base::Bytes> values);
  void asset(std::uint8_t field, const model::Asset& value);
  /// The tag under the newest version.
  model::IdempotencyTag finish();
  /// After finish(): the tag under each version, newest first, until the next start().
  const model::IdempotencyTag& tag_of_version(std::size_t place) const { return lanes_[place].tag; }

 private:
  struct Lane {
    crypto::SipKeyView key;         // of the version
    base::Tag128 request_key{};     // SipHash key of this one request
    model::IdempotencyTag tag;
  };
  void begin(std::uint8_t field);
  void end(std::uint8_t field);
  static void add_field(Lane& lane, std::uint8_t field, base::ByteView pair);

  const GateKeys& keys_;
  base::Bytes bytes_;
  base::CborWriter writer_;
  std::size_t field_start_ = 0;
  std::vector<Lane> lanes_;  // one for each version, newest first
  bool finished_ = false;    // bytes_of_versions() has made the fingerprints
};

/// Names of fields given as bits: bit i is field i + 1 (node::ItemAnswer::differing_fields).
std::vector<std::string_view> field_names(model::Operation operation, std::uint16_t bits);

/// Names of the fields in which two requests under one key differ; empty when none does.
std::vector<std::string_view> differing_fields(model::Operation operation, const model::IdempotencyTag& first,
                                               const model::IdempotencyTag& second);

}  // namespace gate
