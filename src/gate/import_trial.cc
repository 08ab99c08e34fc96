// Where the trial meets the gate: an imported key and messages that its owner signed.

#include <algorithm>

#include "base/check.h"
#include "gate/import_body.h"
#include "gate/import_finding.h"
#include "trial/mask.h"
#include "trial/trial.h"
#include "wire/json_writer.h"

namespace gate {

namespace {

void cut(std::string& text) { text.resize(bounded(text, finding_text_bytes_max).size()); }

// Names and stamps stand in messages as their senders chose: an answer is kept with the import, so all of it is bounded. A difference
// and a command line that are cut would say something else.
void bound(trial::Answer& answer) {
  cut(answer.id);
  cut(answer.scheme);
  answer.base_shown = trial::abridged(std::move(answer.base_shown), trial_text_bytes_max);
  if (answer.difference.size() > trial_text_bytes_max) answer.difference.clear();
  if (answer.reproduction && answer.reproduction->command.size() > finding_text_bytes_max) answer.reproduction.reset();
  if (answer.findings.size() > findings_told_max) answer.findings.resize(findings_told_max);
  for (intake::Finding& finding : answer.findings) cut(finding.evidence);
  for (trial::ShownStamp& stamp : answer.stamps) cut(stamp.text);
}

// Only what was signed can say how old a message is.
bool is_fresh(const trial::Answer& answer, const TrialRules& rules) {
  if (rules.now.ns == 0 || rules.captured_age_max.ns == 0) return false;
  return std::ranges::any_of(answer.stamps, [&](const trial::ShownStamp& stamp) {
    if (!stamp.judged || !stamp.at) return false;
    const base::Duration age = rules.now - *stamp.at;
    return age <= rules.captured_age_max && -age.ns <= captured_skew_max.ns;
  });
}

bool holds_secret(const trial::Answer& answer) {
  return std::ranges::any_of(answer.findings, [](const intake::Finding& finding) { return finding.severity == intake::Severity::incident; });
}

trial::Answer try_one(std::string_view captured, const TrialRules& rules, const Examined& examined, trial::Steps& steps) {
  auto one = trial::read_captured(captured);
  CHECK_THAT(one.ok(), "captured messages were read before they are tried");
  one->keys.push_back({.bytes = intake::to_secret(examined.canonical), .key_id = {}});
  if (rules.now.ns != 0 && rules.captured_age_max.ns != 0) {
    one->received_at = rules.now;
    one->window = rules.captured_age_max;
  }
  return trial::try_case(*one, steps);
}

// Of a secret nothing is told but its code (import_desk.cc).
void become_secret(Examined& examined) {
  constexpr auto code = intake::Cause::private_key_given_where_public_expected;
  examined = {};
  examined.verdict = model::ImportVerdict::secret_sent;
  examined.causes[0] = static_cast<std::uint16_t>(code);
  const intake::Finding finding{.cause = code, .severity = intake::Severity::incident, .place = {}, .evidence = {}, .repair = {}};
  examined.findings = findings_json({&finding, 1}, false);
}

// The findings of the message that failed come before those of the doctor.
void become_failed(Examined& examined, const trial::Answer& answer) {
  examined.verdict = model::ImportVerdict::trial_failed;
  examined.facts.reset();
  std::array<std::uint16_t, model::import_causes_max> causes{};
  std::size_t count = 0;
  for (const intake::Finding& finding : answer.findings) {
    if (count < causes.size()) causes[count++] = static_cast<std::uint16_t>(finding.cause);
  }
  for (const std::uint16_t cause : examined.causes) {
    if (cause != 0 && count < causes.size()) causes[count++] = cause;
  }
  examined.causes = causes;
}

}  // namespace

std::string captured_problem(std::string_view captured) {
  const auto one = trial::read_captured(captured);
  return one.ok() ? std::string() : one.error().message;
}

void try_captured(std::span<const intake::Text> captured, const TrialRules& rules, Examined& examined) {
  if (captured.empty() || examined.verdict != model::ImportVerdict::usable) return;
  trial::Steps steps(trial::variants_max, rules.may_go_on);
  std::optional<trial::Answer> failed;
  bool proven = false;
  std::string trials;
  wire::JsonWriter json(trials);
  json.begin_array();
  for (const intake::Text& one : captured) {
    trial::Answer answer = try_one(one, rules, examined, steps);
    if (holds_secret(answer)) return become_secret(examined);
    bound(answer);
    const bool proves = answer.verified && is_fresh(answer, rules);
    proven |= proves;
    json.begin_object();
    json.member("proves", proves);
    json.key("answer");
    json.raw(trial::to_json(answer));
    json.end_object();
    if (!answer.verified && !failed) failed = std::move(answer);
  }
  json.end_array();
  examined.trials = std::move(trials);
  if (failed) return become_failed(examined, *failed);
  if (proven) examined.verdict = model::ImportVerdict::proven;
}

}  // namespace gate
