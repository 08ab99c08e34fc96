// holdfast doctor jwks: what keeps us from a partner's keys.

#include <algorithm>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/key_set_doctor.h"
#include "effects/key_sets/name_service.h"
#include "io/clock.h"

namespace holdfast {

namespace {

std::vector<std::string> hosts_of(std::string_view list) {
  std::vector<std::string> hosts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    hosts.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return hosts;
}

int run_doctor_jwks(const Arguments& arguments) {
  KeySetQuestion question;
  question.url = arguments.operands()[0];
  question.issuer = arguments.value_or("--issuer", "");
  question.more_hosts = hosts_of(arguments.value_or("--allow-host", ""));
  question.private_networks = arguments.has("--allow-private");
  if (const auto file = arguments.value("--ca")) question.ca_file = absolute_path(*file);
  auto source = key_set_source_of(question);
  if (source.ok() && question.private_networks && std::ranges::find(source->rules.hosts, *arguments.value("--allow-private")) == source->rules.hosts.end()) {
    source = base::Error{"options_contradict", "--allow-private names a host that is not asked"};
  }
  if (!source.ok()) {
    fail(source.error());
    return exit_misuse;
  }
  auto clock = io::RealClock::open();
  if (!clock.ok()) return fail(clock.error());
  effects::SystemNames names;
  effects::KeySetFetchByHttps fetch(names, **clock);
  const KeySetDiagnosis diagnosis = diagnose_key_set(*source, fetch);
  print(arguments.json() ? key_set_report_json(diagnosis) : key_set_report_text(diagnosis));
  return diagnosis.good() ? exit_done : exit_failed;
}

}  // namespace

Verb doctor_jwks_verb() {
  return {.name = "jwks",
          .operands = "URL",
          .operands_min = 1,
          .operands_max = 1,
          .summary = "walks to a partner's key set, or to it by a provider's configuration: names, connection, TLS, HTTP, JSON, keys",
          .options = {{"--ca", "FILE", "trust the authorities in this PEM file, and no others"},
                      {"--allow-private", "HOST", "this host may be in a private network"},
                      {"--allow-host", "HOST[,HOST]", "where a configuration may send us besides the host of URL"},
                      {"--issuer", "ISSUER", "what a configuration has to name, if it is not what stands before /.well-known/"}},
          .run = run_doctor_jwks};
}

}  // namespace holdfast
