#include "node/evidence.h"

#include <algorithm>

#include "audit/leaf.h"
#include "model/entry.h"

namespace node {

namespace {

struct Wanted {
  model::EventNumber number = 0;
  bool item = true;
};

// Names of fields as the bundle has them, ascending.
struct Shown {
  model::PrivateField field;
  const char* name;
};
constexpr Shown of_account[] = {{model::PrivateField::account_name, "account_name"},
                                {model::PrivateField::world_account_name, "world_account_name"}};
constexpr Shown of_transfer[] = {{model::PrivateField::transfer_metadata, "transfer_metadata"},
                                 {model::PrivateField::transfer_reference, "transfer_reference"}};

base::Status disclose(const store::JournalReader& reader, const model::Event& event, audit::EvidenceEvent& into) {
  const bool account = std::holds_alternative<model::AccountOpened>(event.body);
  const bool transfer = std::holds_alternative<model::TransferPosted>(event.body) || std::holds_alternative<model::HoldPlaced>(event.body);
  if (!account && !transfer) return base::ok();
  for (const Shown& shown : account ? std::span<const Shown>(of_account) : std::span<const Shown>(of_transfer)) {
    TRY_ASSIGN(const auto value, reader.read_private(into.number, shown.field));
    if (value && !value->erased) into.personal.push_back({shown.name, value->salt, value->value});
  }
  return base::ok();
}

}  // namespace

base::Result<std::string> make_evidence(AuditLog& log, const store::JournalReader& reader, const Published& published,
                                        const EvidenceSubject& subject) {
  const audit::Checkpoint& checkpoint = published.checkpoint;
  audit::Evidence evidence{.id = model::transfer_id(subject.id.partition, subject.id.event),
                           .origin = checkpoint.origin,
                           .events = {},
                           .checkpoint = published.note,
                           .anchors = {},
                           .head = {}};
  std::vector<Wanted> wanted{{subject.id.event, true}};
  // What happened after this tree is not its business.
  if (subject.resolved != 0 && subject.resolved <= checkpoint.size) wanted.push_back({subject.resolved, true});
  for (const model::EventNumber number : subject.context) wanted.push_back({number, false});
  std::ranges::sort(wanted, {}, &Wanted::number);
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
  return audit::evidence_text(evidence);
}

}  // namespace node
