#pragma once
// The background half of the key index: writes frozen generations as runs and merges runs, a bounded piece at a time.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "store/keys/key_manifest.h"
#include "store/keys/key_run.h"
#include "store/keys/key_sieve.h"
#include "store/keys/key_table.h"

namespace store {

/// A generation that takes no more keys.
struct FrozenKeys {
  std::unique_ptr<KeyTable> table;
  model::EventNumber from = 0;      ///< holds the keys of the events after `from`
  model::EventNumber through = 0;
};

/// Turns one frozen generation into a run, and adds its keys to the sieve if there is one.
class KeyFlush {
 public:
  static base::Result<std::unique_ptr<KeyFlush>> begin(io::FileSystem& files, const std::string& directory,
                                                       std::shared_ptr<const FrozenKeys> keys, std::shared_ptr<KeySieve> sieve,
                                                       std::uint64_t run_number, const base::Tag128& identity,
                                                       std::uint64_t sync_bytes);
  /// Writes about `bytes_max`; true while there is more. After the last step the run is durable.
  base::Result<bool> step(std::uint64_t bytes_max);
  std::shared_ptr<const KeyRun> take() { return writer_->take(); }

 private:
  KeyFlush(std::shared_ptr<const FrozenKeys> keys, std::shared_ptr<KeySieve> sieve)
      : keys_(std::move(keys)), sieve_(std::move(sieve)), scan_(*keys_->table) {}

  std::shared_ptr<const FrozenKeys> keys_;
  std::shared_ptr<KeySieve> sieve_;
  KeyTableScan scan_;
  std::unique_ptr<KeyRunWriter> writer_;
  bool scanned_ = false;
};

/// Turns neighbouring runs into one.
class KeyMerge {
 public:
  /// `inputs` oldest first, at least two.
  static base::Result<std::unique_ptr<KeyMerge>> begin(io::FileSystem& files, const std::string& directory,
                                                       std::vector<std::shared_ptr<const KeyRun>> inputs,
                                                       std::uint64_t run_number, const base::Tag128& identity,
                                                       std::uint64_t sync_bytes);
  base::Result<bool> step(std::uint64_t bytes_max);
  std::shared_ptr<const KeyRun> take() { return writer_->take(); }
  const std::vector<std::shared_ptr<const KeyRun>>& inputs() const { return inputs_; }

 private:
  KeyMerge() = default;
  base::Status advance(std::size_t source);

  std::vector<std::shared_ptr<const KeyRun>> inputs_;
  std::vector<KeyRunScan> scans_;    ///< of the inputs that are not at their end
  std::vector<KeyRecord> heads_;     ///< next record of each scan
  std::unique_ptr<KeyRunWriter> writer_;
};

/// How many of the newest runs to merge now: `fan_out` runs or more of one size class and all that are newer; 0 if there are
/// none. A small run that is older than a larger one counts as one of its class.
std::size_t newest_runs_to_merge(const std::vector<KeyRunInfo>& runs, std::uint32_t fan_out);

}  // namespace store
