#include "apps/holdfast/key_set_doctor.h"

#include <algorithm>

#include "effects/key_sets/discovery.h"
#include "intake/doctor.h"
#include "wire/json_writer.h"

namespace holdfast {
namespace {

using effects::FetchFailure;
using effects::FetchStep;

constexpr std::string_view private_networks[] = {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7"};

struct Blame {
  std::string_view party, advice;
};
// What the table of fetches does not know is in the body, and the import doctor has the word for it.
Blame blame_of(const FetchFailure& failure) {
  if (const effects::FetchAdvice* const row = effects::advice_on(failure.error.code)) return {effects::name_of(row->party), row->advice};
  const auto cause = intake::cause_of_code(failure.error.code);
  return {effects::name_of(effects::FetchParty::partner), cause ? intake::row_of(*cause).remedy_en : std::string_view()};
}

std::string milliseconds(base::Duration took) {
  const std::int64_t tenths = took.ns / 100'000;
  std::string text = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
  text.insert(0, text.size() < 10 ? 10 - text.size() : 0, ' ');
  return text;
}

std::string step_line(std::string_view verdict, FetchStep step, base::Duration took, std::string_view finding) {
  std::string line(verdict);
  line.resize(6, ' ');
  line += effects::name_of(step);
  line.resize(14, ' ');
  return line + milliseconds(took) + "  " + std::string(finding) + "\n";
}

constexpr std::string_view indent = "                          ";

std::string failure_text(const KeySetDiagnosis& diagnosis) {
  const FetchFailure& failure = *diagnosis.fetched.failure;
  const Blame blame = blame_of(failure);
  std::string text = step_line("FAIL", failure.step, diagnosis.fetched.failed_after, failure.error.message + " [" + failure.error.code + "]");
  text += std::string(indent) + "who acts: " + std::string(blame.party) + ". " + std::string(blame.advice) + "\n";
  for (std::size_t step = static_cast<std::size_t>(failure.step) + 1; step < effects::fetch_steps; ++step) {
    text += "-     " + std::string(effects::name_of(static_cast<FetchStep>(step))) + ": not reached\n";
  }
  return text;
}

std::string keys_text(const KeySetDiagnosis& diagnosis) {
  std::string text;
  for (const intake::PublishedKey& key : diagnosis.fetched.keys) {
    text += std::string(indent) + (key.kid.empty() ? "(no kid)" : key.kid) + "  " + key.algorithm + "  " + key.thumbprint + (key.private_part ? "  PRIVATE KEY SHOWN" : "") + "\n";
  }
  return text + std::string(indent) + "kept for " + std::to_string(diagnosis.lifetime.ns / 1'000'000'000) + " s" +
         (diagnosis.fetched.headers.cache_control.empty() && diagnosis.fetched.headers.expires.empty() ? "; the answer does not say for how long" : "") + "\n";
}

bool is_grave(const intake::Finding& finding) { return finding.severity >= intake::Severity::error; }

void write_failure(wire::JsonWriter& json, const KeySetDiagnosis& diagnosis) {
  const FetchFailure& failure = *diagnosis.fetched.failure;
  const Blame blame = blame_of(failure);
  json.member("failed_step", effects::name_of(failure.step));
  json.member("failed_after_us", static_cast<std::uint64_t>(diagnosis.fetched.failed_after.ns / 1'000));
  json.member("code", failure.error.code);
  json.member("message", std::string_view(failure.error.message));
  json.member("responsible_party", blame.party);
  json.member("next_action", blame.advice);
}

void write_documents(wire::JsonWriter& json, const effects::FetchedKeySet& fetched) {
  json.key("documents");
  json.begin_array();
  for (const effects::FetchedKeySet::Document& document : fetched.documents) {
    json.begin_object();
    json.member("url", std::string_view(document.url));
    json.key("steps");
    json.begin_array();
    for (const effects::StepTaken& step : document.steps) {
      json.begin_object();
      json.member("step", effects::name_of(step.step));
      json.member("took_us", static_cast<std::uint64_t>(step.took.ns / 1'000));
      json.member("finding", std::string_view(step.finding));
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_keys(wire::JsonWriter& json, const KeySetDiagnosis& diagnosis) {
  json.member("lifetime_s", static_cast<std::uint64_t>(diagnosis.lifetime.ns / 1'000'000'000));
  json.key("keys");
  json.begin_array();
  for (const intake::PublishedKey& key : diagnosis.fetched.keys) {
    json.begin_object();
    json.member("kid", std::string_view(key.kid));
    json.member("algorithm", std::string_view(key.algorithm));
    json.member("thumbprint", std::string_view(key.thumbprint));
    json.member("private", key.private_part);
    json.end_object();
  }
  json.end_array();
}

void write_findings(wire::JsonWriter& json, const std::vector<intake::Finding>& findings) {
  json.key("findings");
  json.begin_array();
  for (const intake::Finding& finding : findings) {
    json.begin_object();
    json.member("code", finding.code());
    json.member("severity", intake::name_of(finding.severity));
    json.member("evidence", std::string_view(finding.evidence));
    json.member("remedy_en", finding.remedy_en());
    json.member("remedy_zh", finding.remedy_zh());
    json.end_object();
  }
  json.end_array();
}

}  // namespace

base::Result<effects::KeySetSource> key_set_source_of(const KeySetQuestion& question) {
  effects::KeySetSource source;
  TRY_ASSIGN(intake::FetchTarget target, intake::read_fetch_url(question.url));
  source.rules.hosts = question.more_hosts;
  source.rules.hosts.push_back(std::move(target.host));
  if (question.private_networks) {
    for (const std::string_view network : private_networks) source.rules.networks.push_back(*intake::parse_network(network));
  }
  source.ca_file = question.ca_file;
  const std::string_view before = effects::issuer_of_discovery_url(question.url);
  source.issuer = question.issuer.empty() ? std::string(before) : question.issuer;
  if (before.empty() && question.issuer.empty()) source.url = question.url;
  if (source.url.empty() && effects::discovery_url_of(source.issuer) != question.url) {
    return base::Error{"options_contradict", "the configuration of that issuer lies at " + effects::discovery_url_of(source.issuer)};
  }
  return source;
}

bool KeySetDiagnosis::good() const {
  return !fetched.failure && std::ranges::none_of(findings, is_grave) &&
         std::ranges::none_of(fetched.keys, [](const intake::PublishedKey& key) { return key.private_part; });
}

KeySetDiagnosis diagnose_key_set(const effects::KeySetSource& source, effects::KeySetFetch& fetch) {
  KeySetDiagnosis diagnosis{.fetched = fetch.fetch(source, {}), .findings = {}};
  diagnosis.lifetime = intake::key_set_lifetime(diagnosis.fetched.headers.for_cache(), {});
  if (diagnosis.fetched.body.empty()) return diagnosis;
  for (intake::Finding& finding : intake::examine(diagnosis.fetched.body, {}).findings) {
    if (finding.severity >= intake::Severity::warning) diagnosis.findings.push_back(std::move(finding));
  }
  return diagnosis;
}

std::string key_set_report_text(const KeySetDiagnosis& diagnosis) {
  std::string text;
  for (const effects::FetchedKeySet::Document& document : diagnosis.fetched.documents) {
    text += document.url + "\n";
    for (const effects::StepTaken& step : document.steps) text += step_line("ok", step.step, step.took, step.finding);
  }
  text += diagnosis.fetched.failure ? failure_text(diagnosis) : keys_text(diagnosis);
  for (const intake::Finding& finding : diagnosis.findings) {
    text += (is_grave(finding) ? "FAIL  " : "warn  ") + std::string(finding.code()) + (finding.evidence.empty() ? "" : ": " + finding.evidence) + "\n";
    text += "      " + std::string(finding.remedy_en()) + "\n      " + std::string(finding.remedy_zh()) + "\n";
  }
  return text;
}

std::string key_set_report_json(const KeySetDiagnosis& diagnosis) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  json.member("good", diagnosis.good());
  if (diagnosis.fetched.failure) write_failure(json, diagnosis);
  write_documents(json, diagnosis.fetched);
  if (!diagnosis.fetched.failure) write_keys(json, diagnosis);
  write_findings(json, diagnosis.findings);
  json.end_object();
  return out;
}

}  // namespace holdfast
