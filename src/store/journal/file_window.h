#pragma once
// A piece of a file in memory that moves forward with its reader.

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"

namespace store {

/// One thread. Reads at least `chunk_bytes` at a time, so that small steps forward cost few calls.
class FileWindow {
 public:
  /// Never reads at or past `limit`. `file` must outlive it.
  FileWindow(io::File& file, std::uint64_t limit, std::size_t chunk_bytes)
      : file_(file), limit_(limit), chunk_bytes_(chunk_bytes) {}

  /// Exactly `length` bytes at `offset`; valid until the next call. offset + length must not exceed the limit (CHECK).
  /// Errors: file_read_failed; journal_segment_damaged if the file ends before.
  base::Result<base::ByteView> view(std::uint64_t offset, std::uint64_t length);

  /// The next view reads from the file again.
  void forget() { filled_ = 0; }

 private:
  io::File& file_;
  std::uint64_t limit_;
  std::size_t chunk_bytes_;
  base::Bytes buffer_;
  std::uint64_t begin_ = 0;   ///< offset of buffer_[0]
  std::uint64_t filled_ = 0;  ///< bytes of buffer_ that were read
};

}  // namespace store
