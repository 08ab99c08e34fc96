// Frozen states, loading them, and what the loader refuses.
#include "core/ledger/story_test.h"

#include <array>
#include <atomic>
#include <thread>

#include "base/cbor.h"

#include <doctest/doctest.h>

using namespace core;

namespace {

constexpr auto& all_sections = all_state_sections;
static_assert(all_sections.size() == state_section_count);

using Sections = std::map<StateSection, base::Bytes>;

Sections bytes_of(const FrozenState& frozen) {
  Sections sections;
  for (const StateSection section : all_sections) {
    base::Bytes& bytes = sections[section];
    frozen.for_each_piece(section, [&bytes](base::ByteView piece) { base::append(bytes, piece); });
  }
  return sections;
}

base::Result<State> load(const Sections& sections, std::size_t piece_bytes = SIZE_MAX) {
  StateLoader loader;
  for (const auto& [section, bytes] : sections) {
    for (base::ByteView left = bytes; !left.empty();) {
      const std::size_t size = std::min(piece_bytes, left.size());
      loader.take(section, left.first(size));
      left = left.subspan(size);
    }
  }
  return loader.finish();
}

// A state with something in every section: free and open hold slots, limits, clients, two tenants.
Story rich_story() {
  Story story;
  story.tell(R"(
    open a free daily=1000
    open b balance=5000
    move a b 20
    hold a b 5 10s as h1
    hold a b 6 as h2
    hold a b 7 20s as h3
    hold b a 8 as h4
    void h2
    capture h4 3
    freeze b debits
    tenant 2
    asset EUR/3
    open a EUR/3
  )");
  story.run(model::CreateClient{.kind = model::PrincipalKind::service, .scopes = 3, .name = {}, .secret_hash = {1, 2, 3}});
  story.run(model::CreateWebhook{.url = {}, .events = 1, .key = {{1}, {2}}});
  story.run(model::BumpEpoch{.epoch = 4});
  story.run(model::ChangeLogKey{.version = 2, .public_key = {7}});
  story.tenant = 1;
  return story;
}

template <typename Record>
Record record_at(const Sections& sections, StateSection section, std::size_t index) {
  Record record;
  std::memcpy(&record, sections.at(section).data() + index * sizeof record, sizeof record);
  return record;
}
template <typename Record>
void put_record(Sections& sections, StateSection section, std::size_t index, const Record& record) {
  std::memcpy(sections.at(section).data() + index * sizeof record, &record, sizeof record);
}

base::Bytes head_bytes(std::array<std::uint64_t, 7> fields, const std::vector<std::uint64_t>& epochs = {}) {
  base::Bytes out;
  base::CborWriter writer(out);
  writer.array(epochs.empty() ? 7 : 11);
  for (const std::uint64_t field : fields) writer.uint(field);
  if (epochs.empty()) return out;
  for (int i = 0; i < 3; ++i) writer.uint(0);   // no transfers over rails
  writer.array(epochs.size());
  for (const std::uint64_t field : epochs) writer.uint(field);
  return out;
}

}  // namespace

TEST_CASE("a state that was frozen and loaded is the same state, byte for byte") {
  const Story story = rich_story();
  const Sections sections = bytes_of(story.state.freeze());
  for (const std::size_t piece_bytes : {SIZE_MAX, std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{129}}) {
    auto loaded = load(sections, piece_bytes);
    REQUIRE_MESSAGE(loaded.ok(), loaded.error().message);
    CHECK(loaded->head() == story.state.head());
    CHECK(bytes_of(loaded->freeze()) == sections);
    CHECK(loaded->expiries() == story.state.expiries());
    CHECK(loaded->open_hold_slots() == story.state.open_hold_slots());
    const auto violation = first_violation(all_laws(), *loaded);
    CHECK_MESSAGE(!violation, violation->sentence);
  }
}

TEST_CASE("a loaded state goes on as the other would have") {
  Story story = rich_story();
  auto loaded = load(bytes_of(story.state.freeze()));
  REQUIRE(loaded.ok());
  const std::size_t before = story.events.size();
  story.tell("wait 10s\ntick -> 1\nhold a b 9 30s as h5\nhold a b 9 as h6\nmove a b 1\ncapture h3\nvoid h5\nopen z");
  for (std::size_t i = before; i < story.events.size(); ++i) loaded->apply(story.events[i]);
  CHECK(bytes_of(loaded->freeze()) == bytes_of(story.state.freeze()));
}

TEST_CASE("replaying the events gives the same bytes") {
  const Story story = rich_story();
  State replayed;
  for (const model::Event& event : story.events) replayed.apply(event);
  CHECK(bytes_of(replayed.freeze()) == bytes_of(story.state.freeze()));
}

TEST_CASE("an empty state has a head and nothing else") {
  const State empty;
  const Sections sections = bytes_of(empty.freeze());
  for (const auto& [section, bytes] : sections) CHECK_EQ(bytes.empty(), section != StateSection::head);
  CHECK(load(sections).ok());
}

TEST_CASE("the bytes of the head are these") {
  const Story story;
  const base::Bytes head = bytes_of(story.state.freeze())[StateSection::head];
  const auto at = static_cast<std::uint64_t>(story.now.ns);
  CHECK(head == head_bytes({3, 4, at, 1, 0, 0, 1}));
}

TEST_CASE("pieces stay where they are when a frozen state is moved") {
  Story story = rich_story();
  FrozenState frozen = story.state.freeze();
  std::vector<base::ByteView> pieces;
  for (const StateSection section : all_sections) {
    frozen.for_each_piece(section, [&pieces](base::ByteView piece) { pieces.push_back(piece); });
  }
  base::Bytes before, after;
  for (const base::ByteView piece : pieces) base::append(before, piece);
  const FrozenState moved = std::move(frozen);
  story.tell("move a b 1\nopen q\nhold a b 1");
  for (const base::ByteView piece : pieces) base::append(after, piece);
  CHECK(before == after);
}

TEST_CASE("sections have names") {
  std::string names;
  for (const StateSection section : all_sections) names += std::string(name_of(section)) + " ";
  CHECK_EQ(names, "head tenants assets accounts limits holds clients rails transfers rail_cells refunds webhooks attempts "
           "statement_lines exceptions orphans statements partners keys key_versions imports key_material ");
}

TEST_CASE("what was frozen stays while the state goes on, read by another thread meanwhile") {
  Story story = rich_story();
  const Sections before = bytes_of(story.state.freeze());
  std::atomic<int> same = 0;
  std::vector<std::thread> readers;
  for (int round = 0; round < 8; ++round) {
    const Sections expected = bytes_of(story.state.freeze());
    readers.emplace_back([frozen = story.state.freeze(), expected, &same] {
      for (int i = 0; i < 20; ++i) same += bytes_of(frozen) == expected ? 1 : 0;
    });
    story.tell("open x" + std::to_string(round) + " free single=9\nmove a b 1\nhold a b 1 as k\nvoid k\nhold a b 1 as l\ncapture l\nlimits b");
  }
  for (std::thread& reader : readers) reader.join();
  CHECK_EQ(same, 8 * 20);
  CHECK(bytes_of(story.state.freeze()) != before);
}

TEST_CASE("the loader refuses what is no state") {
  const Story story = rich_story();
  const Sections good = bytes_of(story.state.freeze());
  REQUIRE(load(good).ok());
  const auto refuses = [&](const char* sentence, auto breakage) {
    Sections sections = good;
    breakage(sections);
    const auto loaded = load(sections);
    INFO("expected: ", sentence);
    REQUIRE(!loaded.ok());
    CHECK_EQ(std::string(loaded.error().code), "snapshot_state_malformed");
    CHECK_EQ(loaded.error().message, sentence);
  };
  for (const StateSection section : all_sections) {
    if (section == StateSection::head || good.at(section).empty()) continue;
    refuses("a section ends in the middle of a record", [section](Sections& s) { s[section].pop_back(); });
    refuses("a section ends in the middle of a record", [section](Sections& s) { s[section].push_back(0); });
  }
  const StateHead& head = story.state.head();
  const auto at = static_cast<std::uint64_t>(head.last_instant.ns);
  const std::array<std::uint64_t, 7> fields{5,          head.next_event,      at,             head.epoch,
                                           head.first_free_hold, head.open_holds, head.log_key};
  const std::uint64_t begun = story.state.epochs().later().at(0).first;
  CHECK(good.at(StateSection::head) == head_bytes(fields, {4, begun}));
  const auto with = [&](std::size_t field, std::uint64_t value) {
    return [fields, field, value, begun](Sections& s) {
      auto changed = fields;
      changed[field] = value;
      s[StateSection::head] = head_bytes(changed, {4, begun});
    };
  };
  const char* no_head = "the head does not decode";
  refuses(no_head, [](Sections& s) { s[StateSection::head].clear(); });
  refuses(no_head, [](Sections& s) { s[StateSection::head].pop_back(); });
  refuses(no_head, [](Sections& s) { s[StateSection::head].push_back(0); });
  refuses(no_head, [](Sections& s) { s[StateSection::head][0] = 0x86; });
  refuses(no_head, with(0, 2));
  refuses(no_head, with(0, 4));
  refuses(no_head, with(6, 0));
  refuses(no_head, with(1, 0));
  refuses(no_head, with(1, model::event_number_max + 1));
  refuses(no_head, [&](Sections& s) {
    s[StateSection::head].clear();
    base::CborWriter writer(s[StateSection::head]);
    writer.array(7);
    writer.uint(3);
    writer.uint(head.next_event);
    writer.sint(-1);
    for (const std::uint64_t field : {fields[3], fields[4], fields[5], fields[6]}) writer.uint(field);
  });
  refuses(no_head, with(3, 0));
  refuses(no_head, with(3, 1ull << 32));
  refuses(no_head, with(4, 1ull << 32));
  refuses(no_head, with(5, 1ull << 32));
  const auto epochs = [&](std::vector<std::uint64_t> pairs) {
    return [fields, pairs](Sections& s) { s[StateSection::head] = head_bytes(fields, pairs); };
  };
  for (const std::vector<std::uint64_t>& pairs : std::vector<std::vector<std::uint64_t>>{
           {4}, {1, begun}, {4, 0}, {1ull << 32, begun}, {2, begun, 4, begun}, {4, begun - 1, 4, begun}, {4, model::event_number_max + 1}}) {
    refuses("the head does not decode", epochs(pairs));
  }
  refuses("the epoch is not the newest that began", epochs({3, begun}));
  refuses("the epoch is not the newest that began", epochs({4, head.next_event}));
  refuses("the epoch is not the newest that began", [&](Sections& s) {
    auto former = fields;
    former[0] = 3;   // as written before epochs were kept
    s[StateSection::head] = head_bytes(former);
  });
  refuses("open holds are miscounted", with(5, head.open_holds + 1));
  refuses("free holds are mislinked", with(4, 77));
  refuses("free holds are mislinked", with(4, 1));
  refuses("a free hold slot is lost", with(4, 0));

  const auto edit = [](StateSection section, std::size_t index, auto change) {
    return [section, index, change](Sections& s) { change(s, section, index); };
  };
  const auto hold = [&](std::size_t index, void (*change)(HoldRecord&)) {
    return edit(StateSection::holds, index, [change](Sections& s, StateSection section, std::size_t i) {
      auto record = record_at<HoldRecord>(s, section, i);
      change(record);
      put_record(s, section, i, record);
    });
  };
  const auto account = [&](void (*change)(AccountRecord&)) {
    return edit(StateSection::accounts, 1, [change](Sections& s, StateSection section, std::size_t i) {
      auto record = record_at<AccountRecord>(s, section, i);
      change(record);
      put_record(s, section, i, record);
    });
  };
  // Slots 1 and 3 are free (h2, h4), with slot 3 at the head of the list.
  REQUIRE_EQ(head.first_free_hold, 4);
  refuses("free holds are mislinked", hold(1, [](HoldRecord& r) { r.next_free = 4; }));
  refuses("free holds are mislinked", hold(1, [](HoldRecord& r) { r.next_free = 99; }));
  refuses("a free hold slot is lost", hold(3, [](HoldRecord& r) { r.next_free = 0; }));
  refuses("open holds are miscounted", hold(0, [](HoldRecord& r) { r.placed = 0; }));
  refuses("a hold names no account", hold(0, [](HoldRecord& r) { r.debit = 0; }));
  refuses("a hold names no account", hold(0, [](HoldRecord& r) { r.credit = 999; }));
  refuses("a hold was placed by an event to come", hold(0, [](HoldRecord& r) { r.placed = 999; }));
  refuses("an account names no asset or limits", account([](AccountRecord& r) { r.asset = 0; }));
  refuses("an account names no asset or limits", account([](AccountRecord& r) { r.asset = 9; }));
  refuses("an account names no asset or limits", account([](AccountRecord& r) { r.limits_slot = 9; }));
  refuses("an account was posted to by an event to come", account([](AccountRecord& r) { r.last_posting = 999; }));
  const auto webhook = [&](void (*change)(WebhookRecord&)) {
    return edit(StateSection::webhooks, 0, [change](Sections& s, StateSection section, std::size_t i) {
      auto record = record_at<WebhookRecord>(s, section, i);
      change(record);
      put_record(s, section, i, record);
    });
  };
  const char* no_webhook = "a webhook was made by no event of the past";
  refuses(no_webhook, webhook([](WebhookRecord& r) { r.created = 0; }));
  refuses(no_webhook, webhook([](WebhookRecord& r) { r.created = 999; }));
  refuses(no_webhook, webhook([](WebhookRecord& r) { r.url_event = 999; }));
  refuses(no_webhook, webhook([](WebhookRecord& r) { r.told_through = 999; }));
  refuses(no_webhook, webhook([](WebhookRecord& r) { r.tenant = 9; }));
  const char* too_much = "an account's counters exceed the maximum";
  refuses(too_much, account([](AccountRecord& r) { r.counters.debits_posted = base::amount_max + 1; }));
  refuses(too_much, account([](AccountRecord& r) { r.counters.credits_posted = base::amount_max + 1; }));
  refuses(too_much, account([](AccountRecord& r) { r.counters.debits_pending = base::amount_max; }));
  refuses(too_much, account([](AccountRecord& r) { r.counters.credits_pending = base::u128_max; }));
}
