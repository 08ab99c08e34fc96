#include "node/recovery.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted_bug.h"
#include "model/admitted.h"
#include "node/key_feed.h"

namespace node {

namespace {

constexpr std::string_view names_section = "names";

// Layout of the private section "names": u32 number of tenants, each u16 size and bytes; then for every account in order of
// number: u32 tenant, u8 size, bytes.
void append_names(base::Bytes& out, const Directory& directory, std::uint32_t accounts, const std::vector<std::string>& tenants) {
  const auto put = [&out](auto value) {
    const std::size_t at = out.size();
    out.resize(at + sizeof value);
    base::store_le(out.data() + at, value);
  };
  put(static_cast<std::uint32_t>(tenants.size()));
  for (const std::string& name : tenants) {
    put(static_cast<std::uint16_t>(name.size()));
    base::append(out, base::as_bytes(name));
  }
  for (model::AccountNumber number = 1; number <= accounts; ++number) {
    const std::string_view name = directory.name_of(number);
    put(directory.tenant_of(number));
    put(static_cast<std::uint8_t>(name.size()));
    base::append(out, base::as_bytes(name));
  }
}

base::Status load_names(base::ByteView bytes, Directory& directory, Tenants& tenants) {
  const base::Error malformed{"snapshot_state_malformed", "the section of names does not decode"};
  std::size_t at = 0;
  const auto have = [&](std::size_t size) { return bytes.size() - at >= size; };
  if (!have(4)) return malformed;
  std::uint32_t count = base::load_le<std::uint32_t>(bytes.data());
  at = 4;
  for (; count > 0; --count) {
    if (!have(2)) return malformed;
    const std::size_t size = base::load_le<std::uint16_t>(bytes.data() + at);
    at += 2;
    if (!have(size)) return malformed;
    tenants.open(base::as_text(bytes.subspan(at, size)));
    at += size;
  }
  while (at < bytes.size()) {
    if (!have(5)) return malformed;
    const auto tenant = base::load_le<std::uint32_t>(bytes.data() + at);
    const std::size_t size = bytes[at + 4];
    at += 5;
    if (!have(size) || size > model::account_name_size_max) return malformed;
    const std::string_view name = base::as_text(bytes.subspan(at, size));
    directory.open(tenant, name, model::account_name_hash(tenant, name));
    at += size;
  }
  return base::ok();
}

struct Loaded {
  core::State state;
  audit::Frontier frontier;
  std::unique_ptr<Directory> directory;
  std::unique_ptr<Tenants> tenants;
};

base::Result<Loaded> load(store::SnapshotReader& snapshot) {
  core::StateLoader loader;
  for (const core::StateSection section : core::all_state_sections) {
    const bool there = std::ranges::any_of(snapshot.sections(), [&](const auto& one) { return one.name == core::name_of(section); });
    if (!there && core::is_left_out_when_empty(section)) continue;
    TRY(snapshot.read(core::name_of(section), [&](base::ByteView chunk) {
      loader.take(section, chunk);
      return base::ok();
    }));
  }
  Loaded loaded{.state = {}, .frontier = {}, .directory = std::make_unique<Directory>(), .tenants = std::make_unique<Tenants>()};
  TRY_ASSIGN(loaded.state, loader.finish());
  TRY_ASSIGN(loaded.frontier, audit::Frontier::restore(snapshot.position().merkle_frontier));
  base::Bytes names;
  TRY(snapshot.read(names_section, [&](base::ByteView chunk) {
    base::append(names, chunk);
    return base::ok();
  }));
  TRY(load_names(names, *loaded.directory, *loaded.tenants));
  if (loaded.directory->size() != loaded.state.account_count() || loaded.tenants->size() != loaded.state.tenant_count() ||
      loaded.state.head().next_event != snapshot.position().event + 1) {
    return base::Error{"snapshot_state_malformed", "names, state and position of a snapshot do not agree"};
  }
  return loaded;
}

// What a personal value of the journal means for directory and tenants. Erased ids keep their place under a name that no
// request can carry.
base::Status open_name(const store::StoredPrivate& value, const core::State& state, Partition& partition) {
  using model::PrivateField;
  if (value.field == PrivateField::tenant_name) {
    partition.tenants->open(base::as_text(value.value));
  } else if (value.field == PrivateField::account_name || value.field == PrivateField::world_account_name) {
    const model::AccountNumber number = partition.directory->size() + 1;
    const core::AccountRecord* account = state.account(number);
    if (account == nullptr || account->opened != value.event) {
      return base::Error{"journal_contradicts_state", "an account id belongs to no account opened by event " + std::to_string(value.event)};
    }
    const std::string erased = "~erased/" + std::to_string(number);
    const std::string_view name = value.erased ? std::string_view(erased) : base::as_text(value.value);
    const model::TenantNumber tenant = state.tenant_of(*account);
    partition.directory->open(tenant, name, model::account_name_hash(tenant, name));
  }
  return base::ok();
}

base::Result<std::unique_ptr<store::KeyIndex>> open_keys(io::FileSystem& files, const RecoveryOptions& options,
                                                         const store::JournalEnd& end, RecoveryReport& report) {
  const std::string directory = options.directory + "/keys-index";
  const store::KeyIndexOptions key_options{
      .identity = end.journal, .journal_end = end.next_event - 1, .generation_keys = options.key_generation};
  auto opened = store::KeyIndex::open(files, directory, key_options);
  if (opened.ok()) return opened;
  // Derived data: whatever is wrong with it, the journal has it all.
  const std::string_view code = opened.error().code;
  if (!code.starts_with("key_")) return opened.error();
  report.keys_rebuilt = true;
  TRY(store::KeyIndex::erase(files, directory));
  return store::KeyIndex::open(files, directory, key_options);
}

}  // namespace

std::vector<store::SnapshotSection> snapshot_sections(const core::FrozenState& state, const Directory& directory,
                                                      const std::vector<std::string>& tenant_names, base::Bytes& head,
                                                      base::Bytes& names) {
  std::vector<store::SnapshotSection> result;
  for (const core::StateSection section : core::all_state_sections) {
    store::SnapshotSection part{.name = std::string(core::name_of(section)), .chunks = {}};
    state.for_each_piece(section, [&](base::ByteView piece) {
      if (section == core::StateSection::head) {
        head = base::to_bytes(piece);   // encoded on the fly: needs a home of its own
        piece = head;
      }
      part.chunks.push_back(piece);
    });
    if (part.chunks.empty() && core::is_left_out_when_empty(section)) continue;
    result.push_back(std::move(part));
  }
  append_names(names, directory, static_cast<std::uint32_t>(state.accounts.size()),
               {tenant_names.begin(), tenant_names.begin() + static_cast<std::ptrdiff_t>(state.tenants.size())});
  store::SnapshotSection part{.name = std::string(names_section), .is_private = true, .chunks = {}};
  constexpr std::size_t piece_bytes = 1u << 20;
  for (std::size_t at = 0; at < names.size(); at += piece_bytes) {
    part.chunks.push_back(base::ByteView(names).subspan(at, std::min(piece_bytes, names.size() - at)));
  }
  result.push_back(std::move(part));
  return result;
}

store::SnapshotPosition snapshot_position(const store::SealedGroup& group) {
  const store::GroupHeader& header = group.header();
  store::SnapshotPosition position{.identity = header.journal,
                                   .partition = header.partition,
                                   .epoch = header.epoch,
                                   .event = header.next_event() - 1,
                                   .group = header.group,
                                   .at = header.at,
                                   .merkle_frontier = {}};
  group.frontier().serialize(position.merkle_frontier);
  return position;
}

static base::Result<Partition> recover_once(io::FileSystem& files, io::Clock& clock, const audit::Blinding& blinding,
                                            const RecoveryOptions& options, RecoveryReport& report,
                                            const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  Partition partition;
  TRY_ASSIGN(partition.journal, store::Journal::open(files, {.directory = options.directory + "/journal",
                                                             .segment_bytes = options.segment_bytes,
                                                             .clock = &clock,
                                                             .id_if_new = options.id_if_new}));
  report.repairs = partition.journal->repairs();
  partition.reader = partition.journal->reader();
  const store::JournalEnd& end = partition.journal->end_at_open();
  const model::EventNumber last_event = end.next_event - 1;

  partition.directory = std::make_unique<Directory>();
  partition.tenants = std::make_unique<Tenants>();
  if (options.use_snapshots) {
    TRY_ASSIGN(store::SnapshotChoice choice,
               store::choose_snapshot(files, options.directory + "/snapshots", end.journal, last_event));
    report.snapshots_passed_over = std::move(choice.passed_over);
    if (choice.reader != nullptr) {
      auto loaded = load(*choice.reader);
      if (loaded.ok()) {
        partition.state = std::move(loaded->state);
        partition.frontier = loaded->frontier;
        partition.directory = std::move(loaded->directory);
        partition.tenants = std::move(loaded->tenants);
        report.snapshot_event = choice.reader->position().event;
      } else {
        report.snapshots_passed_over.push_back(loaded.error());
      }
    }
  }
  TRY_ASSIGN(partition.keys, open_keys(files, options, end, report));

  // Keys may lag behind the snapshot: those events are read for their keys only.
  const model::EventNumber covered = partition.keys->covered();
  const auto feed = [&](const model::Entry& entry) {
    for (std::size_t i = 0; i < entry.events.size(); ++i) {
      const model::EventNumber number = entry.first_event + i;
      if (number > covered) feed_keys(*partition.keys, entry.command, i, entry.events[i], number);
    }
    const model::EventNumber last = entry.first_event + entry.events.size() - 1;
    if (last > covered) {
      partition.keys->complete_through(last);
      ++report.keys_replayed;
    }
  };
  // A long replay fills generations faster than they may pile up in memory; what is read from the journal is durable.
  const auto drain_keys = [&]() -> base::Status {
    while (partition.keys->stats().frozen_generations > 1) {
      const auto more = partition.keys->flush_step(last_event);
      // Without space the keys stay in memory: a full disk must not keep the service from answering reads.
      if (!more.ok()) return std::string_view(more.error().code) == "disk_full" ? base::ok() : base::Status(more.error());
      if (!*more) break;   // written; it leaves the count when this thread next touches the index
    }
    return base::ok();
  };
  if (covered < report.snapshot_event && !base::planted_bug(16)) {
    TRY(partition.reader->for_each_group(covered + 1, {}, [&](const store::GroupView& group) -> base::Status {
      if (group.header.first_event > report.snapshot_event) return base::ok();
      TRY(group.for_each_entry([&](const store::EntryView& view) -> base::Status {
        if (view.first_event > report.snapshot_event) return base::ok();
        TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
        feed(entry);
        return base::ok();
      }));
      return drain_keys();
    }));
  }

  if (report.snapshot_event < last_event) {
    TRY(partition.reader->for_each_group(
        report.snapshot_event + 1, {.body_hash = true, .blinding = &blinding, .frontier = &partition.frontier},
        [&](const store::GroupView& group) -> base::Status {
          TRY(group.for_each_entry([&](const store::EntryView& view) -> base::Status {
            TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
            if (entry.first_event != partition.state.head().next_event) {
              return base::Error{"journal_contradicts_state", "event " + std::to_string(entry.first_event) + " is not the next one"};
            }
            for (const model::Event& event : entry.events) partition.state.apply(event);
            report.events_replayed += entry.events.size();
            feed(entry);
            return base::ok();
          }));
          TRY(group.for_each_private(
              [&](const store::StoredPrivate& value) { return open_name(value, partition.state, partition); }));
          if (progress) progress(group.header.next_event(), end.next_event);
          return drain_keys();
        }));
  }
  if (partition.directory->size() != partition.state.account_count()) {
    return base::Error{"journal_contradicts_state", "accounts and account ids differ in number"};
  }
  TRY(partition.journal->start(blinding, partition.frontier));
  return partition;
}

std::optional<store::ClockAnchor> Partition::last_anchor() const {
  const store::JournalEnd& end = journal->end_at_open();
  const base::Instant last = std::max({state.head().last_instant, end.at, end.clock.instant});
  if (last.ns == 0) return std::nullopt;
  // A group of a restored copy says nothing of any clock: only that time was there already.
  if (last != end.clock.instant) return store::ClockAnchor{.instant = last, .confirmed_lag = end.clock.confirmed_lag};
  return end.clock;
}

base::Result<Partition> recover(io::FileSystem& files, io::Clock& clock, const audit::Blinding& blinding,
                                const RecoveryOptions& options, RecoveryReport& report,
                                const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  auto partition = recover_once(files, clock, blinding, options, report, progress);
  if (partition.ok() || !std::string_view(partition.error().code).starts_with("key_")) return partition;
  // A damaged page deep in a run shows only when the replay makes the index merge. Derived data: made anew.
  const store::JournalRepairs repairs = report.repairs;
  report = {};
  TRY(store::KeyIndex::erase(files, options.directory + "/keys-index"));
  partition = recover_once(files, clock, blinding, options, report, progress);
  report.keys_rebuilt = true;
  if (repairs.torn_group_dropped || repairs.last_group_rewritten) report.repairs = repairs;
  return partition;
}

}  // namespace node
