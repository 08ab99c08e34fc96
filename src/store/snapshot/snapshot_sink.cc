#include "store/snapshot/snapshot_sink.h"

#include "base/check.h"

namespace store {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr std::size_t copied_below = std::size_t{64} << 10;   // larger chunks are written from where they are

template <typename T>
void put(base::Bytes& out, T value) {
  out.resize(out.size() + sizeof value);
  base::store_le(out.data() + out.size() - sizeof value, value);
}

}  // namespace

base::Bytes encode_snapshot_header(const SnapshotPosition& position) {
  CHECK(position.merkle_frontier.size() <= snapshot_frontier_bytes_max);
  base::Bytes out;
  base::append(out, base::as_bytes(snapshot_magic));
  put(out, snapshot_version);
  put(out, std::uint32_t{0});   // size of the header, below
  base::append(out, position.identity);
  put(out, std::uint16_t{position.partition});
  put(out, std::uint16_t{0});
  put(out, std::uint32_t{position.epoch});
  put(out, position.event);
  put(out, position.group);
  put(out, static_cast<std::uint64_t>(position.at.ns));
  put(out, static_cast<std::uint32_t>(position.merkle_frontier.size()));
  base::append(out, position.merkle_frontier);
  base::store_le(out.data() + 12, static_cast<std::uint32_t>(out.size() + 4));
  put(out, base::crc32c(out));
  return out;
}

std::uint32_t snapshot_chunk_crc(std::uint32_t section, std::uint32_t chunk, base::ByteView bytes) {
  std::uint8_t place[8];
  base::store_le(place, section);
  base::store_le(place + 4, chunk);
  return base::crc32c(bytes, base::crc32c(place));
}

// The digest is over position and content, not over file, version or cutting into chunks: it says what the state is.
StateDigest::StateDigest(const SnapshotPosition& position) {
  base::Bytes place;
  put(place, std::uint16_t{position.partition});
  put(place, std::uint32_t{position.epoch});
  put(place, position.event);
  put(place, position.group);
  put(place, static_cast<std::uint64_t>(position.at.ns));
  put(place, static_cast<std::uint32_t>(position.merkle_frontier.size()));
  base::append(place, position.merkle_frontier);
  public_.update(place);
}

void StateDigest::begin_section(std::string_view name, bool is_private) {
  CHECK(current_ == nullptr && !name.empty() && name.size() <= 64);
  current_ = is_private ? &private_ : &public_;
  const auto size = static_cast<std::uint8_t>(name.size());
  current_->update({&size, 1});
  current_->update(base::as_bytes(name));
  bytes_ = 0;
}

void StateDigest::chunk(base::ByteView bytes) {
  current_->update(bytes);
  bytes_ += bytes.size();
}

void StateDigest::end_section() {
  std::uint8_t length[8];
  base::store_le(length, bytes_);
  current_->update(length);
  current_ = nullptr;
}

SnapshotSink::SnapshotSink(std::unique_ptr<io::File> file, const SnapshotPosition& position, std::uint32_t sync_bytes)
    : file_(std::move(file)), sync_bytes_(sync_bytes), buffer_(encode_snapshot_header(position)), digest_(position) {
  buffer_.reserve(buffer_bytes + copied_below + snapshot_chunk_head);
}

void SnapshotSink::begin_section(std::string_view name, bool is_private) {
  for (const auto& section : sections_) CHECK_THAT(section.name != name, "names of sections are unique");
  sections_.push_back({std::string(name), is_private, 0, 0});
  digest_.begin_section(name, is_private);
}

base::Status SnapshotSink::chunk(base::ByteView bytes) {
  CHECK(bytes.size() <= snapshot_chunk_bytes_max);
  SnapshotReader::Section& section = sections_.back();
  put(buffer_, static_cast<std::uint32_t>(bytes.size()));
  put(buffer_, snapshot_chunk_crc(static_cast<std::uint32_t>(sections_.size() - 1), section.chunks, bytes));
  ++section.chunks;
  section.bytes += bytes.size();
  digest_.chunk(bytes);
  if (bytes.size() < copied_below) {
    base::append(buffer_, bytes);
    return buffer_.size() < buffer_bytes ? base::ok() : write_out();
  }
  TRY(write_out());
  TRY(file_->write_at(offset_, bytes));
  return written(bytes.size());
}

base::Status SnapshotSink::write_out() {
  TRY(file_->write_at(offset_, buffer_));
  const std::uint64_t bytes = buffer_.size();
  buffer_.clear();
  return written(bytes);
}

base::Status SnapshotSink::written(std::uint64_t bytes) {
  offset_ += bytes;
  unsynced_ += bytes;
  if (unsynced_ < sync_bytes_) return base::ok();
  unsynced_ = 0;
  return file_->sync_data();
}

base::Status SnapshotSink::finish() {
  base::Bytes trailer;
  put(trailer, static_cast<std::uint32_t>(sections_.size()));
  for (const SnapshotReader::Section& section : sections_) {
    put(trailer, static_cast<std::uint8_t>(section.name.size()));
    put(trailer, static_cast<std::uint8_t>(section.is_private));
    put(trailer, section.chunks);
    put(trailer, section.bytes);
    base::append(trailer, base::as_bytes(section.name));
  }
  state_digest_ = digest_.public_digest();
  base::append(trailer, state_digest_);
  base::append(trailer, digest_.private_digest());
  put(trailer, base::crc32c(trailer));
  CHECK(trailer.size() <= snapshot_trailer_bytes_max);
  base::append(buffer_, trailer);
  put(buffer_, static_cast<std::uint32_t>(trailer.size()));
  base::append(buffer_, base::as_bytes(snapshot_end_magic));
  TRY(write_out());
  return file_->sync_data();
}

}  // namespace store
