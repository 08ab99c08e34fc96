#pragma once
// Appends the bytes of a snapshot file front to back (docs/format/snapshot.md).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "io/file.h"
#include "store/snapshot/snapshot.h"

namespace store {

constexpr std::string_view snapshot_magic = "HFSNAPSH";
constexpr std::string_view snapshot_end_magic = "HFSNAPEN";
constexpr std::uint32_t snapshot_version = 1;
constexpr std::size_t snapshot_header_bytes_max = 8192;
constexpr std::size_t snapshot_frontier_bytes_max = 4096;
constexpr std::size_t snapshot_chunk_head = 8;          ///< size (4), crc32c (4)
constexpr std::size_t snapshot_end_bytes = 12;          ///< size of the trailer (4), end magic (8)
constexpr std::size_t snapshot_trailer_bytes_max = std::size_t{1} << 20;

/// The digests of a state: feed sections in order.
class StateDigest {
 public:
  explicit StateDigest(const SnapshotPosition& position);
  void begin_section(std::string_view name, bool is_private);
  void chunk(base::ByteView bytes);
  void end_section();
  base::Digest public_digest() { return public_.finish(); }
  base::Digest private_digest() { return private_.finish(); }

 private:
  crypto::Sha256 public_;
  crypto::Sha256 private_;
  crypto::Sha256* current_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// Header bytes of a position, with their checksum.
base::Bytes encode_snapshot_header(const SnapshotPosition& position);

/// crc32c of a chunk, bound to its place.
std::uint32_t snapshot_chunk_crc(std::uint32_t section, std::uint32_t chunk, base::ByteView bytes);

class SnapshotSink {
 public:
  /// Writes to `file` from its start.
  SnapshotSink(std::unique_ptr<io::File> file, const SnapshotPosition& position, std::uint32_t sync_bytes);

  void begin_section(std::string_view name, bool is_private);
  base::Status chunk(base::ByteView bytes);
  void end_section() { digest_.end_section(); }
  /// Writes the trailer and syncs the data.
  base::Status finish();

  std::uint64_t bytes() const { return offset_ + buffer_.size(); }
  const base::Digest& state_digest() const { return state_digest_; }

 private:
  base::Status write_out();
  base::Status written(std::uint64_t bytes);

  std::unique_ptr<io::File> file_;
  std::uint32_t sync_bytes_;
  std::uint64_t unsynced_ = 0;
  std::uint64_t offset_ = 0;      ///< of the first byte in the buffer
  base::Bytes buffer_;
  StateDigest digest_;
  base::Digest state_digest_{};
  std::vector<SnapshotReader::Section> sections_;
};

}  // namespace store
