#include "node/deep_verify.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "base/text.h"
#include "core/invariant/invariant.h"
#include "core/ledger/state.h"
#include "model/entry.h"
#include "node/anchors.h"
#include "node/audit_log.h"
#include "store/deliveries/delivery_store.h"
#include "store/journal/reader.h"
#include "store/keys/key_index.h"
#include "store/snapshot/snapshot.h"
#include "store/tiles/tile_store.h"
#include "store/views/sqlite_views.h"
#include "wire/json_writer.h"

namespace node {

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t since(Clock::time_point start) { return static_cast<std::uint64_t>((Clock::now() - start).count()); }

// The public part of a snapshot of this state would have this digest.
base::Digest digest_of(const core::FrozenState& state, const store::SnapshotPosition& position) {
  std::vector<store::SnapshotSection> sections;
  base::Bytes head;
  for (const core::StateSection section : core::all_state_sections) {
    store::SnapshotSection part{.name = std::string(core::name_of(section)), .chunks = {}};
    state.for_each_piece(section, [&](base::ByteView piece) {
      if (section == core::StateSection::head) {
        head = base::to_bytes(piece);
        piece = head;
      }
      part.chunks.push_back(piece);
    });
    if (part.chunks.empty() && core::is_left_out_when_empty(section)) continue;
    sections.push_back(std::move(part));
  }
  return store::digest_of_state(position, sections);
}

class Verification {
 public:
  Verification(io::FileSystem& files, const DataDirectory& data) : files_(files), data_(data) {}

  base::Result<DeepReport> run(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    const auto start = Clock::now();
    std::optional<base::Result<store::JournalReport>> journal;
    std::thread bytes([&] {
      journal = store::verify_journal(files_, journal_directory(data_.path()), {.partition = 0, .blinding = &data_.blinding()});
    });
    const base::Status replayed = replay(progress);
    bytes.join();
    if (!journal->ok()) return journal->error();
    report_.journal = std::move(**journal);
    if (!replayed.ok()) found(replayed.error());
    report_.core_ns = since(start);
    check_tiles();
    check_anchors();
    check_deliveries();
    if (replayed.ok()) {
      check_keys();
      check_laws();
      const auto views_start = Clock::now();
      const base::Status compared = compare_views();
      if (!compared.ok()) found(compared.error());
      report_.views_ns = since(views_start);
    }
    return std::move(report_);
  }

 private:
  void found(const base::Error& error) { report_.findings.push_back({error.code, error.message}); }

  // Snapshots by the event they stand at; a damaged one is a finding, named by its reader.
  base::Status open_snapshots(const base::Tag128& identity) {
    const std::string directory = snapshot_directory(data_.path());
    TRY_ASSIGN(const bool there, files_.exists(directory));
    if (!there) return base::ok();
    TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory));
    for (const std::string& name : names) {
      if (!name.ends_with(".snap")) continue;
      auto reader = store::SnapshotReader::open(files_, io::join_path(directory, name), identity, true);
      if (reader.ok()) snapshots_.push_back(std::move(*reader));
      else found(reader.error());
    }
    return base::ok();
  }

  base::Status replay(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    TRY_ASSIGN(const auto reader, store::JournalReader::open(files_, journal_directory(data_.path()), 0));
    const store::JournalEnd end = reader->end();
    journal_id_ = end.journal;
    TRY(open_snapshots(end.journal));
    if (end.next_event == 1) return base::ok();
    return reader->for_each_group(1, {.body_hash = false}, [&](const store::GroupView& group) -> base::Status {
      TRY(group.for_each_entry([&](const store::EntryView& view) -> base::Status {
        TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
        if (entry.first_event != state_.head().next_event) {
          return base::Error{"journal_contradicts_state", group.file + ", offset " + std::to_string(group.offset) + ": event " +
                                                              std::to_string(entry.first_event) + " is not the next one"};
        }
        for (const model::Event& event : entry.events) state_.apply(event);
        report_.events_applied += entry.events.size();
        return base::ok();
      }));
      compare_snapshots(group.header.next_event() - 1);
      if (progress) progress(group.header.next_event() - 1, end.next_event - 1);
      return base::ok();
    });
  }

  void compare_snapshots(model::EventNumber event) {
    for (const auto& snapshot : snapshots_) {
      if (snapshot->position().event != event) continue;
      ++report_.snapshots_compared;
      if (digest_of(state_.freeze(), snapshot->position()) != snapshot->state_digest()) {
        found({"snapshot_contradicts_journal", snapshot->path() + ": replaying the journal gives another state at event " + std::to_string(event)});
      }
    }
  }

  void check_keys() {
    const std::string directory = key_index_directory(data_.path());
    const auto there = files_.exists(directory);
    if (!there.ok() || !*there) return;
    const base::Status checked =
        store::KeyIndex::verify(files_, directory, {.identity = journal_id_, .journal_end = state_.head().next_event - 1});
    if (!checked.ok()) found(checked.error());
  }

  void check_laws() {
    const auto laws = core::all_laws();
    if (const auto broken = core::first_violation(laws, state_)) {
      found({"law_broken", std::string(broken->law) + ": " + broken->sentence});
    }
  }

  void check_tiles() {
    const auto checked = store::TileStore::check_files(files_, tiles_directory(data_.path()), journal_id_);
    if (checked.ok()) report_.tiles_checked = *checked;
    else found(checked.error());
  }

  // Anchors, byte for byte; whether they are believed is a verifier's business.
  void check_anchors() {
    const auto stored = stored_anchors(files_, data_.path());
    if (!stored.ok()) return found(stored.error());
    for (const StoredAnchor& anchor : *stored) {
      const auto token = read_anchor(files_, data_.path(), anchor);
      if (!token.ok()) found(token.error());
    }
  }

  void check_deliveries() {
    const std::string path = deliveries_file(data_.path());
    const auto there = files_.exists(path);
    if (!there.ok() || !*there) return;
    const base::Status checked = store::DeliveryStore::verify(path, report_.journal.end.journal);
    if (!checked.ok()) found(checked.error());
  }

  // Accounts and open holds as the state has them; balances only where the views claim to be as new.
  base::Status compare_views() {
    const std::string path = views_file(data_.path());
    TRY_ASSIGN(const bool there, files_.exists(path));
    if (!there) return base::ok();
    TRY_ASSIGN(const auto views, store::open_sqlite_views(path, {.identity = journal_id_, .every_transfer = false}));
    TRY(views->verify());
    TRY_ASSIGN(const auto queries, views->queries());
    TRY_ASSIGN(const store::ViewPositions positions, queries->positions());
    const core::FrozenState state = state_.freeze();
    const auto differs = [&](const std::string& what) { return base::Error{"view_contradicts_journal", path + ": " + what}; };
    for (std::size_t i = 0; i < state.accounts.size(); ++i) {
      const core::AccountRecord& account = state.accounts[i];
      const auto number = static_cast<model::AccountNumber>(i + 1);
      TRY_ASSIGN(const auto row, queries->account(number));
      if (!row && account.opened > positions.rows) continue;
      if (!row || row->tenant != state_.tenant_of(account) || row->asset != account.asset || row->opened_event != account.opened) {
        return differs("account " + std::to_string(number) + " is another one");
      }
      if (positions.balances >= state.head.next_event - 1 && row->counters != account.counters) {
        return differs("account " + std::to_string(number) + " has other balances");
      }
      ++report_.view_rows_compared;
    }
    for (std::size_t i = 0; i < state.holds.size(); ++i) {
      const core::HoldRecord& hold = state.holds[i];
      if (hold.placed == 0 || hold.placed > positions.rows) continue;
      TRY_ASSIGN(const auto row, queries->transfer(hold.placed));
      if (!row || row->amount != hold.amount || row->debit != hold.debit || row->credit != hold.credit) {
        return differs("the hold of event " + std::to_string(hold.placed) + " is another one");
      }
      ++report_.view_rows_compared;
    }
    return base::ok();
  }

  io::FileSystem& files_;
  const DataDirectory& data_;
  DeepReport report_;
  base::Tag128 journal_id_{};
  core::State state_;
  std::vector<std::unique_ptr<store::SnapshotReader>> snapshots_;
};

std::string per_second(std::uint64_t count, std::uint64_t ns) {
  return ns == 0 ? "0" : std::to_string(count * 1'000 / std::max<std::uint64_t>(1, ns / 1'000'000));
}

}  // namespace

base::Result<DeepReport> verify_deeply(io::FileSystem& files, const DataDirectory& data,
                                       const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return Verification(files, data).run(progress);
}

std::string deep_report_text(const DeepReport& report) {
  std::string text;
  for (const store::JournalFinding& finding : report.journal.findings) text += finding.sentence + " [" + finding.code + "]\n";
  for (const DeepFinding& finding : report.findings) text += finding.sentence + " [" + finding.code + "]\n";
  text += report.sound() ? "sound: " : "NOT SOUND: ";
  text += std::to_string(report.journal.events) + " events, every byte read, every leaf hashed, " + std::to_string(report.events_applied) +
          " applied, " + std::to_string(report.snapshots_compared) + " snapshots compared: " + std::to_string(report.core_ns / 1'000'000) + " ms, " +
          per_second(report.journal.events, report.core_ns) + " events/s\n" + std::to_string(report.tiles_checked) + " tiles checked; " +
          std::to_string(report.view_rows_compared) + " rows of the views compared: " + std::to_string(report.views_ns / 1'000'000) + " ms\ntree root " +
          base::to_hex(report.journal.end.tree_root) + " at size " + std::to_string(report.journal.end.tree_size);
  return text;
}

std::string deep_report_json(const DeepReport& report) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("sound", report.sound());
  json.member("events", report.journal.events);
  json.member("events_applied", report.events_applied);
  json.member("personal_values_erased", report.journal.erased_values);
  json.member("snapshots_compared", report.snapshots_compared);
  json.member("tiles_checked", report.tiles_checked);
  json.member("view_rows_compared", report.view_rows_compared);
  json.member("core_ms", report.core_ns / 1'000'000);
  json.member("views_ms", report.views_ns / 1'000'000);
  json.member("tree_size", report.journal.end.tree_size);
  json.member("tree_root", std::string_view(base::to_hex(report.journal.end.tree_root)));
  json.key("findings");
  json.begin_array();
  const auto add = [&json](std::string_view code, std::string_view sentence) {
    json.begin_object();
    json.member("code", code);
    json.member("sentence", sentence);
    json.end_object();
  };
  for (const store::JournalFinding& finding : report.journal.findings) add(finding.code, finding.sentence);
  for (const DeepFinding& finding : report.findings) add(finding.code, finding.sentence);
  json.end_array();
  json.end_object();
  return text;
}

}  // namespace node
