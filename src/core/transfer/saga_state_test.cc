// The state of sagas as bytes: a snapshot of it is the state, a replay makes it again, and the page of the format says what
// the table says.

#include <cstring>
#include <fstream>
#include <sstream>

#include "core/invariant/laws.h"
#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::RailReason;
using model::RailResult;

namespace {

using Sections = std::map<StateSection, base::Bytes>;

Sections bytes_of(const State& state) {
  Sections sections;
  const FrozenState frozen = state.freeze();
  for (const StateSection section : all_state_sections) {
    base::Bytes& bytes = sections[section];
    frozen.for_each_piece(section, [&](base::ByteView piece) { base::append(bytes, piece); });
  }
  return sections;
}

base::Result<State> load(const Sections& sections) {
  StateLoader loader;
  for (const auto& [section, bytes] : sections) loader.take(section, bytes);
  return loader.finish();
}

// Transfers in most states, refunds, cells, cases; slots that were given back do not occur while nothing is archived.
RailStory rich_story() {
  RailStory story;
  model::RailRequest abroad = story.request(10);
  abroad.country = *model::parse_country("DE");
  abroad.instrument = 3;
  const auto settled = story.start(model::CreatePayout{abroad});
  story.report(settled, {RailResult::settled});
  story.refund(settled, 4);
  story.pay(20, 2);
  story.report(story.pay(20), {RailResult::unknown, RailReason::reply_lost});
  story.report(story.pay(20), {RailResult::accepted});
  const auto late = story.pay(20);
  story.report(late, {RailResult::rejected, RailReason::other});
  story.report(late, {RailResult::settled});
  story.pass(base::seconds(3));
  for (const char* name : {"first", "second", "third"}) story.run(model::ControlRail{.rail = story.rail(name), .paused = true});
  story.pay(20);
  return story;
}

template <typename Record>
void edit(Sections& sections, StateSection section, std::size_t index, auto change) {
  Record record;
  std::memcpy(&record, sections[section].data() + index * sizeof record, sizeof record);
  change(record);
  std::memcpy(sections[section].data() + index * sizeof record, &record, sizeof record);
}

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a state with sagas comes back from its bytes and from its events") {
  RailStory story = rich_story();
  const Sections sections = bytes_of(story.state);
  auto loaded = load(sections);
  REQUIRE(loaded.ok());
  CHECK(bytes_of(*loaded) == sections);
  CHECK(loaded->sagas().deadlines() == story.state.sagas().deadlines());
  CHECK(loaded->sagas().parked() == story.state.sagas().parked());
  CHECK(loaded->sagas().rail_by_name(1, *model::parse_rail_name("second")) == 2);
  CHECK(loaded->sagas().is_rail_account(story.record("third").suspense));
  CHECK_FALSE(first_violation(all_laws(), *loaded));
  State replayed;
  for (const model::Event& event : story.events) replayed.apply(event);
  CHECK(bytes_of(replayed) == sections);
  // Both go on alike.
  std::vector<model::Event> one, other;
  const model::Command tick{.idempotency = {}, .body = model::Tick{}};
  const base::Instant later = story.now + base::seconds(90'000);
  decide(story.state, tick, later, story.bounds, one);
  decide(*loaded, tick, later, story.bounds, other);
  CHECK(!one.empty());
  CHECK(one == other);
}

TEST_CASE("the loader refuses sagas that make no sense") {
  const RailStory story = rich_story();
  const Sections good = bytes_of(story.state);
  const auto refuses = [&](const char* sentence, auto breakage) {
    Sections sections = good;
    breakage(sections);
    const auto loaded = load(sections);
    INFO("expected: ", sentence);
    REQUIRE(!loaded.ok());
    CHECK_EQ(loaded.error().message, sentence);
  };
  for (const StateSection section : {StateSection::rails, StateSection::transfers, StateSection::rail_cells, StateSection::refunds}) {
    REQUIRE(!good.at(section).empty());
    refuses("a section ends in the middle of a record", [section](Sections& s) { s[section].pop_back(); });
  }
  const auto rail = [&](auto change) { return [change](Sections& s) { edit<RailRecord>(s, StateSection::rails, 1, change); }; };
  refuses("a rail was configured by no event of the past", rail([](RailRecord& r) { r.configured = 0; }));
  refuses("a rail names no asset or account", rail([](RailRecord& r) { r.clearing = 999; }));
  refuses("two rails have one name", rail([](RailRecord& r) { std::memcpy(r.name, "first\0\0", 8); }));
  const auto transfer = [&](auto change) { return [change](Sections& s) { edit<TransferRecord>(s, StateSection::transfers, 0, change); }; };
  refuses("a transfer makes no sense", transfer([](TransferRecord& t) { t.state = 77; }));
  refuses("a transfer makes no sense", transfer([](TransferRecord& t) { t.account = 0; }));
  refuses("transfers are miscounted", transfer([](TransferRecord& t) { t.requested = 0; }));
  refuses("transfers are miscounted", transfer([](TransferRecord& t) { t.state = static_cast<std::uint8_t>(model::TransferState::parked); }));
  refuses("a transfer keeps no open hold of its own", transfer([](TransferRecord& t) { t.hold = 5; }));
  refuses("two transfers have one number", [&](Sections& s) {
    edit<TransferRecord>(s, StateSection::transfers, 1, [&](TransferRecord& t) {
      std::memcpy(&t, s[StateSection::transfers].data(), sizeof t);
    });
  });
  refuses("a routing cell names no rail", [](Sections& s) { edit<CellRecord>(s, StateSection::rail_cells, 0, [](CellRecord& c) { c.rail = 9; }); });
  refuses("the head does not decode", [](Sections& s) { s[StateSection::head].pop_back(); });
  refuses("transfers are miscounted", [](Sections& s) { s[StateSection::transfers].clear(); });
}

TEST_CASE("each law finds what it is for") {
  const RailStory story = rich_story();
  const auto broken = [](const State& state) {
    std::string names;
    for (const auto& law : all_laws()) {
      if (const auto violation = law->check(state)) names += std::string(violation->law) + " ";
    }
    return names;
  };
  const auto with = [&](StateSection section, auto change) {
    Sections sections = bytes_of(story.state);
    change(sections, section);
    auto loaded = load(sections);
    REQUIRE(loaded.ok());
    return broken(*loaded);
  };
  CHECK(broken(story.state).empty());
  CHECK(with(StateSection::rails, [](Sections& s, StateSection at) { edit<RailRecord>(s, at, 0, [](RailRecord& r) { ++r.in_flight; }); }) ==
        "sagas_keep_their_holds ");
  CHECK(with(StateSection::refunds, [](Sections& s, StateSection at) { edit<RefundRecord>(s, at, 0, [](RefundRecord& r) { r.posted = r.captured; }); }) ==
        "refunds_within_captured ");
  CHECK(with(StateSection::refunds, [](Sections& s, StateSection at) { edit<RefundRecord>(s, at, 0, [](RefundRecord& r) { ++r.pending; }); }) ==
        "refunds_within_captured ");
  for (std::uint32_t slot = 0; slot < story.state.sagas().slot_count(); ++slot) {
    if (story.state.sagas().slot(slot).hold == 0) continue;
    CHECK(with(StateSection::transfers, [slot](Sections& s, StateSection at) { edit<TransferRecord>(s, at, slot, [](TransferRecord& t) { ++t.amount; }); })
              .find("sagas_keep_their_holds") != std::string::npos);
  }
  // A second attempt while one is out: no decision makes these events.
  RailStory liar;
  const auto payout = liar.pay();
  OneAttemptAtATime law;
  std::vector<model::Event> events = liar.events;
  CHECK_FALSE(law.check_touched(liar.state, events));
  const model::Event again{liar.now, model::AttemptStarted{.transfer = payout, .attempt = 2, .rail = 2}};
  CHECK(law.check_touched(liar.state, {&again, 1}));
}

TEST_CASE("the diagram in the document is made from the table") {
  const std::string page = text_of("docs/transfers.md");
  CHECK(page.find("```mermaid\n" + model::transfer_diagram() + "```\n") != std::string::npos);
  for (std::size_t i = 1; i <= model::transfer_state_count; ++i) {
    const auto name = std::string(model::name_of(static_cast<model::TransferState>(i)));
    CHECK_MESSAGE(page.find("| `" + name + "` |") != std::string::npos, name);
  }
  for (const model::RailReasonRow& row : model::rail_reasons) {
    if (row.reason == RailReason::none) continue;
    const std::string line = "| `" + std::string(row.name) + "` | " + (row.rails_fault ? "yes" : "no") + " | " + (row.reroutable ? "yes" : "no") + " |";
    CHECK_MESSAGE(page.find(line) != std::string::npos, line);
  }
}
