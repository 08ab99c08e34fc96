#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

int run_nothing(const Arguments&) { return exit_done; }

const Verb verb{.name = "move",
                .operands = "FROM TO",
                .operands_min = 1,
                .operands_max = 2,
                .summary = "",
                .options = {{"--amount", "N", ""}, {"--hold", "", ""}},
                .run = run_nothing};

base::Result<Arguments> parse(const std::vector<std::string_view>& words) { return parse_arguments(words, verb); }

std::string_view code(const std::vector<std::string_view>& words) {
  const auto parsed = parse(words);
  return parsed.ok() ? std::string_view("") : parsed.error().code;
}

}  // namespace

TEST_CASE("options stand anywhere, with a blank or an equals sign") {
  const auto parsed = parse({"a", "--amount", "12", "b", "--hold", "--json"});
  REQUIRE(parsed.ok());
  CHECK(parsed->operands() == std::vector<std::string>{"a", "b"});
  CHECK(parsed->value("--amount") == "12");
  CHECK(parsed->has("--hold"));
  CHECK(parsed->json());
  const auto equals = parse({"--amount=a=b", "x"});
  REQUIRE(equals.ok());
  CHECK(equals->value("--amount") == "a=b");
  CHECK_FALSE(equals->has("--hold"));
}

TEST_CASE("a dash is an operand, and so is everything behind two") {
  const auto parsed = parse({"-", "--", "--hold"});
  REQUIRE(parsed.ok());
  CHECK(parsed->operands() == std::vector<std::string>{"-", "--hold"});
}

TEST_CASE("what is wrong with a command line has a code") {
  CHECK(code({"a", "--amout", "1"}) == "option_unknown");
  CHECK(parse({"a", "--amout", "1"}).error().message == "there is no option --amout; did you mean --amount?");
  CHECK(parse({"a", "--zzzzzzz"}).error().message == "there is no option --zzzzzzz");
  CHECK(code({"a", "--amount"}) == "option_value_missing");
  CHECK(code({"a", "--hold=yes"}) == "option_value_unexpected");
  CHECK(code({"a", "--hold", "--hold"}) == "option_given_twice");
  CHECK(code({}) == "operands_missing");
  CHECK(code({"a", "b", "c"}) == "operands_too_many");
}

TEST_CASE("numbers within bounds") {
  const auto number = [](std::string_view text) {
    return parse({"a", "--amount", text})->number("--amount", 2, 10);
  };
  CHECK(number("2").value() == 2);
  CHECK(number("10").value() == 10);
  for (const std::string_view text : {"1", "11", "", "-3", "3x", " 3", "99999999999999999999"}) {
    CAPTURE(text);
    REQUIRE_FALSE(number(text).ok());
    CHECK(number(text).error().code == std::string_view("option_value_malformed"));
    CHECK(exit_code_of(number(text).error()) == exit_misuse);
  }
  CHECK_FALSE(parse({"a"})->number("--amount", 2, 10)->has_value());
}

TEST_CASE("every command says what it does, with examples") {
  for (const Command& command : commands()) {
    CAPTURE(command.name);
    CHECK_FALSE(command.summary.empty());
    CHECK(command.examples.starts_with("  "));
    CHECK(command.examples.find("holdfast " + std::string(command.name)) != std::string_view::npos);
    REQUIRE_FALSE(command.verbs.empty());
    CHECK(overview().find("\n  " + std::string(command.name) + " ") != std::string::npos);
    for (const Verb& each : command.verbs) {
      CHECK((each.run != nullptr));
      CHECK((!each.name.empty() || &each == &command.verbs.front()));
      CHECK(each.operands_min <= each.operands_max);
      CHECK(help_of(command).find(each.summary) != std::string::npos);
      for (const Option& option : each.options) CHECK(option.name.starts_with("--"));
    }
  }
}

TEST_CASE("a refusal is read by people: what it was about, field by field what is wrong, what to do next") {
  CHECK(readable_problem(R"({"code":"exceeds_available_balance","detail":"decided","amount":"7","debit_account":"a","credit_account":"b","next_action":"Fund."})") ==
        "exceeds_available_balance: 7 from a to b\n  next: Fund.");
  CHECK(readable_problem(R"({"code":"account_exists","detail":"decided","account":"a","next_action":"Go on."})") == "account_exists: a\n  next: Go on.");
  CHECK(readable_problem(R"({"code":"request_field_unknown","detail":"/x","fields":[{"pointer":"/x","detail":"no such field","suggestion":"y"}],"next_action":"Correct it.","trace_id":"0a"})") ==
        "request_field_unknown\n  /x: no such field; did you mean y?\n  next: Correct it.\n  trace: 0a");
  CHECK(readable_problem(R"({"code":"overloaded","detail":"the queue is full","next_action":"Wait."})") == "overloaded: the queue is full\n  next: Wait.");
  CHECK(readable_problem("not JSON") == "not JSON");
}

TEST_CASE("the manual page holds every command, verb and option, and nothing in it is taken for a roff request") {
  const std::string page = manual_page();
  CHECK(page.starts_with(".TH HOLDFAST 1 "));
  // A hyphen as it is would become a typographic one.
  const auto literal = [](std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
    return escaped;
  };
  for (const Command& command : commands()) {
    CAPTURE(command.name);
    CHECK(page.find("\n.SS holdfast " + literal(command.name) + "\n") != std::string::npos);
    for (const Verb& verb : command.verbs) {
      for (const Option& option : verb.options) {
        CHECK(page.find("\n    " + literal(option.name)) != std::string::npos);
      }
    }
  }
  std::size_t at = 0;
  while ((at = page.find("\n.", at)) != std::string::npos) {
    ++at;
    const std::string request = page.substr(at, page.find_first_of(" \n", at) - at);
    CAPTURE(request);
    CHECK((request == ".SH" || request == ".SS" || request == ".TP" || request == ".PP" || request == ".nf" || request == ".fi" || request == ".B"));
  }
  CHECK(page.find("\n'") == std::string::npos);
  CHECK(run_command_line(std::vector<std::string_view>{"help", "--man"}) == exit_done);
}

TEST_CASE("misuse is exit code 2, and does nothing") {
  using Words = std::vector<std::string_view>;
  CHECK(run_command_line(Words{}) == exit_misuse);
  CHECK(run_command_line(Words{"serv"}) == exit_misuse);
  CHECK(run_command_line(Words{"serve"}) == exit_misuse);
  CHECK(run_command_line(Words{"account"}) == exit_misuse);
  CHECK(run_command_line(Words{"account", "oppen"}) == exit_misuse);
  CHECK(run_command_line(Words{"account", "open", "a"}) == exit_misuse);
  CHECK(run_command_line(Words{"help", "acount"}) == exit_misuse);
  CHECK(run_command_line(Words{"journal", "verify", "--dta", "x"}) == exit_misuse);
}

}  // namespace holdfast
