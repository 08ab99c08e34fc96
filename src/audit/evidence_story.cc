#include "audit/evidence_story.h"

#include <algorithm>

#include "model/event_subject.h"
#include "model/ids.h"
#include "model/registry.h"

namespace audit {
namespace {

base::Error foreign(std::uint64_t number, const char* why) {
  return {"event_not_of_this_item", "event " + std::to_string(number) + ": " + why};
}

std::string shown(const EvidenceEvent& event, std::string_view field) {
  const auto value = std::ranges::find(event.personal, field, &PersonalValue::field);
  return value == event.personal.end() ? std::string() : std::string(base::as_text(value->value));
}

// The event whose number is the item's id: everything else is judged by it.
base::Result<std::size_t> beginning(const Evidence& evidence, model::EventNumber number) {
  const auto found = std::ranges::find(evidence.events, number, &EvidenceEvent::number);
  if (found == evidence.events.end()) return foreign(number, "the item begins with it, and it is missing");
  if (!found->item) return foreign(number, "the item begins with it, and it is called context");
  return static_cast<std::size_t>(found - evidence.events.begin());
}

// The asset and accounts that numbers in a story stand for. False: the event is none of these; an error: it is another's.
class Meanings {
 public:
  Meanings(model::AssetNumber asset, std::optional<model::Asset>& into) : asset_(asset), asset_into_(into) {}
  void account(NamedAccount& account) { accounts_.push_back(&account); }

  base::Result<bool> take(const EvidenceEvent& event, const model::EventBody& body) {
    if (const auto* registered = std::get_if<model::AssetRegistered>(&body)) {
      if (registered->number != asset_ || asset_into_) return foreign(event.number, "another asset");
      asset_into_ = registered->asset;
      return true;
    }
    if (const auto* opened = std::get_if<model::AccountOpened>(&body)) {
      const auto named = std::ranges::find_if(accounts_, [opened](const NamedAccount* known) { return known->number == opened->number; });
      if (named == accounts_.end()) return foreign(event.number, "another account");
      (*named)->name = shown(event, "account_name") + shown(event, "world_account_name");
      return true;
    }
    return false;
  }

 private:
  model::AssetNumber asset_;
  std::optional<model::Asset>& asset_into_;
  std::vector<NamedAccount*> accounts_;
};

constexpr const char* says_nothing = "of a kind that says nothing about this item";

template <typename Moved>
base::Result<Story> movement_story(const Evidence& evidence, std::span<const model::Event> events, std::size_t created, const Moved& moved) {
  MovementStory story;
  story.created = created;
  story.debit.number = moved.debit.account;
  story.credit.number = moved.credit.account;
  story.reference = shown(evidence.events[created], "transfer_reference");
  Meanings meanings(moved.asset, story.asset);
  meanings.account(story.debit);
  meanings.account(story.credit);
  const bool is_hold = std::is_same_v<Moved, model::HoldPlaced>;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const EvidenceEvent& event = evidence.events[i];
    if (i == created) continue;
    if (event.item) {
      const auto* end = std::get_if<model::HoldResolved>(&events[i].body);
      const bool ends_this = end != nullptr && is_hold && end->hold == evidence.events[created].number && !story.resolved;
      if (!ends_this) return foreign(event.number, "it does not end this hold");
      story.resolved = i;
      continue;
    }
    TRY_ASSIGN(const bool taken, meanings.take(event, events[i].body));
    if (!taken) return foreign(event.number, says_nothing);
  }
  return Story(std::move(story));
}

// A payout's hold, which the step to `held` names, and its end.
bool is_of_hold(const EvidenceEvent& event, const model::EventBody& body, std::span<const model::EventNumber> holds) {
  const auto named = [holds](model::EventNumber hold) { return std::ranges::find(holds, hold) != holds.end(); };
  if (std::holds_alternative<model::HoldPlaced>(body)) return named(event.number);
  if (const auto* resolved = std::get_if<model::HoldResolved>(&body)) return named(resolved->hold);
  return false;
}

void add_step(RailStory& story, const EvidenceEvent& event, const model::EventBody& body, std::size_t i, std::span<const model::Event> events) {
  if (std::holds_alternative<model::TransferMoved>(body)) story.moves.push_back(i);
  if (std::holds_alternative<model::AttemptStarted>(body)) story.attempts.push_back({.started = i, .reported = {}, .rail_reference = {}});
  const auto* reported = std::get_if<model::AttemptReported>(&body);
  if (reported == nullptr) return;
  for (AttemptStory& attempt : story.attempts) {
    if (std::get<model::AttemptStarted>(events[attempt.started].body).attempt != reported->attempt) continue;
    attempt.reported = i;
    if (std::string said = shown(event, "rail_reference"); !said.empty()) attempt.rail_reference = std::move(said);
  }
}

base::Result<Story> rail_story(const Evidence& evidence, std::span<const model::Event> events, std::size_t requested) {
  const auto& request = std::get<model::TransferRequested>(events[requested].body);
  RailStory story;
  story.requested = requested;
  story.account.number = request.account;
  story.beneficiary = shown(evidence.events[requested], "transfer_beneficiary");
  story.reference = shown(evidence.events[requested], "transfer_reference");
  Meanings meanings(request.asset, story.asset);
  meanings.account(story.account);
  std::vector<model::EventNumber> holds;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto* moved = std::get_if<model::TransferMoved>(&events[i].body);
    if (evidence.events[i].item && moved != nullptr && moved->hold != 0) holds.push_back(moved->hold);
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    const EvidenceEvent& event = evidence.events[i];
    if (event.item) {
      const model::EventNumber of = model::transfer_of(events[i].body, event.number);
      if (of != evidence.events[requested].number) return foreign(event.number, "it is no step of this transfer");
      add_step(story, event, events[i].body, i, events);
      continue;
    }
    TRY_ASSIGN(const bool taken, meanings.take(event, events[i].body));
    if (!taken && !is_of_hold(event, events[i].body, holds)) return foreign(event.number, says_nothing);
  }
  return Story(std::move(story));
}

base::Result<Story> import_story(const Evidence& evidence, std::span<const model::Event> events, std::size_t received) {
  const model::EventNumber id = evidence.events[received].number;
  ImportStory story;
  story.received = received;
  story.findings = shown(evidence.events[received], "import_findings");
  story.responsible = shown(evidence.events[received], "key_responsible");
  std::optional<model::KeyVersionName> version;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const EvidenceEvent& event = evidence.events[i];
    const model::EventBody& body = events[i].body;
    if (!event.item) return foreign(event.number, says_nothing);
    const model::EventNumber of = model::import_of(body, event.number);
    // What happens to a version names no import: the event that added the version does, and comes before.
    if (of != id && (of != 0 || !version || model::version_of(body) != version)) return foreign(event.number, "it is no step of this import");
    if (std::holds_alternative<model::ImportMoved>(body)) story.moved = i;
    if (std::holds_alternative<model::KeyVersionMoved>(body)) story.version_moves.push_back(i);
    if (std::holds_alternative<model::KeyVersionAdded>(body)) {
      if (story.added) return foreign(event.number, "an import adds one version");
      story.added = i;
      version = model::version_of(body);
    }
  }
  return Story(std::move(story));
}

}  // namespace

base::Result<Story> read_story(const Evidence& evidence, std::span<const model::Event> events) {
  if (evidence.kind == EvidenceKind::import) {
    const auto id = model::parse_import_id(evidence.id);
    if (!id) return base::Error{"event_not_of_this_item", "\"" + evidence.id + "\" is no import id"};
    TRY_ASSIGN(const std::size_t received, beginning(evidence, *id));
    if (!std::holds_alternative<model::ImportReceived>(events[received].body)) return foreign(*id, "it receives no import");
    return import_story(evidence, events, received);
  }
  const auto id = model::parse_transfer_id(evidence.id);
  if (!id) return base::Error{"event_not_of_this_item", "\"" + evidence.id + "\" is no transfer id"};
  TRY_ASSIGN(const std::size_t created, beginning(evidence, id->event));
  const model::EventBody& body = events[created].body;
  if (const auto* posted = std::get_if<model::TransferPosted>(&body)) return movement_story(evidence, events, created, *posted);
  if (const auto* held = std::get_if<model::HoldPlaced>(&body)) return movement_story(evidence, events, created, *held);
  if (std::holds_alternative<model::TransferRequested>(body)) return rail_story(evidence, events, created);
  return foreign(id->event, "it creates no transfer");
}

}  // namespace audit
