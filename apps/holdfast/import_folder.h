#pragma once
// Many key files at once: the import doctor over a folder, with a summary by cause. Offline, like the doctor itself.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "intake/doctor.h"

namespace holdfast {

struct FolderSummary {
  struct File {
    std::string name;     ///< relative to the folder
    std::string code;     ///< gravest finding; empty for a clean one
    bool usable = false;
  };
  std::vector<File> files;                       ///< by name
  std::uint64_t usable = 0;
  std::map<std::string, std::uint64_t> causes;   ///< gravest finding of each file that is not clean -> files
};

/// Examines every regular file below `folder`, by name; symbolic links are not followed. `told` is called before each file with how
/// many are done and how many there are. Errors: `folder_unreadable`, `folder_too_large` (more than 100,000 files); a file that
/// cannot be read, or of more than 1 MiB, counts as refused.
base::Result<FolderSummary> examine_folder(const std::string& folder, const intake::Expectations& expectations,
                                           const std::function<void(std::uint64_t done, std::uint64_t total)>& told);

std::string summary_json(const FolderSummary& summary);
/// Refused files, then causes by how often they came.
std::string summary_text(const FolderSummary& summary);

/// `[######..............] 30 of 100`, 20 cells wide.
std::string progress_bar(std::uint64_t done, std::uint64_t total);

}  // namespace holdfast
