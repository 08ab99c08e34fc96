#include "apps/holdfast/import_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "intake/wiped.h"
#include "io/posix_file.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 100'000;
constexpr std::uint64_t file_bytes_max = 1 << 20;
constexpr std::size_t bar_cells = 20;

base::Result<std::vector<fs::path>> files_below(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (!at->is_regular_file(error) || at->is_symlink(error)) continue;
    paths.push_back(at->path());
    if (paths.size() > files_max) return base::Error{"folder_too_large", folder + " holds more than 100,000 files; take it in parts"};
  }
  if (error) return base::Error{"folder_unreadable", folder + ": " + error.message()};
  std::ranges::sort(paths);
  return paths;
}

FolderSummary::File examine_file(io::FileSystem& files, const fs::path& path, const fs::path& folder, const intake::Expectations& expectations) {
  FolderSummary::File file{.name = path.lexically_relative(folder).string(), .code = {}};
  auto input = io::read_whole_file(files, path.string(), file_bytes_max);
  if (!input.ok()) {
    file.code = input.error().code;
    return file;
  }
  const intake::Report report = intake::examine(*input, expectations);
  intake::wipe(input->data(), input->size());
  file.usable = report.usable;
  if (report.top() != nullptr) file.code = report.top()->code();
  return file;
}

}  // namespace

base::Result<FolderSummary> examine_folder(const std::string& folder, const intake::Expectations& expectations,
                                           const std::function<void(std::uint64_t done, std::uint64_t total)>& told) {
  TRY_ASSIGN(const std::vector<fs::path> paths, files_below(folder));
  io::RealFileSystem files;
  FolderSummary summary;
  for (const fs::path& path : paths) {
    told(summary.files.size(), paths.size());
    FolderSummary::File file = examine_file(files, path, folder, expectations);
    summary.usable += file.usable;
    if (!file.code.empty()) ++summary.causes[file.code];
    summary.files.push_back(std::move(file));
  }
  told(paths.size(), paths.size());
  return summary;
}

std::string summary_json(const FolderSummary& summary) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  json.member("files", std::uint64_t{summary.files.size()});
  json.member("usable", summary.usable);
  json.member("refused", summary.files.size() - summary.usable);
  json.key("causes");
  json.begin_object();
  for (const auto& [code, count] : summary.causes) json.member(code, count);
  json.end_object();
  json.key("items");
  json.begin_array();
  for (const FolderSummary::File& file : summary.files) {
    json.begin_object();
    json.member("file", std::string_view(file.name));
    json.member("usable", file.usable);
    if (!file.code.empty()) json.member("code", std::string_view(file.code));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

std::string summary_text(const FolderSummary& summary) {
  std::string out;
  for (const FolderSummary::File& file : summary.files) {
    if (!file.usable) out += "refused  " + file.name + "  " + file.code + "\n";
  }
  out += std::to_string(summary.files.size()) + " files: " + std::to_string(summary.usable) + " usable, " +
         std::to_string(summary.files.size() - summary.usable) + " refused\n";
  std::vector<std::pair<std::string, std::uint64_t>> causes(summary.causes.begin(), summary.causes.end());
  std::ranges::stable_sort(causes, [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [code, count] : causes) out += "  " + std::to_string(count) + "  " + code + "\n";
  return out;
}

std::string progress_bar(std::uint64_t done, std::uint64_t total) {
  const std::size_t full = total == 0 ? bar_cells : static_cast<std::size_t>(done * bar_cells / total);
  return "[" + std::string(full, '#') + std::string(bar_cells - full, '.') + "] " + std::to_string(done) + " of " + std::to_string(total);
}

}  // namespace holdfast
