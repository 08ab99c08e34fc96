#include "store/journal/data_format.h"

#include <doctest/doctest.h>

#include "io/simulated_file.h"

namespace store {
namespace {

std::string claim(io::FileSystem& files, DataMode mode = DataMode::standard) {
  const base::Status status = claim_data_directory(files, "data", mode);
  return status.ok() ? "" : status.error().code;
}

void write(io::SimulatedFileSystem& files, const std::string& text) {
  REQUIRE(io::replace_file(files, "data/format", base::as_bytes(text)).ok());
}

TEST_CASE("a new data directory is claimed, and opened again only the way it was made") {
  for (const DataMode mode : {DataMode::standard, DataMode::dev}) {
    io::SimulatedFileSystem files(1);
    REQUIRE(files.make_dir("data").ok());
    REQUIRE(files.sync_dir("/").ok());
    CHECK(claim(files, mode) == "");
    files.crash(io::CrashMode::lose_all);
    CHECK(claim(files, mode) == "");
    if (mode == DataMode::dev) {
      CHECK(claim(files) == "data_directory_is_dev");
    } else {
      CHECK(claim(files, DataMode::dev) == "data_directory_is_not_dev");
    }
  }
}

TEST_CASE("golden bytes, and what else may stand there") {
  io::SimulatedFileSystem files(1);
  REQUIRE(files.make_dir("data").ok());
  CHECK(claim(files) == "");
  auto bytes = io::read_whole_file(files, "data/format", 100);
  REQUIRE(bytes.ok());
  CHECK(base::as_text(*bytes) == "holdfast data directory\nformat 1\nmode standard\n");
  write(files, "holdfast data directory\nformat 2\nmode standard\n");
  const base::Status newer = claim_data_directory(files, "data", DataMode::standard);
  REQUIRE_FALSE(newer.ok());
  CHECK(std::string(newer.error().code) == "data_format_newer");
  CHECK(newer.error().message.find("format 2") != std::string::npos);
  for (const char* text :
       {"", "format 1\n", "holdfast data directory\nformat 0\nmode standard\n",
        "holdfast data directory\nformat x\nmode standard\n", "holdfast data directory\nformat 1\n",
        "holdfast data directory\nformat 1\nmode other\n", "holdfast data directory\nformat 1\nmode standard\n\n"}) {
    write(files, text);
    CHECK(claim(files) == "data_format_malformed");
  }
  write(files, std::string(300, 'x'));
  CHECK(claim(files) == "file_too_large");
  REQUIRE(files.remove("data/format").ok());
  REQUIRE(files.make_dir("data/journal").ok());
  CHECK(claim(files) == "data_format_missing");
}

}  // namespace
}  // namespace store
