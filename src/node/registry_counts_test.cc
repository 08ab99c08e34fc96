#include "node/registry_counts.h"

#include <doctest/doctest.h>

using model::ImportCause;
using model::ImportState;
using model::KeyState;

TEST_CASE("versions are counted by state, imports by where they are and why, and the nearest end is that of what verifies") {
  const base::Instant now{1'800'000'000'000'000'000};
  core::RegistryTables tables;
  model::EventNumber next = 1;
  const auto apply = [&](const auto& event) {
    tables.apply(event, next, now);
    return next++;
  };
  CHECK_EQ(node::count_registry(tables.freeze()).nearest_end.ns, 0);
  apply(model::PartnerOpened{.number = 1, .tenant = 1, .name = *model::parse_rail_name("bank-a")});
  apply(model::KeyOpened{.number = 1, .partner = 1, .name = *model::parse_rail_name("callbacks")});
  const auto add = [&](std::int64_t not_after_s) {
    model::ImportReceived received{.tenant = 1, .importer = 1, .partner = 1, .key = 1, .facts = {}, .findings = {}, .responsible = {}};
    model::KeyFacts facts;
    facts.spki = {1};
    facts.not_after = {not_after_s * 1'000'000'000};
    received.facts = std::move(facts);
    const model::EventNumber import = apply(received);
    apply(model::ImportMoved{.import = import, .from = ImportState::received, .to = ImportState::inspected, .cause = ImportCause::doctor, .due = {}});
    return import;
  };
  const auto add_version = [&](model::EventNumber import, model::KeyVersion version, KeyState state) {
    apply(model::KeyVersionAdded{.key = 1, .version = version, .import = import, .proven = true});
    apply(model::KeyVersionMoved{.key = 1, .version = version, .from = KeyState::next, .to = state, .reason = {}});
  };
  add(1);
  add_version(add(5), 1, KeyState::retired);
  add_version(add(0), 2, KeyState::active);
  apply(model::KeyVersionMoved{.key = 1, .version = 2, .from = KeyState::active, .to = KeyState::retiring, .reason = {}});
  add_version(add(9), 3, KeyState::active);
  const node::RegistryCounts counts = node::count_registry(tables.freeze());
  CHECK_EQ(counts.imports.at({ImportState::inspected, ImportCause::doctor}), 4);
  CHECK_EQ(counts.imports.size(), 1);
  CHECK_EQ(counts.versions[static_cast<std::size_t>(KeyState::retired)], 1);
  CHECK_EQ(counts.versions[static_cast<std::size_t>(KeyState::retiring)], 1);
  CHECK_EQ(counts.versions[static_cast<std::size_t>(KeyState::active)], 1);
  CHECK_EQ(counts.nearest_end.ns, 9'000'000'000);
}
