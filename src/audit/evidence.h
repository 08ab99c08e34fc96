#pragma once
// Evidence bundles (docs/format/evidence.md): all that proves one transfer or one import, in one text with exactly one spelling.
// This page writes and reads them; what they prove is audit/evidence_check.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/proof.h"
#include "base/bytes.h"
#include "base/result.h"

namespace audit {

/// What evidence is of.
enum class EvidenceKind { transfer, import };
/// `transfer` or `import`, as the bundle and its head spell it.
std::string_view name_of(EvidenceKind kind);

/// A personal value, shown with the salt under which an event commits to it.
struct PersonalValue {
  std::string field;   ///< as docs/format/evidence.md names them
  base::Tag128 salt{};
  base::Bytes value;
};

struct EvidenceEvent {
  std::uint64_t number = 0;
  bool item = true;    ///< of the item itself; otherwise what its numbers mean (asset, accounts, the hold of a payout)
  base::Bytes leaf;
  Proof proof;         ///< under the checkpoint
  std::vector<PersonalValue> personal;
};

/// Somebody else's word that a tree of this log was there at a time: the checkpoint's, or an earlier one.
struct EvidenceAnchor {
  std::string kind;          ///< time_stamp_kind or evm_kind
  base::Bytes token;         ///< the time-stamp, DER; or what crypto/evm/inclusion.h reads
  std::uint64_t size = 0;    ///< leaves of the stamped tree
  Digest root{};             ///< its root
  Proof proof = {};          ///< that the checkpoint's tree begins with it
};

constexpr std::string_view time_stamp_kind = "rfc3161";
constexpr std::string_view evm_kind = "evm";

struct Evidence {
  EvidenceKind kind = EvidenceKind::transfer;
  std::string id;      ///< of the transfer or import
  std::string origin;
  std::vector<EvidenceEvent> events;   ///< ascending by number
  std::string checkpoint;              ///< signed note, with cosignatures
  std::vector<EvidenceAnchor> anchors;
  std::string head;                    ///< signed note over item_head_text
};

constexpr std::size_t evidence_bytes_max = 4u << 20;
constexpr std::size_t evidence_events_max = 1024;
constexpr std::size_t evidence_anchors_max = 8;

/// Everything before the head; its hash is part of the head.
std::string evidence_body(const Evidence& evidence);
/// What the log signs: which events the item had in the tree of `size` leaves, and the hash of the body.
std::string item_head_text(const Evidence& evidence, std::uint64_t size);
/// The whole bundle, with a newline at its end.
std::string evidence_text(const Evidence& evidence);

/// The inverse of evidence_text, and nothing else: one other byte and it is `evidence_malformed`, with the place.
base::Result<Evidence> parse_evidence(std::string_view text);

}  // namespace audit
