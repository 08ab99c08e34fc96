#include "wire/structured_field.h"

#include <doctest/doctest.h>

using namespace wire;

TEST_CASE("structured-field strings") {
  CHECK(parse_sf_string("\"abc\"") == "abc");
  CHECK(parse_sf_string("\"\"") == "");
  CHECK(parse_sf_string(R"("a\"b\\c")") == "a\"b\\c");
  for (const std::string_view text : {"", "\"", "abc", "\"abc", "abc\"", "\"a\"b\"", "\"a\\\"", "\"\\a\"", "\"\x7F\"",
                                      "\"\xC3\xA9\"", "\"a\tb\"", "\"a\";p=1", " \"a\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_sf_string(text));
  }
  CHECK(to_sf_string("a\"b\\c") == R"("a\"b\\c")");
  CHECK_FALSE(to_sf_string("a\n"));
}

TEST_CASE("idempotency keys") {
  CHECK(*parse_idempotency_key("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"") == "8e03978e-40d5-43dd-bc93-6894a57f9324");
  CHECK(*parse_idempotency_key("8e03978e-40d5") == "8e03978e-40d5");
  CHECK(*parse_idempotency_key("\"with blank\"") == "with blank");
  CHECK(*parse_idempotency_key(std::string(255, 'k')) == std::string(255, 'k'));
  for (const std::string& text : std::vector<std::string>{"", "\"\"", "a b", "a/b", "a\"", "\"a", "a,b", "\"a\", \"b\"",
                                                          std::string(256, 'k'), "\"" + std::string(256, 'k') + "\""}) {
    CAPTURE(text);
    const auto key = parse_idempotency_key(text);
    REQUIRE_FALSE(key.ok());
    CHECK(std::string(key.error().code) == "idempotency_key_malformed");
  }
}

TEST_CASE("traceparent") {
  constexpr std::string_view sample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto context = parse_traceparent(sample);
  REQUIRE(context);
  CHECK(context->sampled);
  CHECK(context->trace_id[0] == 0x4b);
  CHECK(context->parent_id[7] == 0xb7);
  CHECK(to_traceparent(*context) == sample);
  CHECK(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled == false);
  CHECK(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later"));
  for (const std::string_view text : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                                      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                                      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                                      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_traceparent(text));
  }
}

TEST_CASE("bearer tokens") {
  CHECK(parse_bearer("Bearer abc-._~+/09==") == "abc-._~+/09==");
  CHECK(parse_bearer("bEaReR x") == "x");
  for (const std::string_view text :
       {"", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer =", "Bearer a=b", "Bearerabc", "Bearer \"a\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bearer(text));
  }
}

TEST_CASE("media types") {
  CHECK(parse_media_type("application/json") == MediaType{"application/json", ""});
  CHECK(parse_media_type("Application/JSON; Charset=\"UTF-8\"") == MediaType{"application/json", "utf-8"});
  CHECK(parse_media_type("multipart/form-data;boundary=x ; charset=utf-8") ==
        MediaType{"multipart/form-data", "utf-8"});
  for (const std::string_view text :
       {"", "json", "application/", "/json", "application/json;", "application/json; charset",
        "application/json; charset=", "application/json; charset=\"x", "a/b; charset=x; charset=y", "a/b c", "a/b, c/d",
        "a/b; x=\"\x01\"", "a/b; x=\"\\"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_media_type(text));
  }
}

TEST_CASE("accept") {
  struct Row {
    std::string_view accept;
    std::optional<unsigned> quality;
  };
  const Row rows[] = {
      {"", 1000},
      {"*/*", 1000},
      {"application/json", 1000},
      {"APPLICATION/JSON", 1000},
      {"text/html", 0},
      {"text/html, application/*;q=0.5", 500},
      {"*/*;q=0.1, application/json;q=0.25, application/*;q=1", 250},
      {"application/json;q=0", 0},
      {"application/json;q=0, */*", 0},
      {",, application/json ,", 1000},
      {"application/json; charset=utf-8; q=0.9", 900},
      {"application/json;profile=x", 0},
      {"application/json;q=1.5", std::nullopt},
      {"application/json;q=0.1234", std::nullopt},
      {"application/json;q=2", std::nullopt},
      {"application/json;q=0,5", std::nullopt},
      {"*/json", std::nullopt},
      {"application", std::nullopt},
      {"application/json text/html", std::nullopt},
      {"application/json;q", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.accept);
    CHECK(accept_quality(row.accept, "application/json") == row.quality);
  }
}
