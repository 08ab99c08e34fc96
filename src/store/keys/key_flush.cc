#include "store/keys/key_flush.h"

#include <bit>

#include "base/check.h"
#include "base/planted_bug.h"

namespace store {

base::Result<std::unique_ptr<KeyFlush>> KeyFlush::begin(io::FileSystem& files, const std::string& directory,
                                                        std::shared_ptr<const FrozenKeys> keys,
                                                        std::shared_ptr<KeySieve> sieve, std::uint64_t run_number,
                                                        const base::Tag128& identity, std::uint64_t sync_bytes) {
  const KeyRunInfo info{run_number, keys->table->size(), keys->from, keys->through};
  std::unique_ptr<KeyFlush> flush(new KeyFlush(std::move(keys), std::move(sieve)));
  TRY_ASSIGN(flush->writer_, KeyRunWriter::begin(files, directory, info, identity, sync_bytes));
  return flush;
}

base::Result<bool> KeyFlush::step(std::uint64_t bytes_max) {
  if (scanned_) return writer_->finish_step(bytes_max);
  const std::uint64_t until = writer_->bytes_written() + bytes_max;
  KeyRecord record;
  while (writer_->bytes_written() < until) {
    if (!scan_.next(record)) {
      scanned_ = true;
      break;
    }
    TRY(writer_->add(record));
    if (sieve_ != nullptr) sieve_->add(record);
  }
  return true;
}

base::Result<std::unique_ptr<KeyMerge>> KeyMerge::begin(io::FileSystem& files, const std::string& directory,
                                                        std::vector<std::shared_ptr<const KeyRun>> inputs,
                                                        std::uint64_t run_number, const base::Tag128& identity,
                                                        std::uint64_t sync_bytes) {
  CHECK(inputs.size() >= 2);
  KeyRunInfo info{run_number, 0, inputs.front()->info().from, inputs.back()->info().through};
  for (const auto& input : inputs) info.records += input->info().records;
  std::unique_ptr<KeyMerge> merge(new KeyMerge);
  merge->inputs_ = std::move(inputs);
  TRY_ASSIGN(merge->writer_, KeyRunWriter::begin(files, directory, info, identity, sync_bytes));
  for (const auto& input : merge->inputs_) {
    merge->scans_.emplace_back(input);
    merge->heads_.emplace_back();
    TRY_ASSIGN(const bool any, merge->scans_.back().next(merge->heads_.back()));
    CHECK_THAT(any, "no run is empty");
  }
  return merge;
}

base::Status KeyMerge::advance(std::size_t source) {
  TRY_ASSIGN(const bool more, scans_[source].next(heads_[source]));
  if (!more) {
    scans_.erase(scans_.begin() + static_cast<std::ptrdiff_t>(source));
    heads_.erase(heads_.begin() + static_cast<std::ptrdiff_t>(source));
  }
  return base::ok();
}

base::Result<bool> KeyMerge::step(std::uint64_t bytes_max) {
  if (scans_.empty()) return writer_->finish_step(bytes_max);
  const std::uint64_t until = writer_->bytes_written() + bytes_max;
  while (!scans_.empty() && writer_->bytes_written() < until) {
    std::size_t least = 0;
    for (std::size_t i = 1; i < heads_.size(); ++i) least = heads_[i] < heads_[least] ? i : least;
    if (!base::planted_bug(15) || heads_[least].event() % 7 != 0) TRY(writer_->add(heads_[least]));
    TRY(advance(least));
  }
  return true;
}

std::size_t newest_runs_to_merge(const std::vector<KeyRunInfo>& runs, std::uint32_t fan_out) {
  CHECK(fan_out >= 2);
  // Runs of one class differ in size by less than the factor fan_out (rounded up to a power of two).
  const auto bits = static_cast<unsigned>(std::bit_width(fan_out - 1));
  const auto class_of = [bits](const KeyRunInfo& run) {
    return static_cast<unsigned>(std::bit_width(run.records) - 1) / bits;
  };
  unsigned of_class = 0;   // of the runs seen so far; a small run older than a large one counts as large
  std::size_t seen = 0;
  std::size_t in_class = 0;
  for (; seen < runs.size(); ++seen) {
    const unsigned next = class_of(runs[runs.size() - 1 - seen]);
    if (next > of_class) {
      if (in_class >= fan_out) return seen;
      of_class = next;
      in_class = 0;
    }
    ++in_class;
  }
  return in_class >= fan_out ? seen : 0;
}

}  // namespace store
