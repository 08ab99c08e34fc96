#include "store/keys/key_run.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/check.h"

namespace store {

namespace {

constexpr std::uint32_t run_version = 1;
constexpr std::string_view run_magic = "HFKEYRUN";
constexpr std::size_t records_per_page = key_page_room / sizeof(KeyRecord);
constexpr std::size_t first_keys_per_page = key_page_room / sizeof(std::uint64_t);
constexpr std::size_t blocks_per_page = key_page_room / sizeof(FilterBlock);
constexpr std::size_t pages_at_a_time = 64;

// Places in the header page, from the start of the page.
constexpr std::size_t at_magic = 16, at_version = 24, at_identity = 32, at_records = 48, at_from = 56, at_through = 64,
                      at_record_pages = 72, at_index_pages = 76, at_filter_blocks = 80, header_end = 88;

constexpr std::uint64_t pages_for(std::uint64_t items, std::uint64_t per_page) { return (items + per_page - 1) / per_page; }

struct RunShape {
  std::uint64_t record_pages;
  std::uint64_t index_pages;
  std::uint64_t filter_blocks;
  std::uint64_t all_pages() const { return 1 + record_pages + index_pages + pages_for(filter_blocks, blocks_per_page); }
};

RunShape shape_of(std::uint64_t records) {
  const std::uint64_t record_pages = pages_for(records, records_per_page);
  return {record_pages, pages_for(record_pages, first_keys_per_page), filter_blocks_for(records)};
}

base::Error damaged(const std::string& path, std::uint64_t offset, const char* what) {
  return {"key_run_damaged", path + " at offset " + std::to_string(offset) + ": " + what};
}

KeyRecord record_in(const std::uint8_t* page, std::size_t index) {
  KeyRecord record;
  std::memcpy(&record, page + key_page_head + index * sizeof record, sizeof record);
  return record;
}

}  // namespace

std::string key_run_name(std::uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof name, "run-%012llu.keys", static_cast<unsigned long long>(number));
  return name;
}

// --- KeyRun -------------------------------------------------------------------------------------------------------------

base::Result<std::shared_ptr<const KeyRun>> KeyRun::open(io::FileSystem& files, const std::string& directory,
                                                         const KeyRunInfo& info, const base::Tag128& identity) {
  std::shared_ptr<KeyRun> run(new KeyRun);
  run->info_ = info;
  auto file = files.open(io::join_path(directory, key_run_name(info.number)), io::OpenMode::read_only);
  if (!file.ok()) return file.error();
  run->file_ = std::move(file).value();
  TRY(run->load_header(identity));
  TRY(run->load_index_and_filter());
  return std::shared_ptr<const KeyRun>(std::move(run));
}

base::Status KeyRun::load_header(const base::Tag128& identity) {
  std::array<std::uint8_t, key_page_bytes> page;
  TRY(read_page(0, page.data()));
  if (std::memcmp(page.data() + at_magic, run_magic.data(), run_magic.size()) != 0) {
    return damaged(file_->path(), at_magic, "this is not a run of keys");
  }
  if (base::load_le<std::uint32_t>(page.data() + at_version) != run_version) {
    return base::Error{"key_index_version_unknown", file_->path() + " was written by a newer version"};
  }
  if (std::memcmp(page.data() + at_identity, identity.data(), identity.size()) != 0) {
    return base::Error{"key_index_of_another_log", file_->path() + " belongs to another journal or epoch"};
  }
  const RunShape shape = shape_of(info_.records);
  const bool agrees = base::load_le<std::uint64_t>(page.data() + at_records) == info_.records &&
                      base::load_le<std::uint64_t>(page.data() + at_from) == info_.from &&
                      base::load_le<std::uint64_t>(page.data() + at_through) == info_.through &&
                      base::load_le<std::uint32_t>(page.data() + at_record_pages) == shape.record_pages &&
                      base::load_le<std::uint32_t>(page.data() + at_index_pages) == shape.index_pages &&
                      base::load_le<std::uint64_t>(page.data() + at_filter_blocks) == shape.filter_blocks;
  if (!agrees) return damaged(file_->path(), at_records, "the header differs from the manifest");
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  if (size != shape.all_pages() * key_page_bytes) return damaged(file_->path(), size, "the file has the wrong size");
  return base::ok();
}

base::Status KeyRun::load_index_and_filter() {
  const RunShape shape = shape_of(info_.records);
  first_keys_.resize(shape.record_pages);
  filter_ = KeyFilter(shape.filter_blocks);
  base::Bytes buffer(pages_at_a_time * key_page_bytes);
  std::uint64_t page = 1 + shape.record_pages;
  std::uint64_t keys = 0;
  std::uint64_t blocks = 0;
  while (page < shape.all_pages()) {
    const std::size_t count = std::min<std::uint64_t>(pages_at_a_time, shape.all_pages() - page);
    TRY_ASSIGN(const std::size_t got, file_->read_at(page * key_page_bytes, {buffer.data(), count * key_page_bytes}));
    if (got != count * key_page_bytes) return damaged(file_->path(), page * key_page_bytes + got, "the file ends early");
    for (std::size_t i = 0; i < count; ++i, ++page) {
      const std::uint8_t* bytes = buffer.data() + i * key_page_bytes;
      TRY(check_page(bytes, static_cast<std::uint32_t>(page), info_.number, "key_run_damaged", file_->path()));
      if (keys < first_keys_.size()) {
        const std::size_t take = std::min<std::uint64_t>(first_keys_per_page, first_keys_.size() - keys);
        std::memcpy(first_keys_.data() + keys, bytes + key_page_head, take * sizeof(std::uint64_t));
        keys += take;
      } else {
        const std::size_t take = std::min<std::uint64_t>(blocks_per_page, filter_.size() - blocks);
        std::memcpy(filter_.data() + blocks, bytes + key_page_head, take * sizeof(FilterBlock));
        blocks += take;
      }
    }
  }
  if (!std::is_sorted(first_keys_.begin(), first_keys_.end())) {
    return damaged(file_->path(), (1 + shape.record_pages) * key_page_bytes, "the page index is not in order");
  }
  return base::ok();
}

base::Status KeyRun::read_page(std::uint32_t page, std::uint8_t* into) const {
  const std::uint64_t offset = std::uint64_t{page} * key_page_bytes;
  TRY_ASSIGN(const std::size_t got, file_->read_at(offset, {into, key_page_bytes}));
  if (got != key_page_bytes) return damaged(file_->path(), offset + got, "the file ends early");
  return check_page(into, page, info_.number, "key_run_damaged", file_->path());
}

std::size_t KeyRun::records_in(std::uint32_t record_page) const {
  const std::uint64_t before = std::uint64_t{record_page} * records_per_page;
  return std::min<std::uint64_t>(records_per_page, info_.records - before);
}

// The record page in which the first record >= least stands, or the one before it.
base::Result<std::uint32_t> KeyRun::first_page_for(const KeyRecord& least, std::uint64_t& pages) const {
  auto low = static_cast<std::uint32_t>(std::lower_bound(first_keys_.begin(), first_keys_.end(), least.high) -
                                        first_keys_.begin());
  auto high = static_cast<std::uint32_t>(
      std::upper_bound(first_keys_.begin() + low, first_keys_.end(), least.high) - first_keys_.begin());
  // Pages low to high - 1 begin with the very key: a key with a great many events. Bisect by their first records.
  std::array<std::uint8_t, key_page_bytes> page;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    TRY(read_page(1 + middle, page.data()));
    ++pages;
    if (record_in(page.data(), 0) < least) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? 0 : low - 1;
}

base::Status KeyRun::find_all(const KeyRecord& key, model::EventNumber after, std::size_t limit,
                              std::vector<model::EventNumber>& out, std::uint64_t& pages) const {
  if (info_.through <= after || info_.records == 0) return base::ok();
  KeyRecord least = key;
  least.word = (key.word >> 56 << 56) | (after + 1);
  TRY_ASSIGN(std::uint32_t number, first_page_for(least, pages));
  std::array<std::uint8_t, key_page_bytes> page;
  for (; number < first_keys_.size() && first_keys_[number] <= key.high && out.size() < limit; ++number) {
    TRY(read_page(1 + number, page.data()));
    ++pages;
    const std::size_t count = records_in(number);
    std::size_t from = 0;
    for (std::size_t to = count; from < to;) {
      const std::size_t middle = from + (to - from) / 2;
      if (record_in(page.data(), middle) < least) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    for (; from < count && out.size() < limit; ++from) {
      const KeyRecord record = record_in(page.data(), from);
      if (!same_key(record, key)) return base::ok();
      out.push_back(record.event());
    }
  }
  return base::ok();
}

// --- KeyRunScan ---------------------------------------------------------------------------------------------------------

KeyRunScan::KeyRunScan(std::shared_ptr<const KeyRun> run)
    : run_(std::move(run)), buffer_(pages_at_a_time * key_page_bytes) {}

base::Result<bool> KeyRunScan::next_page(KeyRecord& record) {
  const auto record_pages = static_cast<std::uint32_t>(run_->first_keys_.size());
  if (next_page_ > record_pages) return false;
  const std::string& path = run_->file_->path();
  if (next_page_ >= buffer_first_ + buffer_pages_) {
    const std::size_t count = std::min<std::size_t>(pages_at_a_time, record_pages - next_page_ + 1);
    const std::uint64_t offset = std::uint64_t{next_page_} * key_page_bytes;
    TRY_ASSIGN(const std::size_t got, run_->file_->read_at(offset, {buffer_.data(), count * key_page_bytes}));
    if (got != count * key_page_bytes) return damaged(path, offset + got, "the file ends early");
    buffer_first_ = next_page_;
    buffer_pages_ = static_cast<std::uint32_t>(count);
  }
  page_ = buffer_.data() + (next_page_ - buffer_first_) * key_page_bytes;
  TRY(check_page(page_, next_page_, run_->info_.number, "key_run_damaged", path));
  end_ = run_->records_in(next_page_ - 1);
  // The order inside a page is as it was written, which its checksum vouches for; pages must follow each other.
  const KeyRecord first = load(0);
  if (first < last_ || first.high != run_->first_keys_[next_page_ - 1]) {
    return damaged(path, std::uint64_t{next_page_} * key_page_bytes, "the records are not in order");
  }
  last_ = load(end_ - 1);
  ++next_page_;
  at_ = 1;
  record = first;
  return true;
}

// --- KeyRunWriter -------------------------------------------------------------------------------------------------------

base::Result<std::unique_ptr<KeyRunWriter>> KeyRunWriter::begin(io::FileSystem& files, const std::string& directory,
                                                                const KeyRunInfo& info, const base::Tag128& identity,
                                                                std::uint64_t sync_bytes) {
  std::unique_ptr<KeyRunWriter> writer(new KeyRunWriter);
  writer->files_ = &files;
  writer->directory_ = directory;
  writer->run_.reset(new KeyRun);
  writer->run_->info_ = info;
  auto file = files.open(io::join_path(directory, key_run_name(info.number)), io::OpenMode::create_new);
  if (!file.ok()) return file.error();
  writer->run_->file_ = std::move(file).value();
  const RunShape shape = shape_of(info.records);
  writer->run_->first_keys_.reserve(shape.record_pages);
  writer->run_->filter_ = KeyFilter(shape.filter_blocks);
  writer->buffer_.resize(pages_at_a_time * key_page_bytes);
  writer->sync_bytes_ = sync_bytes;

  std::uint8_t* page = writer->page();
  std::memcpy(page + at_magic, run_magic.data(), run_magic.size());
  base::store_le(page + at_version, run_version);
  std::memcpy(page + at_identity, identity.data(), identity.size());
  base::store_le(page + at_records, info.records);
  base::store_le(page + at_from, info.from);
  base::store_le(page + at_through, info.through);
  base::store_le(page + at_record_pages, static_cast<std::uint32_t>(shape.record_pages));
  base::store_le(page + at_index_pages, static_cast<std::uint32_t>(shape.index_pages));
  base::store_le(page + at_filter_blocks, shape.filter_blocks);
  static_assert(at_filter_blocks + 8 == header_end && header_end <= key_page_bytes);
  TRY(writer->end_page());
  return writer;
}

std::uint8_t* KeyRunWriter::page() { return buffer_.data() + buffered_pages_ * key_page_bytes; }

base::Status KeyRunWriter::end_page() {
  seal_page(page(), next_page_++, run_->info_.number);
  in_page_ = 0;
  if (++buffered_pages_ < pages_at_a_time) return base::ok();
  return write_out();
}

base::Status KeyRunWriter::write_out() {
  const std::size_t bytes = buffered_pages_ * key_page_bytes;
  const std::uint64_t offset = (std::uint64_t{next_page_} - buffered_pages_) * key_page_bytes;
  TRY(run_->file_->write_at(offset, {buffer_.data(), bytes}));
  std::memset(buffer_.data(), 0, bytes);
  buffered_pages_ = 0;
  unsynced_ += bytes;
  if (unsynced_ < sync_bytes_) return base::ok();
  unsynced_ = 0;
  return run_->file_->sync_data();
}

base::Status KeyRunWriter::add(const KeyRecord& record) {
  CHECK_THAT(!(record < last_), "records of a run ascend");
  last_ = record;
  if (in_page_ == 0) run_->first_keys_.push_back(record.high);
  std::memcpy(page() + key_page_head + in_page_ * sizeof record, &record, sizeof record);
  run_->filter_.add(record);
  ++added_;
  if (++in_page_ < records_per_page) return base::ok();
  return end_page();
}

base::Result<bool> KeyRunWriter::finish_step(std::uint64_t bytes_max) {
  CHECK(added_ == run_->info_.records);
  if (in_page_ > 0) TRY(end_page());
  const std::vector<std::uint64_t>& keys = run_->first_keys_;
  const KeyFilter& filter = run_->filter_;
  for (std::uint64_t bytes = 0; bytes < bytes_max; bytes += key_page_bytes) {
    if (index_written_ < keys.size()) {
      const std::size_t take = std::min<std::uint64_t>(first_keys_per_page, keys.size() - index_written_);
      std::memcpy(page() + key_page_head, keys.data() + index_written_, take * sizeof(std::uint64_t));
      index_written_ += take;
    } else if (filter_written_ < filter.size()) {
      const std::size_t take = std::min<std::uint64_t>(blocks_per_page, filter.size() - filter_written_);
      std::memcpy(page() + key_page_head, filter.data() + filter_written_, take * sizeof(FilterBlock));
      filter_written_ += take;
    } else {
      if (buffered_pages_ > 0) TRY(write_out());
      TRY(run_->file_->sync_data());
      TRY(files_->sync_dir(directory_));
      return false;
    }
    TRY(end_page());
  }
  return true;
}

}  // namespace store
