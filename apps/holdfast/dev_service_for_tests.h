#pragma once
// For tests: a service with its sandbox rails, as processes, in a directory of its own.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "apps/holdfast/api_client.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/service_process.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "wire/json_value.h"

#include <doctest/doctest.h>

namespace holdfast {

constexpr int patience_tries = 400;
constexpr std::chrono::milliseconds patience_pause(25);

inline bool comes_true(const std::function<bool()>& condition) {
  for (int tries = 0; tries < patience_tries; ++tries) {
    if (condition()) return true;
    std::this_thread::sleep_for(patience_pause);
  }
  return false;
}

struct DevService {
  io::TemporaryDirectory place;
  io::RealFileSystem files;
  std::unique_ptr<ServiceProcess> process;
  std::unique_ptr<ApiClient> client;

  void start() {
    auto started = ServiceProcess::start(HOLDFAST_PROGRAM, place / "data", place / "messages");
    REQUIRE(started.ok());
    process = std::move(started).value();
    auto credentials = load_credentials(files, place / "data" + "/dev/client.json");
    REQUIRE(credentials.ok());
    client = std::move(ApiClient::open(files, std::move(credentials).value())).value();
  }
  std::string post(const std::string& path, const std::string& body, const std::string& key) {
    const auto reply = client->call({.method = "POST", .path = path, .query = {}, .body = body, .key = key});
    REQUIRE(reply.ok());
    REQUIRE_MESSAGE(reply->good(), reply->body);
    return reply->body;
  }
  std::string get(const std::string& path) {
    const auto reply = client->call({.path = path});
    REQUIRE(reply.ok());
    return reply->body;
  }
  std::vector<std::string> control_urls() {
    const auto text = io::read_whole_file(files, place / "data" + "/dev/client.json", 1 << 16);
    REQUIRE(text.ok());
    const auto document = wire::parse_json(*text);
    REQUIRE(document.ok());
    std::vector<std::string> urls;
    for (const wire::JsonValue rail : document->root().find("rails")->elements()) urls.emplace_back(*rail.find("control_url")->string());
    return urls;
  }
};

}  // namespace holdfast
