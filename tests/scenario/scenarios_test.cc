// The scenarios of tests/scenarios, played as they stand; and proof that a scenario that is wrong fails where it is wrong.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "io/posix_file.h"
#include "tests/scenario/document.h"
#include "tests/scenario/expectation.h"
#include "tests/scenario/play.h"

#include <doctest/doctest.h>

namespace scenario {
namespace {

const std::string folder = HOLDFAST_SOURCE_DIR "/tests/scenarios";

std::vector<std::string> names_of_documents() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".md") && name != "README.md") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::string complaint_of(const std::string& text) {
  Played played;
  return play(read_document("x.md", text), played).value_or("it held");
}

// Line 3 is the request's, line 8 the reply's.
std::string asset_then(const std::string& reply) {
  return "# Wrong\n\n```http\nPOST /v1/assets\nIdempotency-Key: \"k\"\n\n{\"code\": \"USD/2\"}\n```\n\n" + reply;
}

}  // namespace

TEST_CASE("every scenario holds") {
  io::RealFileSystem files;
  std::size_t documents = 0, requests = 0, balances = 0;
  for (const std::string& name : names_of_documents()) {
    const auto text = io::read_whole_file(files, folder + "/" + name, 1 << 20);
    REQUIRE(text.ok());
    Played played;
    const auto complaint = play(read_document("tests/scenarios/" + name, base::as_text(*text)), played);
    CHECK_MESSAGE(!complaint, complaint.value_or(""));
    ++documents;
    requests += played.requests;
    balances += played.balances;
  }
  std::printf("%zu scenarios, %zu requests, %zu balances\n", documents, requests, balances);
  CHECK(documents >= 12);
}

TEST_CASE("a scenario that is wrong fails, with its line and both sides") {
  const std::string right = asset_then("```reply\n201\n\n{\"code\": \"USD/2\"}\n```\n");
  CHECK(complaint_of(right) == "it held");

  const std::string status = complaint_of(asset_then("```reply\n200\n```\n"));
  CHECK(status.starts_with("x.md:10: expected status 200, got 201"));
  CHECK(status.find("--- expected\n200") != std::string::npos);
  CHECK(status.find("--- got\n201") != std::string::npos);
  CHECK(complaint_of(asset_then("```reply\n201\n\n{\"code\": \"EUR/2\"}\n```\n")).starts_with("x.md:10: /code: expected \"EUR/2\", got \"USD/2\""));
  CHECK(complaint_of(asset_then("```reply\n201\n\n{\"code\": {}}\n```\n")).starts_with("x.md:10: /code: expected an object, got \"USD/2\""));
  CHECK(complaint_of(asset_then("```reply\n201\n\n{\"colour\": \"red\"}\n```\n")).starts_with("x.md:10: /colour: expected \"red\", got nothing"));
  CHECK(complaint_of(asset_then("```reply\n201\n\n{\"code\": \"{{absent}}\"}\n```\n")).starts_with("x.md:10: /code: expected nothing, got"));
  CHECK(complaint_of(asset_then("```reply\n201\nIdempotency-Replayed: true\n```\n"))
            .starts_with("x.md:11: header Idempotency-Replayed: expected true, got (none)"));
  CHECK(complaint_of(asset_then("```reply\n201\nDate: (none)\n```\n")).starts_with("x.md:11: header Date: expected (none), got "));
  CHECK(complaint_of(asset_then("```reply\n201\n\n{\n```\n")).starts_with("x.md:10: the expected body is no JSON"));
}

TEST_CASE("what a scenario may not leave out or make up") {
  const std::string reply = "```reply first\n201\n```\n";
  CHECK(complaint_of("# Nothing\n") == "x.md:1: nothing is asked in this scenario");
  CHECK(complaint_of(asset_then("")) == "x.md:3: a request needs a reply block right behind it");
  CHECK(complaint_of(asset_then("```clock\nadvance 1 s\n```\n")) == "x.md:3: a request needs a reply block right behind it");
  CHECK(complaint_of(reply) == "x.md:1: a reply block needs a request right before it");
  CHECK(complaint_of("```dance\n```\n") == "x.md:1: no such block: dance");
  CHECK(complaint_of("```http\nGET /v1/accounts/{{who}}\n```\n") == "x.md:1: {{who}} has no value yet");
  CHECK(complaint_of("```http\nGET\n```\n") == "x.md:1: a request begins with METHOD TARGET");
  CHECK(complaint_of("```clock\n\nadvance 1 fortnight\n```\n") == "x.md:2: expected: advance COUNT UNIT");
  CHECK(complaint_of("```clock\nadvance 1 fortnight\n```\n") == "x.md:2: expected a count and ms, s, min, h or days, got 1 fortnight");
  CHECK(complaint_of("```service\nexplode\n```\n") == "x.md:2: expected restart or power loss, got explode");
  CHECK(complaint_of(asset_then("```reply same as first\n201\n```\n")) == "x.md:10: there is no reply first");
  CHECK(complaint_of(asset_then(reply) + asset_then(reply)) == "x.md:22: there is a reply first already");
}

TEST_CASE("other bytes and other balances are seen") {
  const std::string first = asset_then("```reply first\n201\n```\n");
  CHECK(complaint_of(first + "```http\nGET /v1/trial-balance\n```\n```reply same as first\n200\n```\n").starts_with("x.md:16: the bytes are not the same\n--- before\n{"));
  const std::string table = first + "| account | available |\n|---|---:|\n| `world/USD` | 0 |\n";
  CHECK(complaint_of(table) == "it held");
  CHECK(complaint_of(first + "| account | available |\n|---|---|\n| `world/USD` | 7 |\n") == "x.md:15: world/USD, available: expected 7, got 0");
  CHECK(complaint_of(first + "| account | colour |\n|---|---|\n| `world/USD` | 7 |\n") == "x.md:15: an account has no field colour");
  CHECK(complaint_of(first + "| account | available |\n|---|---|\n| `world/USD` |\n") == "x.md:15: the row has 1 cells, its head 2");
  CHECK(complaint_of(first + "| account | available |\n|---|---|\n| `nobody` | 0 |\n").starts_with("x.md:15: nobody: 404 "));
  CHECK(complaint_of(first + "| column | another |\n|---|---|\n| prose | 7 |\n") == "it held");
}

TEST_CASE("names carry values, in both directions") {
  Names names;
  CHECK(matches_text("{{id}}", "tr_1", names));
  CHECK(matches_text("{{id}}", "tr_1", names));
  CHECK_FALSE(matches_text("{{id}}", "tr_2", names));
  CHECK(matches_text("/v1/transfers/{{id}}", "/v1/transfers/tr_1", names));
  CHECK(matches_text("...", "whatever", names));
  CHECK_FALSE(matches_text("/v1/{{unknown}}", "/v1/", names));
  std::string unknown;
  CHECK(filled_in("a{{repeat 3 xy}}b", names, unknown) == "axyxyxyb");
  CHECK(filled_in("{{repeat many}}", names, unknown) == std::nullopt);
  CHECK(filled_in("{{", names, unknown) == "{{");
}

}  // namespace scenario
