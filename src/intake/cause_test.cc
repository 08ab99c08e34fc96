#include "intake/cause.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/text.h"

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

// docs/import-codes.md is this text and nothing else.
std::string reference() {
  std::string out =
      "# Import codes\n\n"
      "Every cause the import doctor can name. Numbers are immortal; severities are defaults that a partner's policy may raise.\n"
      "Made from `src/intake/cause.def`: run `HOLDFAST_UPDATE=1 build/release/intake_tests -dt-tc='*reference*'` after a change.\n\n"
      "| number | code | severity | what to do | 处理办法 |\n|---:|---|---|---|---|\n";
  for (const intake::CauseRow& row : intake::all_causes()) {
    out += "| " + std::to_string(static_cast<unsigned>(row.cause)) + " | `" + std::string(row.code) + "` | " + std::string(name_of(row.severity)) + " | " +
           escaped(row.remedy_en) + " | " + escaped(row.remedy_zh) + " |\n";
  }
  return out;
}

}  // namespace

TEST_CASE("numbers and codes of causes are unique, and every cause has both remedies") {
  std::set<unsigned> numbers;
  std::set<std::string_view> codes;
  for (const intake::CauseRow& row : intake::all_causes()) {
    CAPTURE(row.code);
    CHECK(numbers.insert(static_cast<unsigned>(row.cause)).second);
    CHECK(codes.insert(row.code).second);
    CHECK(row.remedy_en.size() > 20);
    CHECK(base::is_utf8(row.remedy_zh));
    CHECK_NE(row.remedy_zh.find("\xE3\x80\x82"), std::string_view::npos);  // a Chinese full stop: not left in English
    CHECK_EQ(intake::row_of(row.cause).code, row.code);
    CHECK(intake::cause_of_code(row.code) == row.cause);
  }
  for (unsigned number = 1; number <= 158; ++number) CHECK(numbers.count(number) == 1);
  CHECK_FALSE(intake::cause_of_code("no_such_code").has_value());
}

TEST_CASE("the published reference is in step with the table") {
  const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/import-codes.md";
  if (std::getenv("HOLDFAST_UPDATE") != nullptr) std::ofstream(path) << reference();
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  CHECK(text.str() == reference());
}
