#include "audit/evidence_check.h"

#include <algorithm>

#include "audit/leaf.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/evm/inclusion.h"
#include "crypto/hash.h"
#include "crypto/time_stamp.h"
#include "model/entry.h"
#include "model/private_field.h"

namespace audit {
namespace {

base::Error error_at(const base::Error& error, std::uint64_t event) {
  return {error.code, "event " + std::to_string(event) + ": " + error.message};
}

struct Signed {
  Checkpoint checkpoint;
  NoteKey log_key;
  std::vector<WitnessSeen> witnesses;
  std::vector<std::size_t> cosigners;
};

// The log's keys of one origin, and which of them signed a note.
base::Result<NoteKey> signer_of(const Note& note, std::span<const NoteKey> keys) {
  TRY_ASSIGN(const auto good, verify_note(note, keys));
  return keys[good.front().key];
}

base::Result<Signed> check_checkpoint(const Evidence& evidence, const Policy& policy) {
  std::vector<NoteKey> keys;
  for (const PolicyLog& log : policy.logs) {
    if (log.key.name == evidence.origin) keys.push_back(log.key);
  }
  if (keys.empty()) return base::Error{"log_not_in_policy", "the policy names no key of the log \"" + evidence.origin + "\""};
  TRY_ASSIGN(VerifiedCheckpoint verified, verify_checkpoint_note(evidence.checkpoint, evidence.origin, keys, policy.witness_keys()));
  TRY_ASSIGN(const Note note, parse_note(evidence.checkpoint));
  Signed result{.checkpoint = std::move(verified.checkpoint), .log_key = {}, .witnesses = {}, .cosigners = {}};
  TRY_ASSIGN(result.log_key, signer_of(note, keys));
  const auto log = std::ranges::find(policy.logs, result.log_key, &PolicyLog::key);
  CHECK(log != policy.logs.end());
  if (log->retired_at && result.checkpoint.size >= *log->retired_at) {
    return base::Error{"log_key_retired", "the key " + to_vkey(log->key) + " signs no tree of " + std::to_string(*log->retired_at) +
                                              " leaves or more, and this one has " + std::to_string(result.checkpoint.size)};
  }
  for (const VerifiedSignature& cosignature : verified.cosignatures) {
    result.witnesses.push_back({policy.witnesses[cosignature.key].name, cosignature.seconds});
    result.cosigners.push_back(cosignature.key);
  }
  return result;
}

// The head is the log's word on which events there are; one signature, by the key of the checkpoint, and nothing else.
base::Status check_head(const Evidence& evidence, const Signed& signed_by) {
  const auto malformed = [](const std::string& why) { return base::Error{"head_malformed", why}; };
  const auto note = parse_note(evidence.head);
  if (!note.ok()) return malformed(note.error().message);
  if (note->signatures.size() != 1) return malformed("it has more than one signature");
  const NoteSignature& line = note->signatures[0];
  if (make_note(note->text, signature_line(line.name, line.key_id, line.signature)) != evidence.head) {
    return malformed("its signature line has another form");
  }
  const NoteKey keys[] = {signed_by.log_key};
  const auto verified = verify_note(*note, keys);
  if (!verified.ok()) return base::Error{"head_not_signed_by_log", verified.error().message};
  const std::string expected = item_head_text(evidence, signed_by.checkpoint.size);
  if (note->text == expected) return base::ok();
  // Only the hash of the body differs: somebody changed what the log gave out.
  const auto line_of = [](std::string_view text, std::string_view name) {
    const std::size_t at = text.find("\n" + std::string(name) + " ");
    return at == std::string_view::npos ? std::string() : std::string(text.substr(at, text.find('\n', at + 1) - at));
  };
  std::string same_but_hash = note->text;
  const std::string theirs = line_of(same_but_hash, "bundle"), ours = line_of(expected, "bundle");
  if (!theirs.empty()) same_but_hash.replace(same_but_hash.find(theirs), theirs.size(), ours);
  if (same_but_hash == expected) return base::Error{"evidence_changed", "the bundle is not the one that the log signed"};
  return base::Error{"head_differs", "the log signed another item, tree or list of events"};
}

base::Status check_personal(const EvidenceEvent& event, const model::Event& decoded) {
  if (event.personal.empty()) return base::ok();
  const std::vector<model::CommittedField> committed = model::committed_fields(decoded.body);
  std::string_view before;
  for (const PersonalValue& value : event.personal) {
    const auto found = std::ranges::find_if(committed, [&value](const model::CommittedField& known) { return model::name_of(known.field) == value.field; });
    const bool there = found != committed.end() && value.field > before;
    if (!there || crypto::sha256({base::ByteView(value.salt), base::ByteView(value.value)}) != found->commitment) {
      return base::Error{"personal_value_differs", "event " + std::to_string(event.number) + " does not commit to the " + value.field + " that is shown"};
    }
    before = value.field;
  }
  return base::ok();
}

base::Status check_events(const Signed& signed_by, VerifiedEvidence& verified) {
  std::uint64_t before = 0;
  for (const EvidenceEvent& event : verified.evidence.events) {
    if (event.number <= before) return base::Error{"events_out_of_order", "event " + std::to_string(event.number) + " does not ascend"};
    before = event.number;
    const auto leaf = decode_leaf(event.leaf);
    if (!leaf.ok()) return error_at(leaf.error(), event.number);
    const base::Status included = verify_inclusion(leaf_hash(event.leaf), event.number - 1, signed_by.checkpoint.size, event.proof, signed_by.checkpoint.root);
    if (!included.ok()) return error_at(included.error(), event.number);
    auto decoded = model::decode_event(leaf->event);
    if (!decoded.ok()) return error_at(decoded.error(), event.number);
    TRY(check_personal(event, *decoded));
    verified.events.push_back(std::move(*decoded));
  }
  return base::ok();
}

base::Result<AnchorSeen> check_time_stamp(base::ByteView token, const Digest& imprint, const Policy& policy) {
  std::vector<Digest> trusted;
  for (const PolicyTsa& tsa : policy.tsas) trusted.push_back(tsa.fingerprint);
  TRY_ASSIGN(const crypto::TimeStamp stamp, crypto::verify_time_stamp(token, imprint, trusted));
  return AnchorSeen{.name = policy.tsas[stamp.trusted].name, .seconds = stamp.seconds};
}

// The proof ends at a block; that the block is in the chain is the policy's word.
base::Result<AnchorSeen> check_in_block(base::ByteView token, const Digest& imprint, const Policy& policy) {
  TRY_ASSIGN(const crypto::EvmInclusion found, crypto::verify_evm_inclusion(token));
  if (!std::ranges::equal(found.call.data, imprint)) {
    return base::Error{"evm_calldata_differs", "the transaction's data is not the SHA-256 of this checkpoint's text"};
  }
  const std::string chain = found.call.chain_id ? "chain " + base::to_decimal(*found.call.chain_id) : "a chain that the transaction does not name";
  const std::string place = "block " + std::to_string(found.block.number) + " (0x" + base::to_hex(found.block.hash) + ") of " + chain;
  const auto known = std::ranges::find(policy.evm_blocks, found.block.hash, &PolicyEvmBlock::hash);
  if (known == policy.evm_blocks.end() || known->number != found.block.number) {
    return base::Error{"evm_block_not_in_policy", "it is in " + place + ", which the policy does not name"};
  }
  if (found.call.chain_id != base::U128{known->chain_id}) {
    return base::Error{"evm_chain_differs", "it is in " + place + ", which the policy names as one of chain " + std::to_string(known->chain_id)};
  }
  return AnchorSeen{.name = known->name, .seconds = found.block.seconds, .block = *known};
}

base::Result<AnchorSeen> check_anchor(const EvidenceAnchor& anchor, const Evidence& evidence, const Checkpoint& checkpoint, const Policy& policy) {
  for (const EvidenceEvent& event : evidence.events) {
    if (!event.item || event.number <= anchor.size) continue;
    return base::Error{"anchor_does_not_cover", "the stamped tree of " + std::to_string(anchor.size) + " leaves is older than event " + std::to_string(event.number)};
  }
  TRY(verify_consistency(anchor.size, anchor.root, checkpoint.size, checkpoint.root, anchor.proof));
  const std::string text = checkpoint_text({.origin = evidence.origin, .size = anchor.size, .root = anchor.root, .extensions = {}});
  const Digest imprint = crypto::sha256(base::as_bytes(text));
  TRY_ASSIGN(AnchorSeen seen, anchor.kind == evm_kind ? check_in_block(anchor.token, imprint, policy) : check_time_stamp(anchor.token, imprint, policy));
  seen.size = anchor.size;
  return seen;
}

// An anchor that does not count takes nothing away: whether evidence holds without any does not depend on who can read tokens.
void count_anchors(VerifiedEvidence& verified, const Checkpoint& checkpoint, const Policy& policy) {
  for (const EvidenceAnchor& anchor : verified.evidence.anchors) {
    auto seen = check_anchor(anchor, verified.evidence, checkpoint, policy);
    if (seen.ok()) verified.anchors.push_back(std::move(*seen));
    else verified.anchors_not_counted.push_back({anchor.kind, seen.error()});
  }
}

base::Status require_anchors(const VerifiedEvidence& verified, std::size_t required) {
  std::vector<std::string> names;
  for (const AnchorSeen& anchor : verified.anchors) names.push_back(anchor.name);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  if (names.size() >= required) return base::ok();
  std::string message = std::to_string(names.size()) + " anchors under different names of the policy, " + std::to_string(required) + " are required";
  for (const auto& [kind, why] : verified.anchors_not_counted) message += "; one does not count, " + std::string(why.code) + ": " + why.message;
  return base::Error{"too_few_anchors", message};
}

}  // namespace

base::Result<VerifiedEvidence> check_evidence(std::string_view text, const Policy& policy, const EvidenceRequirements& required) {
  VerifiedEvidence verified;
  TRY_ASSIGN(verified.evidence, parse_evidence(text));
  const Evidence& evidence = verified.evidence;
  TRY_ASSIGN(Signed signed_by, check_checkpoint(evidence, policy));
  TRY(check_head(evidence, signed_by));
  TRY(check_events(signed_by, verified));
  TRY_ASSIGN(verified.story, read_story(evidence, verified.events));
  for (const EvidenceAnchor& anchor : evidence.anchors) {
    if (anchor.kind == time_stamp_kind || anchor.kind == evm_kind) continue;
    return base::Error{"anchor_kind_unknown", "an anchor of the kind \"" + anchor.kind + "\" cannot be checked here"};
  }
  if (signed_by.witnesses.size() < required.witnesses) {
    return base::Error{"too_few_witnesses", std::to_string(signed_by.witnesses.size()) + " witnesses of the policy saw the checkpoint, " +
                                                std::to_string(required.witnesses) + " are required"};
  }
  if (!policy.satisfied_by(signed_by.cosigners)) {
    return base::Error{"quorum_not_met", "the witnesses that saw the checkpoint are not the quorum \"" + policy.quorum + "\" of the policy"};
  }
  count_anchors(verified, signed_by.checkpoint, policy);
  TRY(require_anchors(verified, required.anchors));
  verified.checkpoint = std::move(signed_by.checkpoint);
  verified.log_key = signed_by.log_key;
  verified.witnesses = std::move(signed_by.witnesses);
  return verified;
}

}  // namespace audit
