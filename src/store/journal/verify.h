#pragma once
// Looking at every byte of a journal that nobody writes: `holdfast journal verify`, and the check of a backup.

#include <cstdint>
#include <string>
#include <vector>

#include "audit/blinding.h"
#include "base/result.h"
#include "io/file.h"
#include "store/journal/chain.h"

namespace store {

/// One thing that is wrong.
struct JournalFinding {
  std::string file;
  std::uint64_t offset = 0;
  const char* code = "";  ///< as the error codes of the journal
  std::string sentence;
};

struct JournalReport {
  std::uint64_t segments = 0;
  std::uint64_t groups = 0;
  std::uint64_t entries = 0;
  std::uint64_t events = 0;
  std::uint64_t private_values = 0;
  std::uint64_t erased_values = 0;
  std::uint64_t bytes_read = 0;
  bool roots_checked = false;   ///< leaves were hashed and roots compared
  bool ends_with_seal = false;  ///< the last shutdown was orderly
  JournalEnd end;               ///< after the last sound group
  std::vector<JournalFinding> findings;
  bool sound() const { return findings.empty(); }
};

struct VerifyOptions {
  model::PartitionNumber partition = 0;
  /// To check the roots of the audit log; without it leaves cannot be hashed.
  const audit::Blinding* blinding = nullptr;
  std::size_t findings_max = 100;
};

/// Headers, chain, frames, hashes, roots, private records, indexes, and that everything else is zeros. Goes on behind
/// damage where it can; a tail that an unfinished write left behind is a finding too (opening the journal repairs it).
/// Errors are those of io/file.h only: damage is in the report.
base::Result<JournalReport> verify_journal(io::FileSystem& files, const std::string& directory,
                                           const VerifyOptions& options);

}  // namespace store
