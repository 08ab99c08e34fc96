#include "node/evidence.h"

#include <algorithm>

#include "audit/leaf.h"
#include "model/private_field.h"

namespace node {

namespace {

struct Wanted {
  model::EventNumber number = 0;
  bool item = true;
};

std::vector<Wanted> wanted_of(const EvidenceSubject& subject, std::uint64_t size) {
  std::vector<Wanted> wanted;
  const auto want = [&](const std::vector<model::EventNumber>& numbers, bool item) {
    // What happened after this tree is not its business.
    for (const model::EventNumber number : numbers) {
      if (number <= size) wanted.push_back({number, item});
    }
  };
  want(subject.items, true);
  want(subject.context, false);
  std::ranges::sort(wanted, {}, &Wanted::number);
  return wanted;
}

base::Status disclose(const store::JournalReader& reader, const model::Event& event, audit::EvidenceEvent& into) {
  for (const model::CommittedField& committed : model::committed_fields(event.body)) {
    // What a client keeps beside an account says nothing about a transfer.
    if (committed.field == model::PrivateField::account_metadata) continue;
    TRY_ASSIGN(const auto value, reader.read_private(into.number, committed.field));
    if (value && !value->erased) into.personal.push_back({std::string(model::name_of(committed.field)), value->salt, value->value});
  }
  return base::ok();
}

}  // namespace

base::Result<std::string> make_evidence(AuditLog& log, const store::JournalReader& reader, const Published& published,
                                        const EvidenceSubject& subject) {
  const audit::Checkpoint& checkpoint = published.checkpoint;
  audit::Evidence evidence{.kind = subject.kind,
                           .id = subject.id,
                           .origin = checkpoint.origin,
                           .events = {},
                           .checkpoint = published.note,
                           .anchors = {},
                           .head = {}};
  const std::vector<Wanted> wanted = wanted_of(subject, checkpoint.size);
  if (wanted.size() > audit::evidence_events_max) {
    return base::Error{"evidence_too_large", std::to_string(wanted.size()) + " events; a bundle holds " + std::to_string(audit::evidence_events_max)};
  }
  for (const Wanted& one : wanted) {
    audit::EvidenceEvent event{.number = one.number, .item = one.item, .leaf = {}, .proof = {}, .personal = {}};
    TRY_ASSIGN(event.leaf, log.leaf(one.number - 1));
    TRY_ASSIGN(event.proof, log.prove(one.number - 1, checkpoint, audit::leaf_hash(event.leaf)));
    if (subject.disclose) {
      TRY_ASSIGN(const audit::Leaf leaf, audit::decode_leaf(event.leaf));
      TRY_ASSIGN(const model::Event decoded, model::decode_event(leaf.event));
      TRY(disclose(reader, decoded, event));
    }
    evidence.events.push_back(std::move(event));
  }
  std::uint64_t last = 0;
  for (const audit::EvidenceEvent& event : evidence.events) last = event.item ? std::max(last, event.number) : last;
  evidence.anchors = log.anchors(last, checkpoint);
  TRY_ASSIGN(evidence.head, log.sign(audit::item_head_text(evidence, checkpoint.size)));
  std::string text = audit::evidence_text(evidence);
  if (text.size() > audit::evidence_bytes_max) {
    return base::Error{"evidence_too_large", std::to_string(text.size()) + " bytes; a bundle holds " + std::to_string(audit::evidence_bytes_max)};
  }
  return text;
}

}  // namespace node
