#include "store/snapshot/snapshot.h"

#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "store/snapshot/snapshot_sink.h"

namespace store {

namespace {

constexpr std::string_view suffix = ".snap";
constexpr std::string_view unfinished = ".snap.new";
constexpr std::size_t digits = 15;   // event numbers have 48 bits

std::string name_of(model::EventNumber event) {
  char name[32];
  std::snprintf(name, sizeof name, "%015llu.snap", static_cast<unsigned long long>(event));
  return name;
}

bool is_snapshot_name(const std::string& name) {
  return name.size() == digits + suffix.size() && name.ends_with(suffix) &&
         std::all_of(name.begin(), name.begin() + digits, [](char c) { return c >= '0' && c <= '9'; });
}

// Newest first.
base::Result<std::vector<std::string>> snapshot_names(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(std::vector<std::string> names, files.list(directory));
  std::erase_if(names, [](const std::string& name) { return !is_snapshot_name(name); });
  std::sort(names.rbegin(), names.rend());
  return names;
}

base::Status remove_unfinished(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) {
    if (name.ends_with(unfinished)) TRY(files.remove(io::join_path(directory, name)));
  }
  return base::ok();
}

// Keeps the newest one and the newest usable ones before it. Files that claim later events than the newest written are of a
// history that is no more.
base::Status remove_old(io::FileSystem& files, const std::string& directory, const std::string& newest,
                        const base::Tag128& identity, std::uint32_t kept) {
  TRY_ASSIGN(const std::vector<std::string> names, snapshot_names(files, directory));
  std::uint32_t keeping = 1;
  for (const std::string& name : names) {
    if (name == newest) continue;
    const std::string path = io::join_path(directory, name);
    bool worth_it = false;
    if (name < newest && keeping < kept) {
      const auto reader = SnapshotReader::open(files, path, identity, false);
      // A disk that will not read is no verdict on the file.
      worth_it = reader.ok() || !std::string_view(reader.error().code).starts_with("snapshot_");
    }
    if (worth_it) {
      ++keeping;
    } else {
      TRY(files.remove(path));
    }
  }
  return base::ok();
}

}  // namespace

struct SnapshotWriter::State {
  io::FileSystem& files;
  std::string directory;
  SnapshotPosition position;
  std::vector<SnapshotSection> sections;
  std::shared_ptr<const void> keep_alive;
  SnapshotOptions options;
  SnapshotSink sink;
  std::size_t section = 0;
  std::size_t chunk = 0;
  bool finished = false;
};

SnapshotWriter::SnapshotWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SnapshotWriter::~SnapshotWriter() = default;

base::Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::begin(io::FileSystem& files, const std::string& directory,
                                                                    SnapshotPosition position,
                                                                    std::vector<SnapshotSection> sections,
                                                                    std::shared_ptr<const void> keep_alive,
                                                                    SnapshotOptions options) {
  CHECK(options.kept >= 1);
  TRY_ASSIGN(const bool exists, files.exists(directory));
  if (!exists) {
    TRY(files.make_dir(directory));
    TRY(files.sync_dir(io::directory_of(directory)));
  }
  TRY(remove_unfinished(files, directory));
  const std::string path = io::join_path(directory, name_of(position.event) + ".new");
  TRY_ASSIGN(auto file, files.open(path, io::OpenMode::create_new));
  SnapshotSink sink(std::move(file), position, options.sync_bytes);
  return std::unique_ptr<SnapshotWriter>(new SnapshotWriter(std::unique_ptr<State>(
      new State{files, directory, std::move(position), std::move(sections), std::move(keep_alive), options,
                std::move(sink)})));
}

base::Result<bool> SnapshotWriter::step(std::uint64_t bytes_max) {
  State& s = *state_;
  CHECK(!s.finished);
  const std::uint64_t until = s.sink.bytes() + bytes_max;
  while (s.section < s.sections.size()) {
    const SnapshotSection& section = s.sections[s.section];
    if (s.chunk == 0) s.sink.begin_section(section.name, section.is_private);
    for (; s.chunk < section.chunks.size(); ++s.chunk) {
      if (s.sink.bytes() >= until && s.chunk > 0) return true;
      TRY(s.sink.chunk(section.chunks[s.chunk]));
    }
    s.sink.end_section();
    ++s.section;
    s.chunk = 0;
    if (s.sink.bytes() >= until) return true;
  }
  TRY(s.sink.finish());
  const std::string name = name_of(s.position.event);
  const std::string path = io::join_path(s.directory, name);
  TRY(s.files.rename(path + ".new", path));
  TRY(s.files.sync_dir(s.directory));
  s.finished = true;
  s.keep_alive.reset();
  TRY(remove_old(s.files, s.directory, name, s.position.identity, s.options.kept));
  return false;
}

const base::Digest& SnapshotWriter::state_digest() const {
  CHECK(state_->finished);
  return state_->sink.state_digest();
}

base::Result<base::Digest> write_snapshot(io::FileSystem& files, const std::string& directory,
                                          const SnapshotPosition& position, std::vector<SnapshotSection> sections,
                                          SnapshotOptions options) {
  TRY_ASSIGN(auto writer, SnapshotWriter::begin(files, directory, position, std::move(sections), nullptr, options));
  for (;;) {
    TRY_ASSIGN(const bool more, writer->step(std::uint64_t{64} << 20));
    if (!more) return writer->state_digest();
  }
}

base::Digest digest_of_state(const SnapshotPosition& position, const std::vector<SnapshotSection>& sections) {
  StateDigest digest(position);
  for (const SnapshotSection& section : sections) {
    if (section.is_private) continue;
    digest.begin_section(section.name, false);
    for (const base::ByteView chunk : section.chunks) digest.chunk(chunk);
    digest.end_section();
  }
  return digest.public_digest();
}

base::Result<SnapshotChoice> choose_snapshot(io::FileSystem& files, const std::string& directory,
                                             const base::Tag128& identity, model::EventNumber event_max) {
  SnapshotChoice choice;
  TRY_ASSIGN(const bool exists, files.exists(directory));
  if (!exists) return choice;
  TRY_ASSIGN(const std::vector<std::string> names, snapshot_names(files, directory));
  for (const std::string& name : names) {
    auto reader = SnapshotReader::open(files, io::join_path(directory, name), identity, true);
    if (!reader.ok()) {
      choice.passed_over.push_back(reader.error());
    } else if ((*reader)->position().event > event_max) {
      choice.passed_over.push_back({"snapshot_ahead_of_journal", (*reader)->path() + " contains event " +
                                                                     std::to_string((*reader)->position().event) +
                                                                     ", the journal ends at event " +
                                                                     std::to_string(event_max)});
    } else {
      choice.reader = std::move(reader).value();
      break;
    }
  }
  return choice;
}

namespace {

using Edit = std::function<base::Result<base::Bytes>(std::string_view, base::ByteView)>;

// Writes `reader`'s content with edited private sections beside it; the caller renames.
base::Status write_edited(io::FileSystem& files, SnapshotReader& reader, const std::string& path, const Edit& edit) {
  TRY_ASSIGN(auto file, files.open(path, io::OpenMode::create_new));
  SnapshotSink sink(std::move(file), reader.position(), SnapshotOptions{}.sync_bytes);
  for (const SnapshotReader::Section& section : reader.sections()) {
    sink.begin_section(section.name, section.is_private);
    TRY(reader.read(section.name, [&](base::ByteView chunk) -> base::Status {
      if (!section.is_private) return sink.chunk(chunk);
      TRY_ASSIGN(const base::Bytes edited, edit(section.name, chunk));
      return sink.chunk(edited);
    }));
    sink.end_section();
  }
  TRY(sink.finish());
  CHECK(sink.state_digest() == reader.state_digest());
  return base::ok();
}

base::Status overwrite_private(io::File& file, const SnapshotReader& reader) {
  std::uint64_t offset = encode_snapshot_header(reader.position()).size();
  for (const SnapshotReader::Section& section : reader.sections()) {
    const std::uint64_t bytes = section.bytes + std::uint64_t{section.chunks} * snapshot_chunk_head;
    if (section.is_private) TRY(file.zero_fill(offset, bytes));
    offset += bytes;
  }
  return file.sync_data();
}

}  // namespace

base::Status rewrite_private_sections(io::FileSystem& files, const std::string& directory, const base::Tag128& identity,
                                      const Edit& edit) {
  TRY_ASSIGN(const bool exists, files.exists(directory));
  if (!exists) return base::ok();
  TRY(remove_unfinished(files, directory));
  TRY_ASSIGN(const std::vector<std::string> names, snapshot_names(files, directory));
  for (const std::string& name : names) {
    const std::string path = io::join_path(directory, name);
    auto reader = SnapshotReader::open(files, path, identity, true);
    if (!reader.ok()) {
      const std::string_view code = reader.error().code;
      if (code == "snapshot_of_another_log") continue;
      if (code != "snapshot_damaged") return reader.error();
      TRY(files.remove(path));
      TRY(files.sync_dir(directory));
      continue;
    }
    TRY_ASSIGN(auto former, files.open(path, io::OpenMode::read_write));
    TRY(write_edited(files, **reader, path + ".new", edit));
    TRY(files.rename(path + ".new", path));
    TRY(files.sync_dir(directory));
    TRY(overwrite_private(*former, **reader));
  }
  return base::ok();
}

}  // namespace store
