// holdfast backup, holdfast restore

#include "apps/holdfast/commands.h"
#include "apps/holdfast/offline.h"
#include "base/text.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "node/backup.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

int run_backup(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto from = arguments.value("--data");
  const auto to = arguments.value("--to");
  if (!from || !to) return fail({"options_contradict", "backup needs --data DIR and --to DIR"});
  const auto report = node::back_up(files, absolute_path(*from), absolute_path(*to));
  if (!report.ok()) return fail(report.error());
  const store::JournalReport& journal = report->journal;
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("backup", std::string_view(absolute_path(*to)));
    json.member("events", journal.events);
    json.member("tree_size", journal.end.tree_size);
    json.member("tree_root", std::string_view(base::to_hex(journal.end.tree_root)));
    json.end_object();
    print(text);
  } else {
    print("copied and read again: " + std::to_string(journal.events) + " events, tree root " + base::to_hex(journal.end.tree_root) +
          "\nThe master key is not in the copy: keep it elsewhere, without it the copy opens for nobody.");
  }
  return exit_done;
}

int run_restore(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto from = arguments.value("--from");
  const auto to = arguments.value("--data");
  if (!from || !to) return fail({"options_contradict", "restore needs --from DIR and --data DIR"});
  const auto clock = io::RealClock::open();
  if (!clock.ok()) return fail(clock.error());
  node::DataPlace place{.directory = absolute_path(*to), .mode = store::DataMode::standard, .master_key_file = {}};
  const auto mode = node::DataDirectory::mode_of(files, absolute_path(*from));
  if (!mode.ok()) return fail(mode.error());
  place.mode = *mode;
  if (const auto file = arguments.value("--master-key")) place.master_key_file = absolute_path(*file);
  const auto report = node::restore(files, **clock, absolute_path(*from), place);
  if (!report.ok()) return fail(report.error());
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("data", std::string_view(place.directory));
    json.member("epoch", std::uint64_t{report->epoch});
    json.member("event", report->event);
    json.end_object();
    print(text);
  } else {
    print("restored to " + place.directory + ", epoch " + std::to_string(report->epoch) + " begins with event " + std::to_string(report->event));
  }
  return exit_done;
}

}  // namespace

Command backup_command() {
  return {.name = "backup",
          .summary = "copy a data directory, also while a service works on it",
          .examples = "  holdfast backup --data /var/lib/holdfast --to /backup/holdfast-2026-01-31\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "copies journal and sealed keys, then reads the copy again in full",
                     .options = {{"--data", "DIR", "what to copy"}, {"--to", "DIR", "where to; must not exist"}},
                     .run = run_backup}},
          .notes = "The master key is never part of a backup (except the toy key of --dev).\n"};
}

Command restore_command() {
  return {.name = "restore",
          .summary = "make a data directory from a backup",
          .examples = "  holdfast restore --from /backup/holdfast-2026-01-31 --data /var/lib/holdfast --master-key /etc/holdfast/master-key\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "copies, replays everything, and begins a new epoch that fences older copies off",
                     .options = {{"--from", "DIR", "the backup"},
                                 {"--data", "DIR", "where to; must not exist"},
                                 {"--master-key", "FILE", "the key of the original; default DIR.master-key"}},
                     .run = run_restore}}};
}

}  // namespace holdfast
