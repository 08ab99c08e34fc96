// Every law finds its breach: states that no decision leads to, made from events that lie and from edited snapshots.
#include "core/invariant/laws.h"

#include <cstring>

#include "core/ledger/story_test.h"

#include "core/invariant/frozen_laws.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <doctest/doctest.h>

using namespace core;

namespace {

std::vector<std::string> names_of_broken(const State& state) {
  std::vector<std::string> names;
  for (const auto& law : all_laws()) {
    if (const auto violation = law->check(state)) {
      CHECK_EQ(violation->law, law->name());
      CHECK(!violation->sentence.empty());
      names.emplace_back(violation->law);
    }
  }
  return names;
}

// The story's state under events that were made up; laws watched it from the beginning.
struct Liar {
  Story story;
  std::vector<std::unique_ptr<Law>> laws = all_laws();

  Liar() {
    story.tell("open a\nopen b\nopen c free\nmove world a 100\nhold a b 10 as h");
    CHECK(!first_violation(laws, story.state));
  }
  // Applies the event and gives the laws that speak up, when asked about this event and when asked about everything.
  std::vector<std::string> apply(model::EventBody body) {
    const model::Event event{story.now, std::move(body)};
    story.state.apply(event);
    std::vector<std::string> names;
    for (const auto& law : laws) {
      if (law->check_touched(story.state, {&event, 1})) names.emplace_back(law->name());
    }
    CHECK_EQ(names, names_of_broken(story.state));
    return names;
  }
  model::Side side(const std::string& name) const {
    const model::AccountNumber number = story.account(name);
    const AccountRecord& record = *story.state.account(number);
    return {.account = number, .after = record.counters, .links = {.previous = record.last_posting}};
  }
};

using Names = std::vector<std::string>;

model::TransferPosted posted(base::U128 amount, const model::Side& debit, const model::Side& credit) {
  return {.amount = amount, .asset = 1, .debit = debit, .credit = credit, .group = 0, .reference = {}, .metadata = {}};
}
model::HoldPlaced placed(base::U128 amount, const model::Side& debit, const model::Side& credit) {
  return {.amount = amount, .asset = 1, .debit = debit, .credit = credit, .expires_at = {}, .group = 0, .reference = {}, .metadata = {}};
}
model::AccountFlagsChanged flagged(model::AccountNumber account, model::AccountFlags flags) {
  return {.account = account, .flags = flags, .counters = {}};
}

// The state with one record of its snapshot changed.
template <typename Record>
State edited(const State& state, StateSection where, std::size_t index, void (*change)(Record&)) {
  StateLoader loader;
  const FrozenState frozen = state.freeze();
  for (const auto section : {StateSection::head, StateSection::tenants, StateSection::assets, StateSection::accounts, StateSection::limits,
                             StateSection::holds, StateSection::clients}) {
    base::Bytes bytes;
    frozen.for_each_piece(section, [&bytes](base::ByteView piece) { base::append(bytes, piece); });
    if (section == where) {
      Record record;
      std::memcpy(&record, bytes.data() + index * sizeof record, sizeof record);
      change(record);
      std::memcpy(bytes.data() + index * sizeof record, &record, sizeof record);
    }
    loader.take(section, bytes);
  }
  auto loaded = loader.finish();
  REQUIRE_MESSAGE(loaded.ok(), loaded.error().message);
  return std::move(loaded).value();
}

}  // namespace

TEST_CASE("there are thirteen laws, by name") {
  Names names;
  for (const auto& law : all_laws()) names.emplace_back(law->name());
  CHECK_EQ(names, Names{"counters_within_bounds", "debits_equal_credits", "pending_equals_open_holds", "no_overdraft",
                        "closed_accounts_are_at_rest", "history_is_linked", "derived_indexes_agree", "sagas_keep_their_holds", "one_attempt_at_a_time", "refunds_within_captured",
                        "lines_are_explained", "one_active_version", "versions_are_explained"});
  CHECK(names_of_broken(State{}).empty());
}

TEST_CASE("events name the accounts they touch, each once") {
  Liar liar;
  model::AccountOpened opened;
  opened.number = 9;
  const std::vector<model::Event> events{{{}, posted(1, liar.side("c"), liar.side("a"))},
                                         {{}, flagged(liar.story.account("a"), 0)},
                                         {{}, opened},
                                         {{}, model::Refused{.debit = 7}},
                                         {{}, model::KeyCancelled{}}};
  CHECK_EQ(touched_accounts(events), std::vector<model::AccountNumber>{2, 4, 9});
}

TEST_CASE("a line that agrees with nothing, and nobody is told") {
  Liar liar;
  const model::EventNumber statement = liar.story.state.head().next_event;
  CHECK(liar.apply(model::StatementRecorded{.rail = 1, .name = {}, .from = {1}, .until = {2}}).empty());
  CHECK_EQ(liar.apply(model::LineRecorded{.statement = statement, .rail = 1, .amount = 5, .asset = {}, .rail_reference = {}}), Names{"lines_are_explained"});
}

TEST_CASE("versions of keys that nothing explains") {
  using model::KeyState;
  Liar liar;
  const auto version = [](KeyState from, KeyState to) {
    return model::KeyVersionMoved{.key = 1, .version = 1, .from = from, .to = to, .reason = {}};
  };
  const auto name = *model::parse_rail_name("a");
  CHECK(liar.apply(model::PartnerOpened{.number = 1, .tenant = 1, .name = name}).empty());
  CHECK(liar.apply(model::KeyOpened{.number = 1, .partner = 1, .name = name}).empty());
  const model::EventNumber import = liar.story.state.head().next_event;
  model::ImportReceived received{.tenant = 1, .importer = 1, .partner = 1, .key = 1, .partner_name = name, .key_name = name, .facts = {}, .findings = {}, .responsible = {}};
  received.facts = model::KeyFacts{};
  (*received.facts)->spki = {1};
  CHECK(liar.apply(received).empty());
  CHECK(liar.apply(model::KeyVersionAdded{.key = 1, .version = 1, .import = import}).empty());
  // Nobody proved it or let it in, and its use has no end.
  CHECK_EQ(liar.apply(version(KeyState::next, KeyState::active)), Names{"versions_are_explained"});
  CHECK_EQ(liar.apply(model::KeyVersionAdded{.key = 1, .version = 2, .import = import}), Names{"versions_are_explained"});
  model::KeyVersionMoved second = version(KeyState::next, KeyState::active);
  second.version = 2;
  CHECK_EQ(liar.apply(second), Names{"one_active_version", "versions_are_explained"});
}

TEST_CASE("money from nowhere") {
  Liar liar;
  auto debit = liar.side("a"), credit = liar.side("c");
  debit.after.debits_posted += 5;
  credit.after.credits_posted += 6;
  CHECK_EQ(liar.apply(posted(5, debit, credit)), Names{"debits_equal_credits"});
}

TEST_CASE("money into a movement's neighbour asset") {
  Liar liar;
  liar.story.tell("asset EUR/2\nopen e EUR/2 free");
  CHECK(!first_violation(liar.laws, liar.story.state));
  auto debit = liar.side("a"), credit = liar.side("e");
  debit.after.debits_posted += 5;
  credit.after.credits_posted += 5;
  CHECK_EQ(liar.apply(posted(5, debit, credit)), Names{"debits_equal_credits"});
}

TEST_CASE("a hold whose pending money is not counted, or counted twice") {
  Liar liar;
  auto debit = liar.side("a"), credit = liar.side("c");
  debit.after.debits_pending += 5;
  credit.after.credits_pending += 4;
  CHECK_EQ(liar.apply(placed(5, debit, credit)),
           Names{"debits_equal_credits", "pending_equals_open_holds"});
}

TEST_CASE("a hold resolved while its money stays pending") {
  Liar liar;
  CHECK_EQ(liar.apply(model::HoldResolved{.hold = liar.story.holds["h"], .held = 10, .asset = 1, .debit = liar.side("a"), .credit = liar.side("b")}),
           Names{"pending_equals_open_holds"});
}

TEST_CASE("an overdraft, on either limited side") {
  Liar liar;
  auto debit = liar.side("a"), credit = liar.side("c");
  debit.after.debits_posted += 91;
  credit.after.credits_posted += 91;
  CHECK_EQ(liar.apply(posted(91, debit, credit)), Names{"no_overdraft"});

  Liar other;
  other.story.tell("open d credits-limited");
  CHECK(!first_violation(other.laws, other.story.state));
  debit = other.side("a");
  credit = other.side("d");
  debit.after.debits_posted += 1;
  credit.after.credits_posted += 1;
  CHECK_EQ(other.apply(posted(1, debit, credit)), Names{"no_overdraft"});
}

TEST_CASE("counters past their bound") {
  Liar liar;
  auto debit = liar.side("c"), credit = liar.side("b");
  debit.after.debits_posted += base::amount_max;
  credit.after.credits_posted += base::amount_max;
  CHECK_EQ(liar.apply(posted(1, debit, credit)), Names{"counters_within_bounds"});
}

TEST_CASE("closed with a balance, closed with a hold") {
  for (const std::string name : {"a", "b"}) {
    Liar liar;
    const model::AccountNumber number = liar.story.account(name);
    CHECK_EQ(liar.apply(flagged(number, model::closed)), Names{"closed_accounts_are_at_rest"});
  }
}

TEST_CASE("histories whose heads do not fit") {
  Story story;
  story.tell("open a\nopen b\nmove world a 100");
  for (int i = 0; i < 70; ++i) story.tell("move a b 1");
  const std::size_t a = story.account("a") - 1u;
  const auto broken_by = [&](void (*change)(AccountRecord&)) { return names_of_broken(edited(story.state, StateSection::accounts, a, change)); };
  const Names linked{"history_is_linked"};
  CHECK(broken_by([](AccountRecord&) {}).empty());
  CHECK_EQ(broken_by([](AccountRecord& r) { r.opened = 0; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.opened = 9999; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.postings = 0; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.last_posting = 0; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.last_64 = 0; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.last_4096 = r.last_64; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.last_64 = r.last_posting; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.last_64 = r.last_posting + 1; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.postings = 64; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.postings += 50; }), linked);
  CHECK_EQ(broken_by([](AccountRecord& r) { r.postings = 5000, r.last_4096 = r.last_64; }), linked);
}

TEST_CASE("derived counts that do not agree") {
  Story story;
  story.tell("open a single=1\nopen b single=1\nmove world a 1\nhold a b 1 9s as h");
  const Names derived{"derived_indexes_agree"};
  const std::size_t a = story.account("a") - 1u;
  CHECK_EQ(names_of_broken(edited<AccountRecord>(story.state, StateSection::accounts, a, [](AccountRecord& r) { r.open_holds = 2; })), derived);
  CHECK_EQ(names_of_broken(edited<AccountRecord>(story.state, StateSection::accounts, a, [](AccountRecord& r) { r.limits_slot = 2; })), derived);
  CHECK_EQ(names_of_broken(edited<HoldRecord>(story.state, StateSection::holds, 0, [](HoldRecord& r) { r.amount = 2; })),
           Names{"pending_equals_open_holds"});
}

TEST_CASE("a law that watches from a loaded state on finds what comes after") {
  Liar liar;
  auto laws = all_laws();
  CHECK(!first_violation(laws, liar.story.state));
  auto debit = liar.side("a"), credit = liar.side("c");
  debit.after.debits_posted += 5;
  const model::Event event{liar.story.now, posted(5, debit, credit)};
  liar.story.state.apply(event);
  const auto violation = first_violation(laws, liar.story.state, {&event, 1});
  REQUIRE(violation.has_value());
  CHECK_EQ(violation->law, "debits_equal_credits");
  CHECK_EQ(violation->account, liar.story.account("a"));
  CHECK_EQ(violation->sentence, "posted debits and credits of asset 1 differ");
}

namespace {

std::string frozen_law(const State& state) {
  const auto violation = frozen_violation(state.freeze());
  return violation ? std::string(violation->law) : "";
}

}  // namespace

TEST_CASE("a frozen state is asked for the laws it can answer for, and a corrupted record is named") {
  Liar liar;
  const State& state = liar.story.state;
  CHECK_EQ(frozen_law(State{}), "");
  CHECK_EQ(frozen_law(state), "");
  const std::size_t a = liar.story.account("a") - 1, c = liar.story.account("c") - 1;
  const auto broken = [&](std::size_t account, void (*change)(AccountRecord&)) {
    return frozen_law(edited(state, StateSection::accounts, account, change));
  };
  CHECK_EQ(broken(c, [](AccountRecord& r) { r.counters.credits_posted += 1; }), "debits_equal_credits");
  CHECK_EQ(broken(c, [](AccountRecord& r) { r.counters.credits_pending += 1; }), "debits_equal_credits");
  CHECK_EQ(broken(a, [](AccountRecord& r) { r.counters.credits_posted = 0; }), "no_overdraft");
  CHECK_EQ(broken(a, [](AccountRecord& r) { r.flags |= model::closed; }), "closed_accounts_are_at_rest");
  CHECK_EQ(broken(a, [](AccountRecord& r) { r.opened = 0; }), "history_is_linked");
  CHECK_EQ(frozen_law(edited<HoldRecord>(state, StateSection::holds, 0, [](HoldRecord& r) { r.amount += 1; })), "pending_equals_open_holds");
  CHECK_EQ(frozen_law(edited<HoldRecord>(state, StateSection::holds, 0, [](HoldRecord& r) { r.asset = 9; })), "pending_equals_open_holds");

  const State corrupt = edited<AccountRecord>(state, StateSection::accounts, c, [](AccountRecord& r) { r.counters.credits_posted += 1; });
  const auto violation = frozen_violation(corrupt.freeze());
  REQUIRE(violation);
  CHECK_EQ(violation->sentence, "posted debits and credits of asset 1 differ");
}

TEST_CASE("a process whose state breaks a law stops, and says which") {
  Liar liar;
  require_laws(liar.story.state.freeze());
  const State corrupt = edited<AccountRecord>(liar.story.state, StateSection::accounts, liar.story.account("c") - 1,
                                              [](AccountRecord& r) { r.counters.credits_posted += 1; });
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(ends[1], STDERR_FILENO);
    require_laws(corrupt.freeze());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), SIGABRT);
  CHECK(said.find("debits_equal_credits") != std::string::npos);
  CHECK(said.find("asset 1 differ") != std::string::npos);
}
