#include "wire/json_fields.h"

#include <doctest/doctest.h>

using namespace wire;

namespace {

base::Result<JsonDocument> read(std::string_view text) { return parse_json(base::as_bytes(text)); }

}  // namespace

TEST_CASE("a request that fits its schema leaves no problems") {
  const auto document = read(R"({"debit_account":"a","amount":"5","retries":3,"urgent":true,"hold":{},"rails":[]})");
  std::vector<FieldProblem> problems;
  JsonFields fields(document->root(), "", problems);
  CHECK(fields.required_string("debit_account") == "a");
  CHECK(fields.required_string("amount") == "5");
  CHECK_FALSE(fields.optional_string("note"));
  CHECK(fields.required_uint("retries", 0, 10) == 3u);
  CHECK_FALSE(fields.optional_uint("limit", 0, 10));
  CHECK(fields.required_boolean("urgent") == true);
  CHECK_FALSE(fields.optional_boolean("dry_run"));
  CHECK(fields.required_object("hold").has_value());
  CHECK_FALSE(fields.optional_object("metadata"));
  CHECK(fields.required_array("rails").has_value());
  CHECK_FALSE(fields.optional_array("tags"));
  CHECK_FALSE(fields.optional("anything"));
  fields.finish();
  CHECK(problems.empty());
}

TEST_CASE("an unknown field is named with the field that was probably meant") {
  const auto document = read(R"({"debit_acount":"a","amount":"1","x":1,"colour":2,"a/b~c":3})");
  std::vector<FieldProblem> problems;
  JsonFields fields(document->root(), "/items/3", problems);
  fields.optional_string("debit_account");
  fields.required_string("amount");
  fields.finish();
  REQUIRE(problems.size() == 4);
  CHECK(problems[0] == FieldProblem{"request_field_unknown", "/items/3/debit_acount",
                                    "no field of this name is known here", "debit_account"});
  CHECK(problems[1].pointer == "/items/3/x");
  CHECK(problems[1].suggestion == "");
  CHECK(problems[2].suggestion == "");
  CHECK(problems[3].pointer == "/items/3/a~1b~0c");
}

TEST_CASE("missing, wrong kind, out of range") {
  const auto document =
      read(R"({"amount":5,"limit":101,"negative":-1,"fraction":1.5,"note":null,"hold":[],"rails":{}})");
  std::vector<FieldProblem> problems;
  JsonFields fields(document->root(), "", problems);
  CHECK_FALSE(fields.required("asset"));
  CHECK_FALSE(fields.required_string("amount"));
  CHECK_FALSE(fields.required_uint("limit", 1, 100));
  CHECK_FALSE(fields.optional_uint("negative", 0, 100));
  CHECK_FALSE(fields.required_uint("fraction", 0, 100));
  CHECK_FALSE(fields.optional_string("note"));
  CHECK_FALSE(fields.required_object("hold"));
  CHECK_FALSE(fields.required_array("rails"));
  CHECK_FALSE(fields.required_boolean("urgent"));
  fields.finish();
  const auto code_of = [&](std::size_t i) { return std::string(problems[i].code) + " " + problems[i].pointer; };
  REQUIRE(problems.size() == 9);
  CHECK(code_of(0) == "request_field_missing /asset");
  CHECK(code_of(1) == "request_field_wrong_type /amount");
  CHECK(problems[1].detail == "expected string, found integer");
  CHECK(code_of(2) == "request_field_out_of_range /limit");
  CHECK(problems[2].detail == "from 1 to 100");
  CHECK(code_of(3) == "request_field_out_of_range /negative");
  CHECK(code_of(4) == "request_field_wrong_type /fraction");
  CHECK(code_of(5) == "request_field_wrong_type /note");
  CHECK(code_of(6) == "request_field_wrong_type /hold");
  CHECK(code_of(7) == "request_field_wrong_type /rails");
  CHECK(code_of(8) == "request_field_missing /urgent");
}

TEST_CASE("something that is no object is one problem, not many") {
  const auto document = read("[1]");
  std::vector<FieldProblem> problems;
  JsonFields fields(document->root(), "/hold", problems);
  CHECK_FALSE(fields.required_string("amount"));
  fields.finish();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].pointer == "/hold");
  CHECK(problems[0].detail == "expected object, found array");
}

TEST_CASE("an object with too many members is not walked") {
  std::string text = "{";
  for (int i = 0; i < 300; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  const auto document = read(text + "\"z\":1}");
  std::vector<FieldProblem> problems;
  JsonFields fields(document->root(), "", problems);
  CHECK_FALSE(fields.required("z"));
  fields.finish();
  REQUIRE(problems.size() == 1);
  CHECK(std::string(problems[0].code) == "request_field_out_of_range");
}

TEST_CASE("a foreign name is not repeated at any length") {
  const auto document = read("{\"" + std::string(5000, 'n') + "\":1}");
  std::vector<FieldProblem> problems;
  JsonFields fields(document->root(), "", problems);
  fields.report("request_field_malformed", "amount", "not a decimal number");
  fields.finish();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] == FieldProblem{"request_field_malformed", "/amount", "not a decimal number", ""});
  CHECK(problems[1].pointer.size() == 1 + 64 + 3);
}

TEST_CASE("suggestions") {
  const std::string_view names[] = {"amount", "asset", "id", "reference"};
  const auto closest = [&](std::string_view name) { return closest_name(name, names, std::size(names)); };
  CHECK(closest("amuont") == "amount");
  CHECK(closest("amout") == "amount");
  CHECK(closest("refrences") == "reference");
  CHECK(closest("aset") == "asset");
  CHECK_FALSE(closest("ie"));
  CHECK_FALSE(closest("currency"));
  CHECK_FALSE(closest(std::string(500, 'a')));
  CHECK(pointer_to("/items", std::size_t{7}) == "/items/7");
}
