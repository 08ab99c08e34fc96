#include "store/journal/reader.h"

#include <algorithm>

#include "base/check.h"
#include "store/journal/digest.h"
#include "store/journal/file_window.h"
#include "store/journal/leaves.h"
#include "store/journal/scan.h"
#include "store/journal/segment_set.h"

namespace store {
namespace {

// Serving one event reads about this much at a time; a long read takes big steps.
constexpr std::size_t point_chunk_bytes = std::size_t{16} << 10;
constexpr std::size_t stream_chunk_bytes = std::size_t{4} << 20;

/// A group on disk whose header was read and checked.
struct OpenGroup {
  SegmentSet::Place place;
  GroupHeader header;
  FileWindow window;

  const std::string& path() const { return place.file->path(); }
  /// `length` bytes from `at` of the group.
  base::Result<base::ByteView> view(std::uint64_t at, std::uint64_t length) {
    return window.view(place.offset + at, length);
  }
  base::Error damaged(std::uint64_t at, const char* what) const {
    return segment_damaged(path(), place.offset + at, what);
  }
};

base::Result<OpenGroup> open_group(SegmentSet& segments, model::EventNumber event) {
  TRY_ASSIGN(SegmentSet::Place place, segments.place_of(event));
  OpenGroup group{place, {}, FileWindow(*place.file, place.limit, point_chunk_bytes)};
  TRY_ASSIGN(const base::ByteView sector, group.view(0, sector_bytes));
  const SectorState state = decode_header(sector, group.header);
  if (state != SectorState::good) return bad_header(state, group.path(), place.offset, "group header");
  const GroupHeader& header = group.header;
  if (stored_crc(sector) != place.header_crc || event < header.first_event || event >= header.next_event() ||
      header.group_bytes() > place.limit - place.offset || header.entry_count == 0) {
    return group.damaged(0, "group header (it is not the group that the index names)");
  }
  return group;
}

/// The frame with this event, in place.
base::Result<EntryView> find_entry(OpenGroup& group, model::EventNumber event) {
  const GroupHeader& header = group.header;
  const std::uint64_t table_at = header.body_begin() + header.table_offset;
  TRY_ASSIGN(const base::ByteView table, group.view(table_at, header.body_bytes - header.table_offset));
  const auto slots = decode_body_table(table, header);
  if (!slots) return group.damaged(table_at, "offset table");
  const std::size_t slot = slot_of_entry(*slots, event);
  const std::uint64_t end = slot + 1 < slots->size() ? header.body_begin() + (*slots)[slot + 1].offset : table_at;
  std::uint64_t at = header.body_begin() + (*slots)[slot].offset;
  model::EventNumber first = (*slots)[slot].event;
  // Frames that are passed are checked like the one that is served: a changed count of events would shift all that
  // follow.
  while (at < end) {
    if (end - at < frame_head_bytes) break;
    TRY_ASSIGN(const base::ByteView head_bytes, group.view(at, frame_head_bytes));
    const FrameHead head = load_frame_head(head_bytes.data());
    const std::uint64_t frame_bytes = frame_head_bytes + head.entry_bytes;
    if (frame_bytes > end - at) break;
    TRY_ASSIGN(const base::ByteView frame, group.view(at, frame_bytes));
    if (!frame_intact(frame)) break;
    if (event < first + head.event_count) return EntryView{first, head.event_count, frame.subspan(frame_head_bytes)};
    first += head.event_count;
    at += frame_bytes;
  }
  return group.damaged(at, "entry frame");
}

/// Where the record of a value lies in its group, and its head; nothing if there is none.
struct RecordPlace {
  std::uint64_t at = 0;
  PrivateRecordHead head;
};
base::Result<std::optional<RecordPlace>> find_record(OpenGroup& group, model::EventNumber event,
                                                     model::PrivateField field) {
  const GroupHeader& header = group.header;
  if (header.private_count == 0) return {std::nullopt};
  const std::uint64_t begin = header.private_begin();
  const std::uint64_t end = begin + header.private_bytes;
  const std::uint64_t table_bytes = private_table_bytes(header.private_count);
  if (table_bytes > header.private_bytes) return group.damaged(0, "group header (size of the private section)");
  TRY_ASSIGN(const base::ByteView table, group.view(begin, table_bytes));
  const auto slots = decode_private_table(table, header.private_count);
  if (!slots) return group.damaged(begin, "private table");
  std::uint64_t at = begin + table_bytes + (*slots)[slot_of_private(*slots, event)].offset;
  while (at < end) {
    if (end - at < private_record_head_bytes) return group.damaged(at, "private record");
    TRY_ASSIGN(const base::ByteView bytes, group.view(at, private_record_head_bytes));
    const auto head = decode_private_record_head(bytes);
    if (!head || head->record_bytes() > end - at) return group.damaged(at, "private record");
    if (head->event > event) break;
    if (head->event == event && head->field == static_cast<std::uint8_t>(field)) return {RecordPlace{at, *head}};
    at += head->record_bytes();
  }
  return {std::nullopt};
}

}  // namespace

JournalReader::JournalReader(std::shared_ptr<SegmentSet> segments) : segments_(std::move(segments)) {}
JournalReader::~JournalReader() = default;

base::Result<std::shared_ptr<JournalReader>> JournalReader::open(io::FileSystem& files, const std::string& directory,
                                                                 model::PartitionNumber partition) {
  TRY_ASSIGN(const JournalScan scan, scan_journal(files, directory, partition, 0));
  auto segments = std::make_shared<SegmentSet>(files, directory, false);
  TRY(segments->load(scan));
  return std::make_shared<JournalReader>(std::move(segments));
}

JournalEnd JournalReader::end() const { return segments_->end(); }

base::Result<StoredEntry> JournalReader::read_entry(model::EventNumber event) const {
  TRY_ASSIGN(OpenGroup group, open_group(*segments_, event));
  TRY_ASSIGN(const EntryView entry, find_entry(group, event));
  return StoredEntry{entry.first_event, entry.event_count, base::to_bytes(entry.bytes)};
}

base::Result<GroupHeader> JournalReader::read_group_header(model::EventNumber event) const {
  TRY_ASSIGN(const OpenGroup group, open_group(*segments_, event));
  return group.header;
}

base::Result<base::Bytes> JournalReader::read_group(model::EventNumber event) const {
  base::Bytes bytes;
  TRY(visit_group(event, [&bytes](const GroupView& group) -> base::Status {
    bytes = base::to_bytes(group.bytes);
    return base::ok();
  }));
  return bytes;
}

base::Status JournalReader::visit_group(model::EventNumber event,
                                        const std::function<base::Status(const GroupView&)>& visit) const {
  const std::shared_lock no_erasing(segments_->erasing());
  TRY_ASSIGN(OpenGroup group, open_group(*segments_, event));
  TRY_ASSIGN(const base::ByteView bytes, group.view(0, group.header.group_bytes()));
  if (const auto fault = check_group(bytes, group.header, {.body_hash = true}))
    return group.damaged(fault->offset, fault->what);
  return visit(GroupView{group.header, bytes, sha256(bytes.first(sector_bytes)), group.path(), group.place.offset});
}

base::Result<std::optional<StoredPrivate>> JournalReader::read_private(model::EventNumber event,
                                                                       model::PrivateField field) const {
  const std::shared_lock no_erasing(segments_->erasing());
  TRY_ASSIGN(OpenGroup group, open_group(*segments_, event));
  TRY_ASSIGN(const std::optional<RecordPlace> place, find_record(group, event, field));
  if (!place) return {std::nullopt};
  TRY_ASSIGN(const base::ByteView record, group.view(place->at, place->head.record_bytes()));
  if (check_private_record(record) == PrivateRecordState::damaged) return group.damaged(place->at, "private record");
  return {decode_private_record(record, place->head)};
}

base::Status JournalReader::erase_private(model::EventNumber event, model::PrivateField field) const {
  const std::unique_lock only_one(segments_->erasing());
  TRY_ASSIGN(OpenGroup group, open_group(*segments_, event));
  TRY_ASSIGN(const std::optional<RecordPlace> place, find_record(group, event, field));
  if (!place) {
    return base::Error{"private_value_not_found", "event " + std::to_string(event) + " has no such personal value"};
  }
  io::File& file = *group.place.file;
  const std::uint64_t at = group.place.offset + place->at;
  // First the word that says erased, durable; then the zeros. A crash between the two leaves a record that says what is
  // to be done with it, never one with a wrong checksum.
  std::uint8_t state[4];
  base::store_le(state, private_erased);
  TRY(file.write_at(at + private_state_at, state));
  TRY(file.sync_data());
  TRY(file.zero_fill(at + private_erasable_at, place->head.record_bytes() - private_erasable_at));
  return file.sync_data();
}

base::Status JournalReader::for_each_group(model::EventNumber from, const ReadChecks& checks,
                                           const std::function<base::Status(const GroupView&)>& visit) const {
  CHECK((checks.blinding == nullptr) == (checks.frontier == nullptr));
  const GroupNumber last = segments_->end().group;
  TRY_ASSIGN(const std::vector<SegmentNumber> numbers, segments_->segments_from(from));
  std::optional<JournalEnd> before;  // what the next group must continue; unknown in the middle of a segment
  LeafHasher leaves;
  for (const SegmentNumber number : numbers) {
    TRY_ASSIGN(const SegmentSet::Run run, segments_->run_of(number, from));
    const std::string& path = run.file->path();
    if (before) TRY(check_link(run.header, *before, path));
    FileWindow window(*run.file, run.end, stream_chunk_bytes);
    for (std::uint64_t at = run.begin; at < run.end;) {
      std::shared_lock no_erasing(segments_->erasing());
      TRY_ASSIGN(const base::ByteView sector, window.view(at, sector_bytes));
      GroupHeader header;
      const SectorState state = decode_header(sector, header);
      if (state != SectorState::good) return bad_header(state, path, at, "group header");
      if (header.group > last) return base::ok();
      if (!before) {
        before = journal_start(run.header.journal, run.header.partition);
        before->epoch = header.epoch;
        before->group = header.group - 1;
        before->next_event = header.first_event;
        before->header_hash = run.at_segment_start && at == run.begin ? run.header.previous_hash : header.previous_hash;
        if ((header.flags & group_bumps_epoch) != 0) --before->epoch;
      }
      TRY(check_link(header, *before, path, at));
      if (header.group_bytes() > run.end - at) return segment_damaged(path, at, "group header (size)");
      const base::Digest hash = sha256(sector);
      TRY_ASSIGN(base::ByteView bytes, window.view(at, header.group_bytes()));
      auto fault = check_group(bytes, header, {.body_hash = checks.body_hash});
      if (fault) {
        // The window may hold one half of a personal value from before it was erased and the other from after.
        window.forget();
        TRY_ASSIGN(bytes, window.view(at, header.group_bytes()));
        fault = check_group(bytes, header, {.body_hash = checks.body_hash});
      }
      if (fault) return segment_damaged(path, at + fault->offset, fault->what);
      no_erasing.unlock();
      if (checks.frontier != nullptr) {
        TRY(leaves.append_group(bytes, header, *checks.blinding, *checks.frontier));
        if (checks.frontier->size() != header.tree_size || checks.frontier->root() != header.tree_root) {
          return segment_damaged(path, at, "group header (root of the audit log)");
        }
      }
      TRY(visit(GroupView{header, bytes, hash, path, at}));
      before = after_group(header, hash);
      at += header.group_bytes();
    }
  }
  return base::ok();
}

base::Status JournalReader::for_each_entry(model::EventNumber from, const ReadChecks& checks,
                                           const std::function<base::Status(const EntryView&)>& visit) const {
  return for_each_group(from, checks, [&](const GroupView& group) {
    return group.for_each_entry(
        [&](const EntryView& entry) { return entry.first_event < from ? base::ok() : visit(entry); });
  });
}

}  // namespace store
