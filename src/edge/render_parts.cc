#include "edge/render_parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "gate/request_body.h"
#include "gate/scope.h"

namespace edge {

using wire::JsonWriter;

namespace {

constexpr std::array<std::pair<model::AccountFlag, std::string_view>, 6> flag_names = {{
    {model::debits_must_not_exceed_credits, "debits_must_not_exceed_credits"},
    {model::credits_must_not_exceed_debits, "credits_must_not_exceed_debits"},
    {model::frozen_for_debits, "frozen_for_debits"},
    {model::frozen_for_credits, "frozen_for_credits"},
    {model::closed, "closed"},
    {model::is_world, "world"},
}};

// Decimal digits without a heap allocation; amounts are in every reply, several times.
struct Digits {
  std::array<char, 40> text;
  std::size_t start = 40;
  explicit Digits(base::U128 value, bool negative = false) {
    // Most values fit 64 bits, whose division is many times cheaper.
    while (value > UINT64_MAX) {
      text[--start] = static_cast<char>('0' + static_cast<int>(value % 10));
      value /= 10;
    }
    auto rest = static_cast<std::uint64_t>(value);
    do {
      text[--start] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (negative) text[--start] = '-';
  }
  std::string_view view() const { return {text.data() + start, text.size() - start}; }
};

}  // namespace

void write_amount(JsonWriter& json, std::string_view name, base::U128 amount) {
  json.member(name, Digits(amount).view());
}

void write_instant(JsonWriter& json, std::string_view name, base::Instant instant) {
  json.member(name, std::string_view(base::to_rfc3339(instant)));
}

void write_asset(JsonWriter& json, const Backend& backend, std::string_view name, model::AssetNumber number) {
  if (const auto asset = backend.asset(number)) json.member(name, std::string_view(model::to_text(*asset)));
}

void write_account(JsonWriter& json, const Backend& backend, std::string_view name, model::AccountNumber number) {
  const std::string_view text = backend.account_name(number);
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.string(text);
  }
}

void write_counters(JsonWriter& json, const model::Counters& counters) {
  write_amount(json, "debits_posted", counters.debits_posted);
  write_amount(json, "credits_posted", counters.credits_posted);
  write_amount(json, "debits_pending", counters.debits_pending);
  write_amount(json, "credits_pending", counters.credits_pending);
  // Both terms are at most 2^127 - 1, so their sum fits.
  const base::U128 out = counters.debits_posted + counters.debits_pending;
  const bool negative = out > counters.credits_posted;
  const base::U128 size = negative ? out - counters.credits_posted : counters.credits_posted - out;
  json.member("available", Digits(size, negative).view());
}

void write_flags(JsonWriter& json, model::AccountFlags flags) {
  json.key("flags");
  json.begin_array();
  for (const auto& [flag, name] : flag_names) {
    if ((flags & flag) != 0) json.string(name);
  }
  json.end_array();
}

void write_limits(JsonWriter& json, const model::AccountLimits& limits) {
  json.key("limits");
  json.begin_object();
  if (limits.debit_amount_max) write_amount(json, "debit_amount_max", *limits.debit_amount_max);
  if (limits.daily_debits_max) write_amount(json, "daily_debits_max", *limits.daily_debits_max);
  if (limits.balance_max) write_amount(json, "balance_max", *limits.balance_max);
  json.end_object();
}

void write_scopes(JsonWriter& json, model::Scopes scopes) {
  json.key("scopes");
  json.begin_array();
  for (const std::string_view scope : gate::to_texts(scopes)) json.string(scope);
  json.end_array();
}

void write_metadata(JsonWriter& json, base::ByteView canonical) {
  if (canonical.empty()) return;
  const auto pairs = gate::parse_metadata(canonical);
  if (!pairs) return;
  json.key("metadata");
  json.begin_object();
  for (const auto& [name, value] : *pairs) json.member(name, value);
  json.end_object();
}

void write_transfer_id(JsonWriter& json, const Backend& backend, std::string_view name, model::EventNumber event) {
  json.member(name, std::string_view(model::transfer_id(backend.partition(), event)));
}

void write_position(JsonWriter& json, const Backend& backend, std::string_view name, model::EventNumber event) {
  json.member(name, std::string_view(gate::to_position(backend.partition(), event)));
}

std::optional<base::ByteView> private_value(const EntryWithPrivates& source, model::EventNumber event,
                                            model::PrivateField field) {
  const auto& all = source.privates;
  auto at = std::lower_bound(
      all.begin(), all.end(), event,
      [](const model::PrivateValue& value, model::EventNumber number) { return value.event < number; });
  for (; at != all.end() && at->event == event; ++at) {
    if (at->field == field) return at->value;
  }
  return std::nullopt;
}

EventAt event_of(const AnswerItem& item) {
  CHECK_THAT(item.source != nullptr && item.event_index < item.source->entry.events.size(),
             "an answer names its event");
  const model::Entry& entry = item.source->entry;
  return {*item.source, entry.events[item.event_index], entry.first_event + item.event_index};
}

}  // namespace edge
