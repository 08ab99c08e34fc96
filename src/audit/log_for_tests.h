#pragma once
// For tests: a log in memory, its keys and witnesses, and bundles over it signed as a log signs them.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/evidence.h"
#include "audit/leaf.h"
#include "audit/policy.h"
#include "audit/signing_for_tests.h"
#include "audit/tree_in_memory.h"
#include "base/check.h"
#include "crypto/hash.h"
#include "model/entry.h"

namespace audit {

struct LogForTests {
  std::string origin = "log.example/one";
  TestSigner log{origin, NoteKeyKind::ed25519, 1};
  TestSigner former{origin, NoteKeyKind::ed25519, 2};
  TestSigner witness{"w.example/1", NoteKeyKind::cosignature_v1, 3};
  TestSigner other_witness{"w.example/2", NoteKeyKind::cosignature_v1, 4};
  base::Tag128 salt{1, 2, 3};
  std::vector<base::Bytes> leaves;
  std::vector<Digest> hashes;

  model::Commitment commitment_to(std::string_view value) const { return crypto::sha256({base::ByteView(salt), base::as_bytes(value)}); }

  /// The event's number.
  model::EventNumber add(model::EventBody body) {
    base::Bytes event, leaf;
    model::encode_event(event, {.at = {1'800'000'000'000'000'000}, .body = std::move(body)});
    BlindingValue blinding{};
    blinding.fill(static_cast<std::uint8_t>(leaves.size()));
    CHECK_THAT(encode_leaf(blinding, event, leaf).ok(), "events of tests fit into leaves");
    hashes.push_back(leaf_hash(leaf));
    leaves.push_back(std::move(leaf));
    return leaves.size();
  }

  /// Unsigned, and nothing disclosed.
  Evidence evidence_of(EvidenceKind kind, std::string id, const std::vector<model::EventNumber>& items, const std::vector<model::EventNumber>& context) const {
    TreeInMemory tree;
    for (const Digest& hash : hashes) tree.append(hash);
    Evidence evidence{.kind = kind, .id = std::move(id), .origin = origin, .events = {}, .checkpoint = {}, .anchors = {}, .head = {}};
    const auto put = [&](model::EventNumber number, bool item) {
      EvidenceEvent event{.number = number, .item = item, .leaf = leaves[number - 1], .proof = {}, .personal = {}};
      event.proof = inclusion_proof(tree, number - 1, hashes.size()).value();
      evidence.events.push_back(std::move(event));
    };
    for (const model::EventNumber number : items) put(number, true);
    for (const model::EventNumber number : context) put(number, false);
    std::ranges::sort(evidence.events, {}, &EvidenceEvent::number);
    return evidence;
  }
  void show(Evidence& evidence, model::EventNumber number, const char* field, std::string_view value) const {
    const auto event = std::ranges::find(evidence.events, number, &EvidenceEvent::number);
    event->personal.push_back({field, salt, base::to_bytes(base::as_bytes(value))});
  }

  Checkpoint checkpoint() const {
    Frontier frontier;
    frontier.append(hashes);
    return {.origin = origin, .size = hashes.size(), .root = frontier.root(), .extensions = {}};
  }
  std::string signed_checkpoint(const TestSigner& by) const {
    const std::string text = checkpoint_text(checkpoint());
    return make_note(text, by.line(text)) + witness.line(text, 1'800'000'001);
  }
  /// Signs whatever there is, as the log does.
  std::string finished(Evidence evidence, const TestSigner& by) const {
    if (evidence.checkpoint.empty()) evidence.checkpoint = signed_checkpoint(by);
    const std::string head = item_head_text(evidence, hashes.size());
    evidence.head = make_note(head, by.line(head));
    return evidence_text(evidence);
  }
  /// The key `former` signs no tree of three leaves or more.
  Policy policy() const {
    Policy policy;
    policy.logs.push_back({former.key, "", 3});
    policy.logs.push_back({log.key, "", {}});
    policy.witnesses.push_back({"one", witness.key, ""});
    policy.witnesses.push_back({"two", other_witness.key, ""});
    return policy;
  }
};

}  // namespace audit
