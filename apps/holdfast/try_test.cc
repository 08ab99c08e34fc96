// holdfast try as a script meets it: the shipped examples, exit codes, and the openssl command of the answer, run.

#include <sys/wait.h>

#include <cstdio>

#include "base/text.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "wire/json_value.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

struct Said {
  int code = -1;
  std::string text;  ///< standard output and error
};
Said shell(const std::string& command) {
  Said said;
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) said.text.append(buffer, n);
  const int status = ::pclose(pipe);
  said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return said;
}
Said run(const std::string& words) { return shell(std::string(HOLDFAST_PROGRAM) + " try " + words); }
std::string example(const std::string& name) {
  return std::string(HOLDFAST_SOURCE_DIR) + "/docs/examples/try-" + name + ".json";
}

std::string member(const std::string& json, std::string_view name) {
  auto document = wire::parse_json(base::to_bytes(base::as_bytes(json)), {.bytes_max = 1 << 20, .depth_max = 16});
  REQUIRE(document.ok());
  const auto value = document->root().find(name);
  return value ? std::string(value->string().value_or("")) : std::string();
}

}  // namespace

TEST_CASE("the examples of holdfast try give what they say") {
  const struct {
    const char* name;
    const char* code;
  } rows[] = {{"http-signature", "signature_is_verified"},
              {"jws", "signature_is_verified"},
              {"unionpay", "signature_is_verified"},
              {"wechat-pay", "signature_line_ends_differ"},
              {"alipay", "own_key_given_in_place_of_partners"},
              {"webhook", "signature_secret_is_read_otherwise"},
              {"detached", "signature_is_der_where_raw_expected"}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Said json = run(example(row.name) + " --json");
    CHECK_EQ(json.code, std::string_view(row.code) == "signature_is_verified" ? 0 : 1);
    CHECK_EQ(member(json.text, "code"), row.code);
    const Said text = run(example(row.name));
    CHECK_EQ(text.code, json.code);
    CHECK_NE(text.text.find(json.code == 0 ? "verified: " : row.code), std::string::npos);
    CHECK_NE(text.text.find("signed text, values masked:"), std::string::npos);
  }
}

TEST_CASE("the openssl command of an answer repeats the check") {
  for (const char* const name : {"http-signature", "unionpay", "wechat-pay", "detached"}) {
    CAPTURE(name);
    io::TemporaryDirectory directory;
    const Said said = run(example(name) + " --json --out " + directory.path());
    const std::string command = member(said.text, "openssl");
    const Said checked = shell("cd " + directory.path() + " && " + command);
    CHECK_EQ(checked.code, 0);
    io::RealFileSystem files;
    CHECK_EQ(files.info(directory.path() + "/base.bin")->mode & 0777, 0600);
    // A changed base is refused by the same command.
    CHECK_NE(shell("cd " + directory.path() + " && echo x >> base.bin && " + command).code, 0);
  }
}

TEST_CASE("a case that is not understood, and files that are not there") {
  CHECK_EQ(run("").code, 2);
  CHECK_EQ(run("/does/not/exist").code, 2);
  const Said said = shell("echo '{\"convention\":\"soap\"}' | " + std::string(HOLDFAST_PROGRAM) + " try -");
  CHECK_EQ(said.code, 2);
  CHECK_NE(said.text.find("trial_case_malformed"), std::string::npos);
  CHECK_NE(run(example("jws") + " --out /does/not/exist").code, 0);
}

}  // namespace holdfast
