#pragma once
// `holdfast audit verify`: everything in a data directory, read again from the first byte. Two threads: one looks at every
// byte of the journal, hashes bodies and leaves and compares roots; the other decodes every entry, applies every event to
// an empty state, and compares that with snapshots, laws, tiles and views. Nothing is changed.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "node/data_directory.h"
#include "store/journal/verify.h"

namespace node {

struct DeepFinding {
  std::string code;
  std::string sentence;                 ///< names the place
};

struct DeepReport {
  store::JournalReport journal;
  std::uint64_t events_applied = 0;
  std::uint64_t snapshots_compared = 0;
  std::uint64_t tiles_checked = 0;
  std::uint64_t view_rows_compared = 0;
  std::uint64_t core_ns = 0;            ///< journal, tree and state together
  std::uint64_t views_ns = 0;
  std::vector<DeepFinding> findings;    ///< besides those of the journal
  bool sound() const { return journal.sound() && findings.empty(); }
};

/// Errors are those of io/file.h: whatever is wrong with the data is in the report. `progress(done, total)` counts events.
base::Result<DeepReport> verify_deeply(io::FileSystem& files, const DataDirectory& data,
                                       const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

std::string deep_report_text(const DeepReport& report);
std::string deep_report_json(const DeepReport& report);

}  // namespace node
