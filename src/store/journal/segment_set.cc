#include "store/journal/segment_set.h"

#include <algorithm>

#include "base/check.h"

namespace store {
namespace {

base::Error not_in_journal(model::EventNumber event, model::EventNumber next) {
  return {"event_not_in_journal",
          "event " + std::to_string(event) + " is not in the journal, which ends before event " + std::to_string(next)};
}

}  // namespace

SegmentSet::SegmentSet(io::FileSystem& files, std::string directory, bool writable)
    : files_(files), directory_(std::move(directory)), writable_(writable) {}

base::Status SegmentSet::load(const JournalScan& scan) {
  const std::lock_guard lock(mutex_);
  for (const ScannedSegment& segment : scan.segments) headers_.push_back(segment.header);
  end_ = scan.end;
  if (headers_.empty()) return base::ok();
  last_ = std::make_shared<Segment>();
  last_->header = headers_.back();
  TRY_ASSIGN(last_->file, open_file(last_->header.segment));
  last_->index = scan.last_index;
  last_->end = scan.last_end;
  last_->closed = scan.last_closed;
  return base::ok();
}

JournalEnd SegmentSet::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

base::Result<std::shared_ptr<io::File>> SegmentSet::open_file(SegmentNumber number) {
  TRY_ASSIGN(auto file, files_.open(segment_path(directory_, number),
                                    writable_ ? io::OpenMode::read_write : io::OpenMode::read_only));
  return std::shared_ptr<io::File>(std::move(file));
}

std::size_t SegmentSet::group_with(const Segment& segment, model::EventNumber event) {
  // The last group that begins at or before the event; of several (seals have no events of their own) the last one
  // holds it.
  const auto after =
      std::upper_bound(segment.index.begin(), segment.index.end(), event,
                       [](model::EventNumber e, const IndexEntry& entry) { return e < entry.first_event; });
  return after == segment.index.begin() ? 0 : static_cast<std::size_t>(after - segment.index.begin()) - 1;
}

SegmentSet::Place SegmentSet::place_in(const Segment& segment, model::EventNumber event) {
  const std::size_t i = group_with(segment, event);
  return {segment.file, segment.index[i].offset(), segment.index[i].header_crc,
          i + 1 < segment.index.size() ? segment.index[i + 1].offset() : segment.end};
}

base::Result<SegmentSet::Place> SegmentSet::place_of(model::EventNumber event) {
  SegmentNumber number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (event == 0 || event >= end_.next_event) return not_in_journal(event, end_.next_event);
    if (event >= last_->header.first_event) return place_in(*last_, event);
    const auto after = std::upper_bound(headers_.begin(), headers_.end(), event,
                                        [](model::EventNumber e, const SegmentHeader& h) { return e < h.first_event; });
    number = static_cast<SegmentNumber>(after - headers_.begin());
  }
  TRY_ASSIGN(const auto segment, closed_segment(number));
  return place_in(*segment, event);
}

base::Result<std::vector<SegmentNumber>> SegmentSet::segments_from(model::EventNumber from) {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentNumber> numbers;
  if (from > end_.next_event) return not_in_journal(from, end_.next_event);
  if (from == end_.next_event) return numbers;
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    if (i + 1 < headers_.size() && headers_[i + 1].first_event <= from) continue;
    numbers.push_back(headers_[i].segment);
  }
  return numbers;
}

base::Result<SegmentSet::Run> SegmentSet::run_of(SegmentNumber number, model::EventNumber from) {
  const auto run_in = [&](const Segment& segment) {
    const std::size_t i = segment.index.empty() ? 0 : group_with(segment, from);
    return Run{segment.file, segment.header, segment.index.empty() ? segment.end : segment.index[i].offset(),
               segment.end,  i == 0,         segment.closed};
  };
  {
    const std::lock_guard lock(mutex_);
    CHECK(number >= 1 && number <= headers_.size());
    if (number == headers_.size()) return run_in(*last_);
  }
  TRY_ASSIGN(const auto segment, closed_segment(number));
  return run_in(*segment);
}

base::Result<std::vector<SegmentSet::Run>> SegmentSet::all_runs() {
  std::vector<Run> runs;
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = headers_.size();
    if (count == 0) return runs;
    // The last one now, so that nothing that is appended later is in the copy.
    runs.push_back({last_->file, last_->header, block_bytes, last_->end, true, last_->closed});
  }
  for (std::size_t number = count - 1; number > 0; --number) {
    TRY_ASSIGN(Run run, run_of(static_cast<SegmentNumber>(number), 0));
    runs.insert(runs.begin(), std::move(run));
  }
  return runs;
}

base::Result<std::shared_ptr<const SegmentSet::Segment>> SegmentSet::closed_segment(SegmentNumber number) {
  SegmentHeader header;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(recent_.begin(), recent_.end(),
                                    [&](const auto& segment) { return segment->header.segment == number; });
    if (found != recent_.end()) {
      recent_.splice(recent_.begin(), recent_, found);
      return recent_.front();
    }
    header = headers_[number - 1];
  }
  TRY_ASSIGN(auto segment, load_closed(header));
  const std::lock_guard lock(mutex_);
  recent_.push_front(segment);
  if (recent_.size() > open_segments_max) recent_.pop_back();
  return segment;
}

base::Result<std::shared_ptr<const SegmentSet::Segment>> SegmentSet::load_closed(const SegmentHeader& header) {
  auto segment = std::make_shared<Segment>();
  segment->header = header;
  TRY_ASSIGN(segment->file, open_file(header.segment));
  const std::string& path = segment->file->path();
  const std::uint64_t footer_at = header.segment_bytes - sector_bytes;
  std::uint8_t sector[sector_bytes];
  TRY_ASSIGN(std::size_t n, segment->file->read_at(footer_at, sector));
  if (n != sector_bytes) return segment_damaged(path, footer_at + n, "the file ends here");
  SegmentFooter footer;
  const SectorState state = decode_header(sector, footer);
  if (state != SectorState::good) return bad_header(state, path, footer_at, "segment footer");
  const std::uint64_t area_bytes = footer_bytes(footer.group_count);
  if (footer.segment != header.segment || footer.journal != header.journal ||
      footer.groups_end > header.segment_bytes || area_bytes > header.segment_bytes - footer.groups_end) {
    return segment_damaged(path, footer_at, "segment footer");
  }
  base::Bytes area(area_bytes);
  TRY_ASSIGN(n, segment->file->read_at(header.segment_bytes - area_bytes, area));
  auto index = n == area_bytes ? decode_index(area, footer) : std::nullopt;
  if (!index) return segment_damaged(path, header.segment_bytes - area_bytes, "index of the segment");
  segment->index = std::move(*index);
  segment->end = footer.groups_end;
  segment->closed = true;
  return std::shared_ptr<const Segment>(std::move(segment));
}

void SegmentSet::begin_segment(const SegmentHeader& header, std::shared_ptr<io::File> file) {
  auto segment = std::make_shared<Segment>();
  segment->header = header;
  segment->file = std::move(file);
  segment->end = block_bytes;
  const std::lock_guard lock(mutex_);
  CHECK(header.segment == headers_.size() + 1);
  headers_.push_back(header);
  if (last_) {
    last_->closed = true;
    recent_.push_front(last_);
    if (recent_.size() > open_segments_max) recent_.pop_back();
  }
  last_ = std::move(segment);
}

void SegmentSet::publish(const IndexEntry& entry, std::uint64_t end_offset, const JournalEnd& end) {
  const std::lock_guard lock(mutex_);
  last_->index.push_back(entry);
  last_->end = end_offset;
  end_ = end;
}

}  // namespace store
