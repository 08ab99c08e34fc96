#include "store/journal/journal.h"

#include <algorithm>

#include "base/check.h"
#include "base/planted_bug.h"
#include "store/journal/digest.h"
#include "store/journal/scan.h"
#include "store/journal/segment_set.h"

namespace store {
namespace {

// A new segment is written and synced in pieces, so that its making never puts a long queue before a group's sync.
constexpr std::uint64_t zero_piece_bytes = std::uint64_t{1} << 20;

}  // namespace

Journal::Journal(io::FileSystem& files, const JournalOptions& options)
    : files_(files),
      options_(options),
      segments_(std::make_shared<SegmentSet>(files, options.directory, true)),
      reader_(std::make_shared<JournalReader>(segments_)) {}

Journal::~Journal() = default;

base::Status Journal::start(const audit::Blinding& blinding, audit::Frontier frontier) {
  CHECK(blinding_ == nullptr);
  if (frontier.size() != prepared_.tree_size || frontier.root() != prepared_.tree_root) {
    return base::Error{"journal_tree_mismatch",
                       "the audit log has " + std::to_string(frontier.size()) + " leaves, the journal ends with " +
                           std::to_string(prepared_.tree_size) +
                           (frontier.size() == prepared_.tree_size ? " and another root" : "")};
  }
  blinding_ = &blinding;
  frontier_ = std::move(frontier);
  return base::ok();
}

base::Error Journal::failed_error() const {
  return {"journal_failed", "an earlier write or sync of the journal \"" + options_.directory +
                                "\" failed; it takes nothing more until it is opened again"};
}

base::Status Journal::check_usable() const {
  if (failed_.load(std::memory_order_acquire)) return failed_error();
  return base::ok();
}

base::Status Journal::or_fail(base::Status status) {
  if (!status.ok()) failed_.store(true, std::memory_order_release);
  return status;
}

void Journal::bump_epoch(model::Epoch epoch) {
  CHECK(epoch > prepared_.epoch);
  next_epoch_ = epoch;
}

base::Result<PreparedGroup> Journal::prepare(GroupDraft draft) {
  TRY(check_usable());
  auto prepared = prepare_unchecked(std::move(draft));
  if (!prepared.ok()) failed_.store(true, std::memory_order_release);
  return prepared;
}

base::Result<PreparedGroup> Journal::prepare_unchecked(GroupDraft draft) {
  CHECK_THAT(blinding_ != nullptr, "start comes before prepare");
  CHECK_THAT(draft.first_event() == prepared_.next_event, "groups come in the order of their events");
  if (draft.disk_bytes() > group_bytes_max()) {
    return base::Error{"journal_group_too_large", "a group of " + std::to_string(draft.disk_bytes()) +
                                                      " bytes; a segment has room for " +
                                                      std::to_string(group_bytes_max())};
  }
  base::Bytes& group = draft.buffers_.group;
  TRY(leaves_.append(group, draft.buffers_.events, draft.first_event(), *blinding_, frontier_));
  draft.buffers_.leaves.assign(leaves_.hashes().begin(), leaves_.hashes().end());

  GroupHeader header;
  if (draft.entry_count() > 0) {
    header.table_offset = static_cast<std::uint32_t>(group.size() - block_bytes);
    append_body_table(group, draft.buffers_.slots, draft.first_event());
    header.body_bytes = static_cast<std::uint32_t>(group.size() - block_bytes);
  }
  header.body_hash = sha256(base::ByteView(group).subspan(block_bytes));
  group.resize(round_up(group.size(), block_bytes));
  if (draft.private_count_ > 0) {
    const std::size_t begin = group.size();
    append_private_table(group, draft.buffers_.private_slots, draft.private_count_);
    base::append(group, draft.buffers_.privates);
    header.private_bytes = static_cast<std::uint32_t>(group.size() - begin);
    header.private_count = draft.private_count_;
    group.resize(round_up(group.size(), block_bytes));
  }
  const std::uint64_t payload_bytes = group.size() - block_bytes;
  const std::uint64_t header_bytes = group_header_bytes(payload_bytes);
  // The builder left one block for the header; only a group of more than 13 MiB has a longer map.
  if (header_bytes > block_bytes) group.insert(group.begin(), header_bytes - block_bytes, 0);
  const std::span<std::uint8_t> bytes(group);
  encode_map(bytes.subspan(header_bytes), bytes.subspan(sector_bytes, map_sectors(payload_bytes) * sector_bytes));

  header.partition = options_.partition;
  header.journal = prepared_.journal;
  header.epoch = next_epoch_.value_or(prepared_.epoch);
  header.flags = draft.flags_ | (next_epoch_ ? group_bumps_epoch : 0u);
  next_epoch_.reset();
  header.group = prepared_.group + 1;
  header.first_event = draft.first_event();
  header.event_count = draft.event_count();
  header.entry_count = draft.entry_count();
  header.at = draft.at();
  header.clock = draft.clock_;
  header.known_durable_group = durable_group_.load(std::memory_order_acquire);
  header.tree_size = frontier_.size();
  header.tree_root = frontier_.root();
  header.previous_hash = prepared_.header_hash;
  encode_header(header, bytes.first(sector_bytes));
  CHECK(header.group_bytes() == group.size() && draft.disk_bytes() == group.size());
  CHECK(header.tree_size == header.next_event() - 1);

  const base::Digest hash = sha256(bytes.first(sector_bytes));
  prepared_ = after_group(header, hash);
  PreparedGroup prepared;
  prepared.group_ = std::make_unique<SealedGroup>(std::move(draft.buffers_), header, hash, frontier_, pool_);
  return prepared;
}

base::Result<std::shared_ptr<const SealedGroup>> Journal::commit(PreparedGroup group) {
  TRY(check_usable());
  const std::shared_ptr<const SealedGroup> sealed = std::move(group.group_);
  CHECK_THAT(sealed->header().group == committed_.group + 1, "groups are committed in the order they were prepared");
  TRY(or_fail(write_group(*sealed)));
  return sealed;
}

base::Result<std::shared_ptr<const SealedGroup>> Journal::append(GroupDraft draft) {
  TRY_ASSIGN(PreparedGroup prepared, prepare(std::move(draft)));
  return commit(std::move(prepared));
}

base::Status Journal::seal(base::Instant at, const ClockAnchor& clock) {
  TRY(check_usable());
  if (prepared_.sealed && prepared_.clock.boot_id == clock.boot_id && !next_epoch_) return base::ok();
  GroupBuilder builder(pool_);
  builder.start(prepared_.next_event);
  GroupDraft draft = builder.finish(at);
  draft.set_clock(clock);
  draft.flags_ = group_is_seal;
  TRY_ASSIGN(const auto sealed, append(std::move(draft)));
  return base::ok();
}

base::Status Journal::write_group(const SealedGroup& group) {
  const std::uint64_t bytes = group.bytes().size();
  std::uint64_t offset = block_bytes;
  bool fits = false;
  {
    const std::lock_guard lock(room_mutex_);
    offset = room_position_;
    fits = offset + bytes + footer_bytes(index_.size() + 1) <= room_segment_bytes_;
  }
  if (file_ == nullptr || segment_closed_ || !fits) {
    if (file_ != nullptr && !segment_closed_) TRY(close_segment());
    TRY(begin_segment(group));
    offset = block_bytes;
  }
  TRY(file_->write_at(offset, group.bytes()));
  if (!base::planted_bug(17)) TRY(file_->sync_data());

  // Durable from here on: the segment first, if this group began it, then the group.
  if (index_.empty()) segments_->begin_segment(segment_, file_);
  const IndexEntry entry{group.header().first_event, static_cast<std::uint32_t>(offset / block_bytes),
                         stored_crc(group.bytes().first(sector_bytes))};
  index_.push_back(entry);
  committed_ = after_group(group.header(), group.header_hash());
  segments_->publish(entry, offset + bytes, committed_);
  durable_group_.store(committed_.group, std::memory_order_release);
  const std::lock_guard lock(room_mutex_);
  room_position_ = offset + bytes;
  room_groups_ = index_.size();
  return base::ok();
}

base::Status Journal::close_segment() {
  SegmentFooter footer;
  footer.partition = options_.partition;
  footer.segment = segment_.segment;
  footer.last_group = committed_.group;
  footer.next_event = committed_.next_event;
  footer.last_epoch = committed_.epoch;
  footer.journal = committed_.journal;
  footer.last_hash = committed_.header_hash;
  {
    const std::lock_guard lock(room_mutex_);
    footer.groups_end = room_position_;
  }
  const base::Bytes area = encode_footer(footer, index_);
  TRY(file_->write_at(segment_.segment_bytes - area.size(), area));
  TRY(file_->sync_data());
  segment_closed_ = true;
  return base::ok();
}

base::Status Journal::begin_segment(const SealedGroup& group) {
  std::unique_lock next(next_mutex_);
  const SegmentNumber number = next_number_;
  if (!next_ready_) TRY(make_segment(number));
  TRY_ASSIGN(auto file, files_.open(segment_path(options_.directory, number), io::OpenMode::read_write));
  next_ready_ = false;
  ++next_number_;
  {
    const std::lock_guard lock(room_mutex_);
    room_position_ = block_bytes;
    room_groups_ = 0;
    room_segment_bytes_ = options_.segment_bytes;
    room_next_ = false;
  }
  next.unlock();

  const GroupHeader& first = group.header();
  segment_ = {};
  segment_.partition = options_.partition;
  segment_.epoch = first.epoch;
  segment_.segment = number;
  segment_.segment_bytes = options_.segment_bytes;
  segment_.first_group = first.group;
  segment_.first_event = first.first_event;
  segment_.journal = first.journal;
  segment_.previous_hash = first.previous_hash;
  segment_.boot_id = options_.clock->boot_id();
  segment_.wall = options_.clock->wall();
  segment_.boot_ns = options_.clock->boot_ns();
  file_ = std::move(file);
  segment_closed_ = false;
  index_.clear();
  // Made durable by the sync of the first group.
  std::uint8_t header[sector_bytes];
  encode_header(segment_, header);
  return file_->write_at(0, header);
}

base::Status Journal::prepare_next() {
  TRY(check_usable());
  const std::lock_guard next(next_mutex_);
  if (next_ready_) return base::ok();
  base::Status made = make_segment(next_number_);
  if (!made.ok()) {
    // A sync is never tried again; anything else left no trace that matters.
    if (std::string_view(made.error().code) == "file_sync_failed") return or_fail(std::move(made));
    return made;
  }
  next_ready_ = true;
  const std::lock_guard lock(room_mutex_);
  room_next_ = true;
  return base::ok();
}

base::Status Journal::make_segment(SegmentNumber number) {
  const std::string path = segment_path(options_.directory, number);
  const std::string unfinished = unfinished_path(options_.directory, number);
  TRY_ASSIGN(const bool left_over, files_.exists(unfinished));
  if (left_over) TRY(files_.remove(unfinished));
  TRY_ASSIGN(const auto file, files_.open(unfinished, io::OpenMode::create_new));
  for (std::uint64_t at = 0; at < options_.segment_bytes; at += zero_piece_bytes) {
    TRY(file->zero_fill(at, std::min(zero_piece_bytes, options_.segment_bytes - at)));
    TRY(file->sync_data());
  }
  TRY(files_.rename(unfinished, path));
  return files_.sync_dir(options_.directory);
}

bool Journal::room_for(std::uint64_t bytes) const {
  // Each group takes at least a block, so this many lines are the most that the index can grow by.
  const std::uint64_t groups_max = bytes / block_bytes;
  const std::lock_guard lock(room_mutex_);
  const auto fits = [&](std::uint64_t position, std::uint64_t groups, std::uint64_t segment_bytes) {
    return position + bytes + footer_bytes(groups + groups_max) <= segment_bytes;
  };
  return fits(room_position_, room_groups_, room_segment_bytes_) ||
         (room_next_ && fits(block_bytes, 0, options_.segment_bytes));
}

base::Status Journal::erase_private(model::EventNumber event, model::PrivateField field) {
  TRY(check_usable());
  base::Status erased = reader_->erase_private(event, field);
  if (!erased.ok() && std::string_view(erased.error().code) == "file_sync_failed") return or_fail(std::move(erased));
  return erased;
}

}  // namespace store
