#include "gate/statement_upload.h"

#include <set>

#include "gate/gate_fixture.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace gate {

namespace {

const std::string header = "booked_at,reference,rail_reference,amount,asset,direction,type\n";

struct Keys {
  std::array<std::uint8_t, 32> root{7};
  GateKeys keys{std::span<const std::uint8_t, 32>(root)};
};

std::string code_of(const StatementUpload& upload) {
  const Keys keys;
  const auto parts = parts_of(keys.keys, {}, 1, upload);
  return parts.ok() ? "ok" : parts.error().code;
}

}  // namespace

TEST_CASE("lines are known by their fields, whatever the format; those that nothing tells apart are counted") {
  const Keys keys;
  const std::string line = "2026-11-20T10:00:00Z,tr_0000000000041,bp-1,1050,USD/2,debit,payout\n";
  const std::string csv = header + line + line;
  const auto parts = parts_of(keys.keys, {}, 1, {.rail = "bank-a", .text = csv});
  REQUIRE_MESSAGE(parts.ok(), parts.error().message);
  REQUIRE(parts->parts.size() == 1);
  const auto& lines = parts->parts[0].lines;
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].identity != lines[1].identity);
  CHECK(lines[0].reference == model::parse_transfer_id("tr_0000000000041")->event);
  CHECK(lines[0].named);
  CHECK(lines[0].rail_reference_key == rail_reference_mac(keys.keys, 1, "bank-a", "bp-1"));
  CHECK(lines[0].rail_reference_key != rail_reference_mac(keys.keys, 1, "bank-b", "bp-1"));
  CHECK(lines[0].rail_reference_key != rail_reference_mac(keys.keys, 2, "bank-a", "bp-1"));
  const std::string swift = ":20:S\n:60F:C261120USD100,00\n:61:261120D10,50NTRFtr_0000000000041//bp-1\n:62F:C261120USD89,50\n";
  const auto other = parts_of(keys.keys, {}, 1, {.rail = "bank-a", .text = swift});
  REQUIRE_MESSAGE(other.ok(), other.error().message);
  CHECK(other->parts[0].lines[0].identity == lines[0].identity);
  CHECK(other->name == "S");
}

TEST_CASE("a long statement is several parts of one file") {
  const Keys keys;
  std::string csv = header;
  for (int i = 0; i < 2'001; ++i) csv += "2026-11-20,,,1,USD/2,debit,\n";
  const auto read = parts_of(keys.keys, {}, 1, {.rail = "bank-a", .text = csv});
  REQUIRE(read.ok());
  REQUIRE(read->parts.size() == 3);
  std::set<base::Tag128> identities;
  std::uint32_t number = 0;
  for (const model::RecordStatement& part : read->parts) {
    CHECK(part.part == ++number);
    CHECK(part.parts == 3);
    CHECK(part.file == read->parts[0].file);
    CHECK(part.lines_total == 2'001);
    for (const model::StatementLine& line : part.lines) CHECK(identities.insert(line.identity).second);
  }
  CHECK(identities.size() == 2'001);
}

TEST_CASE("the parts of an upload go out one by one, each with what is its own") {
  Fixture f;
  std::string swift = ":20:MONDAY\n:60F:C261120USD3000,00\n";
  for (int i = 0; i < 2'001; ++i) swift += ":61:2611201120D1,00NTRFx//b" + std::to_string(i) + "\n";
  swift += ":62F:C261120USD999,00\n";
  const StatementUpload upload{.rail = "bank-a", .text = swift};
  auto several = f.gate.admit_statement({.tenant = 1, .principal = 2, .trace = {5}}, "monday", upload);
  auto whole = f.gate.admit_statement({.tenant = 1, .principal = 2, .trace = {5}}, "monday", upload);
  REQUIRE(std::holds_alternative<model::Admitted>(several));
  model::Admitted& rest = std::get<model::Admitted>(several);
  const model::Admitted& all = std::get<model::Admitted>(whole);
  REQUIRE(rest.commands.size() == 3);
  for (std::size_t number = 0; number < 3; ++number) {
    const model::Admitted one = Gate::take_first(rest);
    CHECK(rest.commands.size() == 2 - number);
    REQUIRE(one.commands.size() == 1);
    CHECK(std::get<model::RecordStatement>(one.commands[0].body).part == number + 1);
    CHECK(one.commands[0].idempotency->key == all.commands[number].idempotency->key);
    CHECK(one.tenant == 1);
    CHECK(one.principal == 2);
    CHECK(one.trace == base::Tag128{5});
    REQUIRE(one.names.size() == 1);
    CHECK(one.names[0].command == 0);
    CHECK(one.names[0].name == "bank-a");
    CHECK(one.privates.size() == (number == 0 ? 1u : 0u));   // the name of the statement
  }
  CHECK(rest.names.empty());
  CHECK(rest.privates.empty());
}

TEST_CASE("a period that the file does not say must be given, and in order") {
  CHECK(code_of({.rail = "bank-a", .text = header}) == "statement_period_missing");
  CHECK(code_of({.rail = "bank-a", .until = base::Instant{2}, .text = header}) == "statement_period_missing");
  CHECK(code_of({.rail = "bank-a", .from = base::Instant{1}, .until = base::Instant{2}, .text = header}) == "ok");
  CHECK(code_of({.rail = "bank-a", .from = base::Instant{2}, .until = base::Instant{2}, .text = header}) == "statement_period_malformed");
  CHECK(code_of({.rail = "bank-a", .text = "hello"}) == "statement_format_unknown");
  CHECK(code_of({.rail = "bank-a", .format = model::StatementFormat::mt940, .text = header}) == "statement_empty");
}

TEST_CASE("formats have names") {
  for (const auto format : {model::StatementFormat::csv, model::StatementFormat::camt053, model::StatementFormat::mt940}) {
    CHECK(parse_statement_format(model::name_of(format)) == format);
  }
  CHECK_FALSE(parse_statement_format("pdf"));
}

}  // namespace gate
