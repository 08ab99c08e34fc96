#include "apps/holdfast/import_folder.h"

#include <filesystem>
#include <fstream>

#include "io/temporary_directory.h"

#include <doctest/doctest.h>

using namespace holdfast;

namespace {

constexpr const char* public_text = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
constexpr const char* private_text = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

void write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("a folder is examined file by file and summed up by cause") {
  const io::TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path() + "/deep");
  write(folder.path() + "/a.pem", public_text);
  write(folder.path() + "/b.pem", private_text);
  write(folder.path() + "/deep/c.txt", "<html>not a key</html>");
  std::filesystem::create_symlink(folder.path() + "/a.pem", folder.path() + "/link.pem");
  std::vector<std::uint64_t> told;
  intake::Expectations expected;
  expected.kind = intake::Kind::public_key;
  const auto summary = examine_folder(folder.path(), expected, [&](std::uint64_t done, std::uint64_t) { told.push_back(done); });
  REQUIRE(summary.ok());
  CHECK(told == std::vector<std::uint64_t>{0, 1, 2, 3});
  REQUIRE(summary->files.size() == 3);
  CHECK(summary->usable == 1);
  CHECK(summary->files[0].name == "a.pem");
  CHECK(summary->files[1].code == "private_key_given_where_public_expected");
  CHECK(summary->files[2].name == "deep/c.txt");
  CHECK_FALSE(summary->files[2].usable);
  const std::string text = summary_text(*summary);
  CHECK(text.find("3 files: 1 usable, 2 refused") != std::string::npos);
  CHECK(text.find("refused  b.pem  private_key_given_where_public_expected") != std::string::npos);
  CHECK(summary_json(*summary).find(R"("causes":{)") != std::string::npos);
}

TEST_CASE("a folder that cannot be read is said to be so") {
  const auto summary = examine_folder("/nowhere/at/all", {}, [](std::uint64_t, std::uint64_t) {});
  REQUIRE_FALSE(summary.ok());
  CHECK(std::string(summary.error().code) == "folder_unreadable");
}

TEST_CASE("a progress bar fills") {
  CHECK(progress_bar(0, 4) == "[....................] 0 of 4");
  CHECK(progress_bar(1, 4) == "[#####...............] 1 of 4");
  CHECK(progress_bar(4, 4) == "[####################] 4 of 4");
  CHECK(progress_bar(0, 0) == "[####################] 0 of 0");
}
