// holdfast journal: looking at the truth on disk, and making anew what is derived from it.

#include <chrono>
#include <cstdio>
#include <optional>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/entry_text.h"
#include "apps/holdfast/offline.h"
#include "base/text.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "node/configuration.h"
#include "node/audit_log.h"
#include "node/recovery.h"
#include "node/view_projection.h"
#include "store/journal/reader.h"
#include "store/journal/verify.h"
#include "store/views/sqlite_views.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

std::string report_json(const store::JournalReport& report) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("sound", report.sound());
  json.member("segments", report.segments);
  json.member("groups", report.groups);
  json.member("entries", report.entries);
  json.member("events", report.events);
  json.member("private_values", report.private_values);
  json.member("erased_values", report.erased_values);
  json.member("bytes_read", report.bytes_read);
  json.member("roots_checked", report.roots_checked);
  json.member("ends_with_seal", report.ends_with_seal);
  json.member("epoch", std::uint64_t{report.end.epoch});
  json.member("tree_size", report.end.tree_size);
  json.member("tree_root", std::string_view(base::to_hex(report.end.tree_root)));
  json.key("findings");
  json.begin_array();
  for (const store::JournalFinding& finding : report.findings) {
    json.begin_object();
    json.member("code", finding.code);
    json.member("file", std::string_view(finding.file));
    json.member("offset", finding.offset);
    json.member("sentence", std::string_view(finding.sentence));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text;
}

std::string report_text(const store::JournalReport& report) {
  std::string text;
  for (const store::JournalFinding& finding : report.findings) text.append(finding.sentence).append(" [").append(finding.code).append("]\n");
  text.append(report.sound() ? "sound" : "NOT SOUND").append(": ");
  text += std::to_string(report.events) + " events in " + std::to_string(report.groups) + " groups and " + std::to_string(report.segments) +
          " segments; " + (report.roots_checked ? "every leaf of the audit log checked" : "leaves not checked") + "; " +
          (report.ends_with_seal ? "stopped in good order" : "not stopped in good order") + "\ntree root " +
          base::to_hex(report.end.tree_root) + " at size " + std::to_string(report.end.tree_size);
  return text;
}

int run_verify(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  // Without the keys everything but the leaves can be checked: that is what an auditor with a copy has.
  auto data = node::DataDirectory::open(files, *place);
  std::unique_ptr<io::FileLock> lock;
  if (!data.ok()) {
    if (std::string_view(data.error().code) != "master_key_missing") return fail(data.error());
    say("without the master key the leaves of the audit log cannot be checked: " + data.error().message);
    auto locked = node::DataDirectory::lock(files, place->directory);
    if (!locked.ok()) return fail(locked.error());
    lock = std::move(locked).value();
  }
  const auto report = store::verify_journal(files, node::journal_directory(place->directory),
                                            {.partition = 0, .blinding = data.ok() ? &(*data)->blinding() : nullptr});
  if (!report.ok()) return fail(report.error());
  if (arguments.json()) {
    print(report_json(*report));
  } else if (!arguments.has("--quiet") || !report->sound()) {
    print(report_text(*report));
  }
  return report->sound() ? exit_done : exit_failed;
}

base::Result<std::shared_ptr<store::JournalReader>> open_reader(io::FileSystem& files, const std::string& directory) {
  return store::JournalReader::open(files, node::journal_directory(directory), 0);
}

int run_dump(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  const auto from = arguments.number("--from", 1, model::event_number_max);
  if (!from.ok()) return fail(from.error());
  const auto limit = arguments.number("--limit", 1, model::event_number_max);
  if (!limit.ok()) return fail(limit.error());
  const auto lock = node::DataDirectory::lock(files, place->directory);
  if (!lock.ok()) return fail(lock.error());
  const auto reader = open_reader(files, place->directory);
  if (!reader.ok()) return fail(reader.error());
  const model::EventNumber first = from->value_or(1);
  std::uint64_t left = limit->value_or(model::event_number_max);
  if (first >= (*reader)->end().next_event) return exit_done;
  const base::Error enough{"enough", ""};
  const base::Status dumped = (*reader)->for_each_entry(first, {}, [&](const store::EntryView& view) -> base::Status {
    if (left == 0) return enough;
    TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
    for (std::size_t i = 0; i < entry.events.size() && left > 0; ++i, --left) {
      const std::string line = arguments.json() ? event_json(entry, i) : event_text(entry, i);
      std::fwrite(line.data(), 1, line.size(), stdout);
      std::fputc('\n', stdout);
    }
    return base::ok();
  });
  std::fflush(stdout);
  if (!dumped.ok() && std::string_view(dumped.error().code) != enough.code) return fail(dumped.error());
  return exit_done;
}

int run_stat(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  const auto lock = node::DataDirectory::lock(files, place->directory);
  if (!lock.ok()) return fail(lock.error());
  const auto reader = open_reader(files, place->directory);
  if (!reader.ok()) return fail(reader.error());
  const store::JournalEnd end = (*reader)->end();
  std::string text;
  if (arguments.json()) {
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("journal", std::string_view(base::to_hex(end.journal)));
    json.member("partition", std::uint64_t{end.partition});
    json.member("epoch", std::uint64_t{end.epoch});
    json.member("groups", end.group);
    json.member("events", end.next_event - 1);
    json.member("last_group_at", std::string_view(base::to_rfc3339(end.at)));
    json.member("tree_size", end.tree_size);
    json.member("tree_root", std::string_view(base::to_hex(end.tree_root)));
    json.member("sealed", end.sealed);
    json.end_object();
  } else {
    text = "journal     " + base::to_hex(end.journal) + "\nepoch       " + std::to_string(end.epoch) + "\ngroups      " +
           std::to_string(end.group) + "\nevents      " + std::to_string(end.next_event - 1) + "\nlast group  " + base::to_rfc3339(end.at) +
           "\ntree root   " + base::to_hex(end.tree_root) + " at size " + std::to_string(end.tree_size) + "\nsealed      " +
           (end.sealed ? "yes" : "no") + "\n";
  }
  print(text);
  return exit_done;
}

base::Status remove_snapshots(io::FileSystem& files, const std::string& directory) {
  const std::string snapshots = node::snapshot_directory(directory);
  TRY_ASSIGN(const bool there, files.exists(snapshots));
  if (!there) return base::ok();
  TRY_ASSIGN(const std::vector<std::string> names, files.list(snapshots));
  for (const std::string& name : names) TRY(files.remove(io::join_path(snapshots, name)));
  return files.sync_dir(snapshots);
}

// Throws away what is named and makes it anew: recovery feeds the key index, the projection catches the views up.
// Views are made as `every_transfer` says, or as they were.
base::Status rebuild(io::FileSystem& files, const node::DataPlace& place, bool views, bool keys, bool snapshots, bool tiles,
                     std::optional<bool> every_transfer) {
  TRY_ASSIGN(const auto data, node::DataDirectory::open(files, place));
  TRY_ASSIGN(const auto clock, io::RealClock::open());
  if (snapshots) TRY(remove_snapshots(files, data->path()));
  if (tiles) TRY(store::TileStore::erase(files, node::tiles_directory(data->path())));
  if (tiles && !views && !keys) return base::ok();   // the next start hashes the journal
  if (keys) TRY(store::KeyIndex::erase(files, node::key_index_directory(data->path())));
  node::RecoveryOptions options;
  options.directory = data->path();
  node::RecoveryReport report;
  auto told = std::chrono::steady_clock::now();
  const auto progress = [&told](std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told < std::chrono::seconds(1)) return;
    told = now;
    say("replayed event " + std::to_string(done) + " of " + std::to_string(total));
  };
  TRY_ASSIGN(node::Partition partition, node::recover(files, *clock, data->blinding(), options, report, progress));
  if (keys) {
    partition.keys->freeze();
    while (true) {
      TRY_ASSIGN(const bool more, partition.keys->flush_step(partition.state.head().next_event - 1));
      if (!more) break;
    }
  }
  if (views) {
    const std::string path = node::views_file(data->path());
    if (!every_transfer) every_transfer = node::ViewProjection::made_with_every_transfer(path, *partition.reader);
    TRY(store::remove_sqlite_views(path));
    TRY_ASSIGN(const auto projection, node::ViewProjection::open(path, *partition.reader, every_transfer.value_or(false)));
    const core::FrozenState frozen = partition.state.freeze();
    while (true) {
      TRY_ASSIGN(const bool more, projection->catch_up());
      if (!more) break;
    }
    TRY(projection->begin_refresh(frozen, frozen.head.next_event - 1));
    while (true) {
      TRY_ASSIGN(const bool more, projection->refresh_step(20'000));
      if (!more) break;
    }
  }
  return base::ok();
}

int run_rebuild(const Arguments& arguments) {
  io::RealFileSystem files;
  bool views = false, keys = false, snapshots = false, tiles = false;
  for (const std::string& word : arguments.operands()) {
    if (word == "views") views = true;
    else if (word == "keys") keys = true;
    else if (word == "snapshots") snapshots = true;
    else if (word == "tiles") tiles = true;
    else return fail({"options_contradict", "\"" + word + "\" cannot be rebuilt: views, keys, snapshots and tiles can"});
  }
  if (arguments.operands().empty()) views = keys = snapshots = tiles = true;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  std::optional<bool> every_transfer;
  if (const auto file = arguments.value("--config")) {
    const auto configuration = node::load_configuration(files, absolute_path(*file));
    if (!configuration.ok()) return fail(configuration.error());
    every_transfer = configuration->views_every_transfer;
  }
  const base::Status done = rebuild(files, *place, views, keys, snapshots, tiles, every_transfer);
  if (!done.ok()) return fail(done.error());
  std::string what;
  for (const auto& [chosen, name] : {std::pair{views, "views"}, std::pair{keys, "keys"}, std::pair{snapshots, "snapshots"}, std::pair{tiles, "tiles"}}) {
    if (!chosen) continue;
    what.append(what.empty() ? "" : ", ").append(name);
  }
  print(arguments.json() ? "{\"rebuilt\":\"" + what + "\"}" : "rebuilt from the journal: " + what);
  return exit_done;
}

}  // namespace

Command journal_command() {
  return {.name = "journal",
          .summary = "check, read and rebuild from the journal",
          .examples = "  holdfast journal verify --data /var/lib/holdfast\n"
                      "  holdfast journal dump --from 1 --limit 20 --data /var/lib/holdfast\n"
                      "  holdfast journal rebuild views --data /var/lib/holdfast\n",
          .verbs = {{"verify", "", 0, 0, "reads every byte: checksums, chain, hashes, leaves; says where damage is",
                     offline_options({{"--quiet", "", "say nothing if it is sound"}}), run_verify},
                    {"dump", "", 0, 0, "events, one a line",
                     offline_options({{"--from", "N", "first event"}, {"--limit", "N", "how many"}}), run_dump},
                    {"stat", "", 0, 0, "where the journal ends", offline_options(), run_stat},
                    {"rebuild", "[views|keys|snapshots|tiles...]", 0, 4, "throws derived data away and makes it anew; all unless named",
                     offline_options({{"--config", "FILE", "views as its views.every_transfer says; without it, as they were made"}}), run_rebuild}},
          .notes = "Snapshots are taken anew by the running service. Personal values are not part of a dump: they lie beside the\n"
                   "events, where they can be erased.\n"};
}

}  // namespace holdfast
