#include "core/ledger/story_test.h"

#include <sstream>

#include <doctest/doctest.h>

namespace core {

namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

base::Duration duration(const std::string& text) {
  const auto number = static_cast<std::int64_t>(amount(text.substr(0, text.size() - 1)));
  switch (text.back()) {
    case 's': return base::seconds(number);
    case 'h': return base::seconds(number * 3600);
    case 'd': return base::seconds(number * 86400);
    default: FAIL("not a duration: ", text);
  }
  return {};
}

model::AccountFlags freezing(const std::vector<std::string>& words) {
  model::AccountFlags flags = 0;
  for (const std::string& word : words) {
    if (word == "debits") flags |= model::frozen_for_debits;
    if (word == "credits") flags |= model::frozen_for_credits;
  }
  return flags;
}

// Takes `single=`, `daily=` and `balance=` out of the words of a line.
model::AccountLimits limits_in(const std::vector<std::string>& words) {
  model::AccountLimits limits;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    const base::U128 value = amount(word.substr(equals + 1));
    if (word.starts_with("single")) limits.debit_amount_max = value;
    if (word.starts_with("daily")) limits.daily_debits_max = value;
    if (word.starts_with("balance")) limits.balance_max = value;
  }
  return limits;
}

std::string texts_of(const std::vector<model::Event>& events) {
  std::string text;
  for (const model::Event& event : events) text += (text.empty() ? "" : " ") + std::string(model::code_of(outcome_of(event)));
  return text;
}

}  // namespace

model::Outcome outcome_of(const model::Event& event) {
  const auto* refused = std::get_if<model::Refused>(&event.body);
  return refused == nullptr ? model::Outcome::done : refused->outcome;
}

model::Asset asset(std::string_view text) {
  const auto parsed = model::parse_asset(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

base::U128 amount(const std::string& text) {
  const auto parsed = base::parse_decimal(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

Story::Story() : now(*base::parse_rfc3339("2026-01-01T00:00:00Z")) {
  run(model::OpenTenant{});
  tell("asset USD/2");
}

std::vector<model::Event> Story::run(model::CommandBody body) {
  std::vector<model::Event> decided;
  decide(state, {.tenant = tenant, .principal = principal, .trace = {}, .idempotency = {}, .body = std::move(body)}, now, bounds, decided);
  for (const model::Event& event : decided) {
    CHECK_EQ(event.at, now);
    if (const auto* resolved = std::get_if<model::HoldResolved>(&event.body)) {
      standings_[resolved->hold] = resolved->resolution == model::HoldResolution::captured ? model::HoldStanding::captured
                                   : resolved->resolution == model::HoldResolution::voided ? model::HoldStanding::voided
                                                                                           : model::HoldStanding::expired;
    }
    state.apply(event);
    events.push_back(event);
  }
  CHECK_EQ(state.head().next_event, events.size() + 1);
  for (const auto& violation : {first_violation(laws_, state, decided), first_violation(all_laws(), state)}) {
    if (violation) FAIL(violation->law, ": ", violation->sentence, ", account ", violation->account);
  }
  return decided;
}

model::Outcome Story::outcome_of(model::CommandBody body) {
  const auto decided = run(std::move(body));
  REQUIRE(!decided.empty());
  return core::outcome_of(decided[0]);
}

model::AccountNumber Story::account(const std::string& name) const {
  const auto found = accounts_.find({tenant, name});
  return found == accounts_.end() ? 0 : found->second;
}

const model::Counters& Story::counters(const std::string& name) const {
  REQUIRE(account(name) != 0);
  return state.account(account(name))->counters;
}

model::Asset Story::asset_of(model::AccountNumber number) const {
  const AccountRecord* record = state.account(number);
  return record == nullptr ? asset("USD/2") : state.asset(record->asset)->asset();
}

model::HoldStanding Story::standing_of(model::EventNumber hold) const {
  const auto found = standings_.find(hold);
  if (found != standings_.end()) return found->second;
  if (state.open_hold(hold) != nullptr) return model::HoldStanding::open;
  const bool posted = hold > 0 && hold <= events.size() && std::holds_alternative<model::TransferPosted>(events[hold - 1].body);
  return posted ? model::HoldStanding::not_a_hold : model::HoldStanding::not_found;
}

model::TransferItem Story::item(const std::string& debit, const std::string& credit, base::U128 amount) const {
  model::TransferItem item;
  item.debit = account(debit);
  item.credit = account(credit);
  item.amount = amount;
  if (debit == "world") {
    item.asset = asset_of(item.credit);
    item.debit = state.asset(state.account(item.credit)->asset)->world;
  } else {
    item.asset = asset_of(item.debit);
    if (credit == "world") item.credit = state.asset(state.account(item.debit)->asset)->world;
  }
  return item;
}

void Story::tell(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    tell_line(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void Story::tell_line(std::string_view line) {
  INFO("line: ", line);
  if (words_of(line).empty()) return;
  if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string expected;
    for (const std::string& word : words_of(line.substr(colon + 1))) expected += (expected.empty() ? "" : " ") + word;
    CHECK_EQ(look(words_of(line.substr(0, colon))[0]), expected);
    return;
  }
  const std::size_t arrow = line.find("->");
  std::string expected;
  if (arrow != std::string_view::npos) {
    for (const std::string& word : words_of(line.substr(arrow + 2))) expected += (expected.empty() ? "" : " ") + word;
  }
  const std::vector<std::string> words = words_of(line.substr(0, arrow));
  const std::string given = answer(words);
  if (expected.empty()) expected = given.starts_with("done") ? given : "done";
  CHECK_EQ(given, expected);
}

std::string Story::look(const std::string& name) const {
  const model::Counters& c = counters(name);
  std::string text = base::to_decimal(c.debits_posted) + "/" + base::to_decimal(c.credits_posted);
  if (c.debits_pending != 0 || c.credits_pending != 0) {
    text += " pending " + base::to_decimal(c.debits_pending) + "/" + base::to_decimal(c.credits_pending);
  }
  return text;
}

void Story::keep_holds(const std::vector<model::Event>& decided, const std::vector<std::string>& names) {
  const model::EventNumber first = events.size() - decided.size() + 1;
  for (std::size_t i = 0; i < decided.size() && i < names.size(); ++i) {
    if (std::holds_alternative<model::HoldPlaced>(decided[i].body)) holds[names[i]] = first + i;
  }
}

std::string Story::answer(const std::vector<std::string>& words) {
  const std::string& verb = words[0];
  if (verb == "wait") {
    now = now + duration(words.at(1));
    return "done";
  }
  if (verb == "tick") {
    model::Tick tick;
    if (words.size() > 1) tick.expiries_max = static_cast<std::uint32_t>(amount(words[1]));
    return std::to_string(run(tick).size());
  }
  if (verb == "tenant") {
    const auto decided = run(model::OpenTenant{});
    tenant = static_cast<model::TenantNumber>(amount(words.at(1)));
    return texts_of(decided);
  }
  if (verb == "asset") {
    const auto decided = run(model::RegisterAsset{.asset = asset(words.at(1)), .world_name = {}});
    return decided.size() == 2 ? "done" : texts_of(decided);
  }
  if (verb == "open") {
    model::OpenAccount open;
    open.asset = asset("USD/2");
    open.existing = account(words.at(1));
    open.limits = limits_in(words);
    for (const std::string& word : words) {
      if (word == "free") open.flags = 0;
      if (word == "credits-limited") open.flags = model::credits_must_not_exceed_debits;
      if (word == "both-limited") open.flags |= model::credits_must_not_exceed_debits;
      if (word.find('/') != std::string::npos) open.asset = asset(word);
    }
    const auto decided = run(open);
    if (const auto* opened = std::get_if<model::AccountOpened>(&decided.at(0).body)) accounts_[{tenant, words[1]}] = opened->number;
    return texts_of(decided);
  }
  if (verb == "limits") return texts_of(run(model::SetAccountLimits{.account = account(words.at(1)), .limits = limits_in(words)}));
  if (verb == "freeze") return texts_of(run(model::ChangeAccountFlags{.account = account(words.at(1)), .set = freezing(words)}));
  if (verb == "unfreeze") return texts_of(run(model::ChangeAccountFlags{.account = account(words.at(1)), .clear = freezing(words)}));
  if (verb == "close") return texts_of(run(model::ChangeAccountFlags{.account = account(words.at(1)), .set = model::closed}));
  if (verb == "capture" || verb == "void") {
    const auto known = holds.find(words.at(1));
    const model::EventNumber hold = known == holds.end() ? static_cast<model::EventNumber>(amount(words[1])) : known->second;
    if (verb == "void") return texts_of(run(model::VoidHold{.hold = hold, .standing = standing_of(hold)}));
    model::CaptureHold capture{.hold = hold, .standing = standing_of(hold), .amount = {}};
    if (words.size() > 2) capture.amount = amount(words[2]);
    return texts_of(run(capture));
  }
  // move, hold and group: one item or several, apart by semicolons.
  model::CreateTransfer create;
  std::vector<std::string> names;
  for (std::size_t at = verb == "group" ? 1 : 0; at < words.size();) {
    std::vector<std::string> part;
    bool last = false;
    while (at < words.size() && !last) {
      std::string word = words[at++];
      last = word.back() == ';';
      if (last) word.pop_back();
      if (!word.empty()) part.push_back(word);
    }
    REQUIRE_MESSAGE((part.size() >= 4 && (part[0] == "move" || part[0] == "hold")), "not a movement: ", part[0]);
    model::TransferItem one = item(part[1], part[2], amount(part[3]));
    one.hold = part[0] == "hold";
    names.emplace_back();
    for (std::size_t i = 4; i < part.size(); ++i) {
      if (part[i] == "as") {
        names.back() = part.at(++i);
      } else {
        one.hold_for = duration(part[i]);
      }
    }
    create.items.push_back(one);
  }
  const auto decided = run(create);
  keep_holds(decided, names);
  return texts_of(decided);
}

}  // namespace core
