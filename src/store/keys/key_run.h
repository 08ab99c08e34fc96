#pragma once
// Runs: immutable sorted files of key records (docs/format/keys-index.md).

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "store/keys/key_filter.h"
#include "store/keys/key_page.h"
#include "store/keys/key_record.h"

namespace store {

/// What the manifest says about a run.
struct KeyRunInfo {
  std::uint64_t number = 0;            ///< of its file; never reused
  std::uint64_t records = 0;
  model::EventNumber from = 0;         ///< holds all keys of the events after `from`
  model::EventNumber through = 0;      ///< up to and with `through`
  bool operator==(const KeyRunInfo&) const = default;
};

std::string key_run_name(std::uint64_t number);

/// An open run: filter and page index in memory, records on disk. Immutable, any thread.
class KeyRun {
 public:
  /// Opens and checks header, index and filter. Errors: key_run_damaged, key_index_version_unknown, those of io.
  static base::Result<std::shared_ptr<const KeyRun>> open(io::FileSystem& files, const std::string& directory,
                                                          const KeyRunInfo& info, const base::Tag128& identity);

  const KeyRunInfo& info() const { return info_; }
  bool may_hold(const KeyRecord& key) const { return filter_.may_hold(key); }
  void prefetch(std::uint64_t high) const { filter_.prefetch(high); }

  /// Appends events of the key and kind of `key` greater than `after`, ascending, until `out` has `limit`; counts pages
  /// read in `pages`. Errors: key_run_damaged, file_read_failed.
  base::Status find_all(const KeyRecord& key, model::EventNumber after, std::size_t limit,
                        std::vector<model::EventNumber>& out, std::uint64_t& pages) const;

  std::uint64_t memory_bytes() const { return filter_.bytes() + first_keys_.capacity() * sizeof(std::uint64_t); }

 private:
  friend class KeyRunScan;
  friend class KeyRunWriter;
  KeyRun() = default;
  base::Status load_header(const base::Tag128& identity);
  base::Status load_index_and_filter();
  base::Status read_page(std::uint32_t page, std::uint8_t* into) const;
  std::size_t records_in(std::uint32_t record_page) const;
  base::Result<std::uint32_t> first_page_for(const KeyRecord& least, std::uint64_t& pages) const;

  KeyRunInfo info_;
  std::unique_ptr<io::File> file_;
  std::vector<std::uint64_t> first_keys_;   ///< high word of the first record of each record page
  KeyFilter filter_;
};

/// Reads a run from front to back, checking every page and the order.
class KeyRunScan {
 public:
  explicit KeyRunScan(std::shared_ptr<const KeyRun> run);
  /// The next record, or false at the end. Errors: key_run_damaged, file_read_failed.
  base::Result<bool> next(KeyRecord& record) {
    if (at_ < end_) [[likely]] {
      record = load(at_++);
      return true;
    }
    return next_page(record);
  }

 private:
  KeyRecord load(std::size_t index) const {
    KeyRecord record;
    std::memcpy(&record, page_ + key_page_head + index * sizeof(KeyRecord), sizeof record);
    return record;
  }
  base::Result<bool> next_page(KeyRecord& record);

  std::shared_ptr<const KeyRun> run_;
  base::Bytes buffer_;               ///< several pages at a time
  std::uint32_t buffer_first_ = 0;   ///< number of the first page in the buffer
  std::uint32_t buffer_pages_ = 0;
  std::uint32_t next_page_ = 1;
  const std::uint8_t* page_ = nullptr;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  KeyRecord last_;
};

/// Writes a run front to back in bounded pieces; one thread.
class KeyRunWriter {
 public:
  /// `info.records` must be the exact number of add() calls to come.
  static base::Result<std::unique_ptr<KeyRunWriter>> begin(io::FileSystem& files, const std::string& directory,
                                                           const KeyRunInfo& info, const base::Tag128& identity,
                                                           std::uint64_t sync_bytes);

  /// Records must ascend.
  base::Status add(const KeyRecord& record);
  std::uint64_t bytes_written() const { return std::uint64_t{next_page_} * key_page_bytes; }

  /// After the last add: writes about `bytes_max` of index and filter; true while there is more. The last call syncs file
  /// and directory.
  base::Result<bool> finish_step(std::uint64_t bytes_max);
  /// The run, once finish_step has returned false.
  std::shared_ptr<const KeyRun> take() { return std::move(run_); }

 private:
  KeyRunWriter() = default;
  std::uint8_t* page();
  base::Status end_page();
  base::Status write_out();

  io::FileSystem* files_ = nullptr;
  std::string directory_;
  std::shared_ptr<KeyRun> run_;
  base::Bytes buffer_;
  std::size_t buffered_pages_ = 0;    ///< sealed pages in the buffer
  std::size_t in_page_ = 0;           ///< records in the page being filled
  std::uint32_t next_page_ = 0;       ///< number of the page being filled
  std::uint64_t added_ = 0;
  std::uint64_t index_written_ = 0;   ///< first keys
  std::uint64_t filter_written_ = 0;  ///< blocks
  std::uint64_t sync_bytes_ = 0;
  std::uint64_t unsynced_ = 0;
  KeyRecord last_;
};

}  // namespace store
