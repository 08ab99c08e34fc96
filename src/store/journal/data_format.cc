#include "store/journal/data_format.h"

#include <charconv>
#include <string_view>

#include "base/bytes.h"

namespace store {
namespace {

constexpr std::string_view title = "holdfast data directory\nformat ";
constexpr std::string_view standard_end = "\nmode standard\n";
constexpr std::string_view dev_end = "\nmode dev\n";
constexpr std::uint64_t file_bytes_max = 256;

std::string render(DataMode mode) {
  return std::string(title) + std::to_string(data_format_version) +
         std::string(mode == DataMode::dev ? dev_end : standard_end);
}

base::Status check(std::string_view text, const std::string& path, DataMode mode) {
  const base::Error malformed{"data_format_malformed",
                              "\"" + path + "\" does not say which format the data directory has"};
  if (!text.starts_with(title)) return malformed;
  text.remove_prefix(title.size());
  std::uint32_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || version == 0) return malformed;
  if (version > data_format_version) {
    return base::Error{"data_format_newer",
                       "\"" + path + "\" says format " + std::to_string(version) +
                           ", this program knows formats up to " + std::to_string(data_format_version) +
                           ": start the newer program that wrote it, or restore a backup made before"};
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text != standard_end && text != dev_end) return malformed;
  if (text == dev_end && mode != DataMode::dev) {
    return base::Error{"data_directory_is_dev",
                       "\"" + path + "\" says that the directory was made with --dev; it never starts without it"};
  }
  if (text != dev_end && mode == DataMode::dev) {
    return base::Error{"data_directory_is_not_dev", "\"" + path + "\" says that the directory was not made with --dev"};
  }
  return base::ok();
}

}  // namespace

base::Status claim_data_directory(io::FileSystem& files, const std::string& directory, DataMode mode) {
  const std::string path = io::join_path(directory, "format");
  TRY_ASSIGN(const bool there, files.exists(path));
  if (there) {
    TRY_ASSIGN(const base::Bytes bytes, io::read_whole_file(files, path, file_bytes_max));
    return check(base::as_text(bytes), path, mode);
  }
  TRY_ASSIGN(const bool has_journal, files.exists(io::join_path(directory, "journal")));
  if (has_journal) {
    return base::Error{"data_format_missing",
                       "\"" + directory + "\" holds a journal, but the file \"" + path + "\" is missing"};
  }
  return io::replace_file(files, path, base::as_bytes(render(mode)));
}

}  // namespace store
