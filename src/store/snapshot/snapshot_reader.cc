#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "store/snapshot/snapshot.h"
#include "store/snapshot/snapshot_sink.h"

namespace store {

namespace {

constexpr std::size_t window_bytes = std::size_t{1} << 20;
constexpr std::size_t header_least = 68;   // without frontier
constexpr std::size_t sections_max = 1024;

base::Error damaged(const std::string& path, std::uint64_t offset, const char* what) {
  return {"snapshot_damaged", path + " at offset " + std::to_string(offset) + ": " + what};
}

/// Reads forward in large pieces; about `bytes` in all.
class Window {
 public:
  Window(io::File& file, std::uint64_t offset, std::uint64_t bytes)
      : file_(file), offset_(offset), buffer_(std::min<std::uint64_t>(bytes, window_bytes)) {}

  /// The next `size` bytes; the view lives until the next call.
  base::Result<base::ByteView> take(std::size_t size) {
    if (end_ - at_ < size) {
      if (at_ < end_) std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
      end_ -= at_;
      at_ = 0;
      if (buffer_.size() < size) buffer_.resize(size);
      const std::uint64_t from = offset_ + end_;
      TRY_ASSIGN(const std::size_t got, file_.read_at(from, {buffer_.data() + end_, buffer_.size() - end_}));
      end_ += got;
      if (end_ < size) return damaged(file_.path(), from + got, "the file ends early");
    }
    at_ += size;
    offset_ += size;
    return base::ByteView(buffer_.data() + at_ - size, size);
  }
  std::uint64_t offset() const { return offset_; }

 private:
  io::File& file_;
  std::uint64_t offset_;   ///< in the file, of what take() gives next
  base::Bytes buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

base::Result<SnapshotPosition> read_header(io::File& file, std::uint64_t& end) {
  const std::string& path = file.path();
  base::Bytes bytes(snapshot_header_bytes_max);
  TRY_ASSIGN(const std::size_t got, file.read_at(0, bytes));
  const bool is_one = got >= header_least && base::as_text({bytes.data(), 8}) == snapshot_magic;
  if (!is_one) return damaged(path, 0, "this is not a snapshot");
  const auto size = base::load_le<std::uint32_t>(bytes.data() + 12);
  if (size < header_least || size > got) return damaged(path, 12, "the header has an impossible size");
  if (base::load_le<std::uint32_t>(bytes.data() + size - 4) != base::crc32c({bytes.data(), size - 4})) {
    return damaged(path, 0, "the header's checksum is wrong");
  }
  if (base::load_le<std::uint32_t>(bytes.data() + 8) != snapshot_version) {
    return base::Error{"snapshot_version_unknown", path + " was written by a newer version"};
  }
  SnapshotPosition position;
  std::memcpy(position.identity.data(), bytes.data() + 16, 16);
  position.partition = base::load_le<std::uint16_t>(bytes.data() + 32);
  position.epoch = base::load_le<std::uint32_t>(bytes.data() + 36);
  position.event = base::load_le<std::uint64_t>(bytes.data() + 40);
  position.group = base::load_le<std::uint64_t>(bytes.data() + 48);
  position.at.ns = static_cast<std::int64_t>(base::load_le<std::uint64_t>(bytes.data() + 56));
  const auto frontier = base::load_le<std::uint32_t>(bytes.data() + 64);
  if (frontier != size - header_least - 4) return damaged(path, 64, "the header has an impossible size");
  position.merkle_frontier.assign(bytes.data() + header_least, bytes.data() + header_least + frontier);
  end = size;
  return position;
}

}  // namespace

struct SnapshotReader::State {
  std::unique_ptr<io::File> file;
  SnapshotPosition position;
  std::uint64_t header_end = 0;
  std::vector<Section> sections;
  base::Digest state_digest{};
  base::Digest private_digest{};

  base::Status read_trailer();
  std::uint64_t bytes_of_sections() const {
    std::uint64_t sum = 0;
    for (const Section& section : sections) sum += section.bytes + std::uint64_t{section.chunks} * snapshot_chunk_head;
    return sum;
  }
  base::Status read_section(std::size_t number, Window& window,
                            const std::function<base::Status(base::ByteView)>& take) const;
  base::Status check_all() const;
};

base::Status SnapshotReader::State::read_trailer() {
  const std::string& path = file->path();
  TRY_ASSIGN(const std::uint64_t size, file->size());
  std::uint8_t end[snapshot_end_bytes];
  if (size < header_end + snapshot_end_bytes) return damaged(path, size, "the file ends early");
  TRY_ASSIGN(const std::size_t got_end, file->read_at(size - snapshot_end_bytes, end));
  if (got_end != snapshot_end_bytes || base::as_text({end + 4, 8}) != snapshot_end_magic) {
    return damaged(path, size - snapshot_end_bytes, "the end of the file is missing");
  }
  const auto bytes = base::load_le<std::uint32_t>(end);
  if (bytes > snapshot_trailer_bytes_max || bytes < 72 || bytes > size - snapshot_end_bytes - header_end) {
    return damaged(path, size - snapshot_end_bytes, "the trailer has an impossible size");
  }
  const std::uint64_t start = size - snapshot_end_bytes - bytes;
  base::Bytes trailer(bytes);
  TRY_ASSIGN(const std::size_t got, file->read_at(start, trailer));
  if (got != bytes || base::load_le<std::uint32_t>(trailer.data() + bytes - 4) != base::crc32c({trailer.data(), bytes - 4})) {
    return damaged(path, start, "the trailer's checksum is wrong");
  }
  const auto count = base::load_le<std::uint32_t>(trailer.data());
  std::size_t at = 4;
  std::uint64_t content = header_end;
  const std::size_t digests_at = bytes - 68;
  for (std::uint32_t i = 0; i < count && i < sections_max; ++i) {
    if (digests_at - at < 14) return damaged(path, start + at, "the section table is too short");
    const std::size_t name = trailer[at];
    if (digests_at - at - 14 < name) return damaged(path, start + at, "the section table is too short");
    Section section;
    section.is_private = trailer[at + 1] != 0;
    section.chunks = base::load_le<std::uint32_t>(trailer.data() + at + 2);
    section.bytes = base::load_le<std::uint64_t>(trailer.data() + at + 6);
    section.name = base::as_text({trailer.data() + at + 14, name});
    at += 14 + name;
    const std::uint64_t heads = std::uint64_t{section.chunks} * snapshot_chunk_head;
    if (section.bytes > start || content + heads + section.bytes > start) {
      return damaged(path, start + at, "a section is larger than the file");
    }
    content += heads + section.bytes;
    sections.push_back(std::move(section));
  }
  if (sections.size() != count || at != digests_at || content != start) {
    return damaged(path, start, "the sections do not fill the file");
  }
  std::memcpy(state_digest.data(), trailer.data() + digests_at, 32);
  std::memcpy(private_digest.data(), trailer.data() + digests_at + 32, 32);
  return base::ok();
}

base::Status SnapshotReader::State::read_section(std::size_t number, Window& window,
                                                 const std::function<base::Status(base::ByteView)>& take) const {
  const Section& section = sections[number];
  std::uint64_t left = section.bytes;
  for (std::uint32_t chunk = 0; chunk < section.chunks; ++chunk) {
    const std::uint64_t place = window.offset();
    TRY_ASSIGN(const base::ByteView head, window.take(snapshot_chunk_head));
    const auto size = base::load_le<std::uint32_t>(head.data());
    const auto crc = base::load_le<std::uint32_t>(head.data() + 4);
    if (size > left || size > snapshot_chunk_bytes_max) return damaged(file->path(), place, "a chunk has an impossible size");
    left -= size;
    TRY_ASSIGN(const base::ByteView bytes, window.take(size));
    if (snapshot_chunk_crc(static_cast<std::uint32_t>(number), chunk, bytes) != crc) {
      return damaged(file->path(), place, "the checksum of a chunk is wrong");
    }
    TRY(take(bytes));
  }
  if (left != 0) return damaged(file->path(), window.offset(), "the chunks of a section do not fill it");
  return base::ok();
}

base::Status SnapshotReader::State::check_all() const {
  StateDigest digest(position);
  Window window(*file, header_end, bytes_of_sections());
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].name.empty() || sections[i].name.size() > 64) {
      return damaged(file->path(), window.offset(), "a section has an impossible name");
    }
    digest.begin_section(sections[i].name, sections[i].is_private);
    TRY(read_section(i, window, [&](base::ByteView bytes) {
      digest.chunk(bytes);
      return base::ok();
    }));
    digest.end_section();
  }
  if (digest.public_digest() != state_digest) return damaged(file->path(), header_end, "the state digest is wrong");
  if (digest.private_digest() != private_digest) return damaged(file->path(), header_end, "the private digest is wrong");
  return base::ok();
}

SnapshotReader::SnapshotReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SnapshotReader::~SnapshotReader() = default;

base::Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(io::FileSystem& files, const std::string& path,
                                                                   const base::Tag128& identity, bool check_all) {
  auto state = std::make_unique<State>();
  TRY_ASSIGN(state->file, files.open(path, io::OpenMode::read_only));
  TRY_ASSIGN(state->position, read_header(*state->file, state->header_end));
  if (state->position.identity != identity) {
    return base::Error{"snapshot_of_another_log", path + " belongs to another journal or epoch"};
  }
  TRY(state->read_trailer());
  if (check_all) TRY(state->check_all());
  return std::unique_ptr<SnapshotReader>(new SnapshotReader(std::move(state)));
}

const SnapshotPosition& SnapshotReader::position() const { return state_->position; }
const base::Digest& SnapshotReader::state_digest() const { return state_->state_digest; }
const std::vector<SnapshotReader::Section>& SnapshotReader::sections() const { return state_->sections; }
const std::string& SnapshotReader::path() const { return state_->file->path(); }

base::Status SnapshotReader::read(std::string_view section, const std::function<base::Status(base::ByteView chunk)>& take) {
  std::uint64_t offset = state_->header_end;
  for (std::size_t i = 0; i < state_->sections.size(); ++i) {
    const Section& candidate = state_->sections[i];
    if (candidate.name == section) {
      Window window(*state_->file, offset, candidate.bytes + std::uint64_t{candidate.chunks} * snapshot_chunk_head);
      return state_->read_section(i, window, take);
    }
    offset += candidate.bytes + std::uint64_t{candidate.chunks} * snapshot_chunk_head;
  }
  return base::Error{"snapshot_section_not_found", path() + " has no section of the name asked for"};
}

}  // namespace store
