#include "apps/holdfast/sandbox_rail_profile.h"

#include <algorithm>
#include <array>

#include "crypto/mac.h"
#include "wire/json_fields.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::array<std::string_view, 33> fault_names = {
    "refuse",           "lost_request",       "lost_reply",         "reset_reply",       "black_hole",        "black_hole_after",  "delay",
    "slow_drip",        "error",              "error_committed",    "ok_with_error_body", "truncated_json",   "truncated_reply",   "wrong_amount",
    "wrong_asset",      "late_success",       "refuse_after",       "return_after",      "never_settle",      "ignore_valid_until", "not_visible", "lost_callback",
    "duplicate_callback", "replayed_callback", "reordered_callback", "altered_callback",  "forged_callback",   "stale_callback",    "statement_missing",
    "statement_shuffled", "statement_line_missing", "statement_line_doubled", "statement_line_altered"};
constexpr std::array<std::string_view, 5> operation_names = {"send", "inquire", "void", "callback", "statement"};

/// Where a fault happens if its rule does not say.
RailOperation usual_place(RailFault fault) {
  if (fault >= RailFault::statement_missing) return RailOperation::statement;
  if (fault >= RailFault::lost_callback) return RailOperation::callback;
  if (fault == RailFault::not_visible) return RailOperation::inquire;
  return RailOperation::send;
}

constexpr std::int64_t ms_max = 86'400'000;
constexpr std::size_t rules_max = 64;

std::int64_t signed_of(std::optional<std::uint64_t> number, std::int64_t otherwise) {
  return number ? static_cast<std::int64_t>(*number) : otherwise;
}

void read_rule(wire::JsonValue value, const std::string& pointer, std::vector<wire::FieldProblem>& problems, FaultRule& rule) {
  wire::JsonFields fields(value, pointer, problems);
  const auto name = fields.required_string("fault");
  const auto on = fields.optional_string("on");
  if (name) {
    const auto found = std::ranges::find(fault_names, *name);
    if (found == fault_names.end()) return fields.report("request_field_malformed", "fault", "no fault has this name");
    rule.fault = static_cast<RailFault>(found - fault_names.begin());
    rule.on = usual_place(rule.fault);
  }
  if (on) {
    const auto found = std::ranges::find(operation_names, *on);
    if (found == operation_names.end()) return fields.report("request_field_malformed", "on", "send, inquire, void, callback or statement");
    rule.on = static_cast<RailOperation>(found - operation_names.begin());
  }
  rule.per_million = static_cast<std::uint32_t>(fields.optional_uint("per_million", 0, 1'000'000).value_or(rule.per_million));
  rule.from = fields.optional_uint("from", 0, UINT64_MAX).value_or(rule.from);
  rule.count = fields.optional_uint("count", 0, UINT64_MAX).value_or(rule.count);
  rule.after_ms = signed_of(fields.optional_uint("after_ms", 0, ms_max), rule.after_ms);
  rule.until_ms = signed_of(fields.optional_uint("until_ms", 0, ms_max), rule.until_ms);
  rule.period_ms = signed_of(fields.optional_uint("period_ms", 0, ms_max), rule.period_ms);
  rule.active_ms = signed_of(fields.optional_uint("active_ms", 0, ms_max), rule.period_ms / 2);
  rule.delay_ms = signed_of(fields.optional_uint("delay_ms", 0, ms_max), rule.delay_ms);
  rule.times = static_cast<std::uint32_t>(fields.optional_uint("times", 1, 10'000).value_or(rule.times));
  if (const auto reason = fields.optional_string("reason")) rule.reason = *reason;
  fields.finish();
}

}  // namespace

std::string_view to_text(RailFault fault) { return fault_names[static_cast<std::size_t>(fault)]; }

base::Result<RailProfileFile> parse_rail_profile(base::ByteView json) {
  const auto malformed = [](std::string what) { return base::Error{"sandbox_profile_malformed", "the profile: " + std::move(what)}; };
  const auto document = wire::parse_json(json);
  if (!document.ok()) return malformed(document.error().message);
  RailProfileFile profile;
  std::vector<wire::FieldProblem> problems;
  wire::JsonFields fields(document->root(), "", problems);
  profile.seed = fields.optional_uint("seed", 0, UINT64_MAX).value_or(profile.seed);
  profile.settle_after_ms = signed_of(fields.optional_uint("settle_after_ms", 0, ms_max), profile.settle_after_ms);
  profile.settle_jitter_ms = signed_of(fields.optional_uint("settle_jitter_ms", 0, ms_max), profile.settle_jitter_ms);
  profile.settle_at_once = fields.optional_boolean("settle_at_once").value_or(false);
  profile.tell_accepted = fields.optional_boolean("tell_accepted").value_or(false);
  if (const auto url = fields.optional_string("callback_url")) profile.callback_url = *url;
  const auto rules = fields.optional_array("faults");
  fields.finish();
  if (rules) {
    if (rules->size() > rules_max) return malformed("too many faults");
    std::size_t index = 0;
    for (const wire::JsonValue value : rules->elements()) {
      read_rule(value, wire::pointer_to("/faults", index++), problems, profile.faults.emplace_back());
    }
  }
  if (!problems.empty()) return malformed(problems.front().pointer + " " + problems.front().detail);
  return profile;
}

std::string to_json(const RailProfileFile& profile) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("seed", profile.seed);
  json.member("settle_after_ms", static_cast<std::uint64_t>(profile.settle_after_ms));
  json.member("settle_jitter_ms", static_cast<std::uint64_t>(profile.settle_jitter_ms));
  json.member("settle_at_once", profile.settle_at_once);
  json.member("tell_accepted", profile.tell_accepted);
  json.member("callback_url", std::string_view(profile.callback_url));
  json.key("faults");
  json.begin_array();
  for (const FaultRule& rule : profile.faults) {
    json.begin_object();
    json.member("fault", to_text(rule.fault));
    json.member("on", operation_names[static_cast<std::size_t>(rule.on)]);
    json.member("per_million", std::uint64_t{rule.per_million});
    json.member("from", rule.from);
    json.member("count", rule.count);
    json.member("after_ms", static_cast<std::uint64_t>(rule.after_ms));
    json.member("until_ms", static_cast<std::uint64_t>(std::min(rule.until_ms, ms_max)));
    json.member("period_ms", static_cast<std::uint64_t>(rule.period_ms));
    json.member("active_ms", static_cast<std::uint64_t>(rule.active_ms));
    json.member("delay_ms", static_cast<std::uint64_t>(rule.delay_ms));
    json.member("times", std::uint64_t{rule.times});
    json.member("reason", std::string_view(rule.reason));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text;
}

std::uint64_t FaultDecider::hash(std::uint64_t salt, std::string_view reference, std::uint64_t nth) const {
  std::array<std::uint8_t, 16> key{};
  base::store_le(key.data(), profile_.seed);
  base::store_le(key.data() + 8, salt);
  base::Bytes text = base::to_bytes(base::as_bytes(reference));
  text.resize(text.size() + 8);
  base::store_le(text.data() + text.size() - 8, nth);
  return crypto::siphash64(key, text);
}

std::uint64_t FaultDecider::draw(std::string_view reference, std::uint64_t bound) const {
  return bound == 0 ? 0 : hash(UINT64_MAX, reference, 0) % bound;
}

std::vector<const FaultRule*> FaultDecider::decide(RailOperation operation, std::string_view reference, std::uint64_t nth,
                                                   std::int64_t elapsed_ms) {
  const std::uint64_t ordinal = counts_[operation]++;
  std::vector<const FaultRule*> chosen;
  for (std::size_t i = 0; i < profile_.faults.size(); ++i) {
    const FaultRule& rule = profile_.faults[i];
    const bool by_line = rule.fault >= RailFault::statement_line_missing;   // its probability is that of a line
    const bool applies = rule.on == operation && ordinal >= rule.from && ordinal - rule.from < rule.count && elapsed_ms >= rule.after_ms &&
                         elapsed_ms < rule.until_ms && (rule.period_ms == 0 || elapsed_ms % rule.period_ms < rule.active_ms) &&
                         (by_line || hash(i, reference, nth) % 1'000'000 < rule.per_million);
    if (applies) chosen.push_back(&rule);
  }
  return chosen;
}

}  // namespace holdfast
