#include "node/audit_keeping.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "node/engine.h"
#include "node/recovery.h"
#include "store/journal/journal.h"
#include "store/snapshot/snapshot.h"

namespace node {

namespace {

struct FieldName {
  std::string_view name;
  model::PrivateField field;
};
constexpr FieldName field_names[] = {
    {"tenant_name", model::PrivateField::tenant_name},
    {"account_name", model::PrivateField::account_name},
    {"account_metadata", model::PrivateField::account_metadata},
    {"transfer_reference", model::PrivateField::transfer_reference},
    {"transfer_metadata", model::PrivateField::transfer_metadata},
    {"client_name", model::PrivateField::client_name},
    {"world_account_name", model::PrivateField::world_account_name},
    {"transfer_beneficiary", model::PrivateField::transfer_beneficiary},
    {"vote_reason", model::PrivateField::vote_reason},
    {"rail_reference", model::PrivateField::rail_reference},
    {"rail_report", model::PrivateField::rail_report},
    {"webhook_url", model::PrivateField::webhook_url},
    {"import_findings", model::PrivateField::import_findings},
    {"key_responsible", model::PrivateField::key_responsible},
};

// Zeros over the whole file before its name goes: what is removed otherwise stays on the disk until somebody needs the place.
base::Status wipe_and_remove(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const bool there, files.exists(path));
  if (!there) return base::ok();
  {
    TRY_ASSIGN(const auto file, files.open(path, io::OpenMode::read_write));
    TRY_ASSIGN(const std::uint64_t size, file->size());
    TRY(file->zero_fill(0, size));
    TRY(file->sync_data());
  }
  return files.remove(path);
}

// Names are part of snapshots; a snapshot only shortens the next start.
base::Status forget_snapshots(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const bool there, files.exists(directory));
  if (!there) return base::ok();
  TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) TRY(wipe_and_remove(files, io::join_path(directory, name)));
  return files.sync_dir(directory);
}

class StoredEntries final : public EntrySource {
 public:
  explicit StoredEntries(const store::JournalReader& reader) : reader_(reader) {}
  base::Result<model::Entry> read_entry(model::EventNumber event) override {
    TRY_ASSIGN(const store::StoredEntry stored, reader_.read_entry(event));
    return model::decode_entry(stored.bytes, stored.first_event);
  }

 private:
  const store::JournalReader& reader_;
};

base::Result<audit::NoteKey> note_key(const custody::Keyring& keyring, std::uint32_t version, const std::string& origin) {
  custody::Signer* const signer = keyring.log_signer(version);
  if (signer == nullptr) return base::Error{"log_key_missing", "there is no version " + std::to_string(version) + " of the log's key"};
  audit::NoteKey key{.name = origin, .kind = audit::NoteKeyKind::ed25519, .public_key = {}};
  const base::Bytes raw = signer->public_key();
  CHECK(raw.size() == key.public_key.size());
  std::ranges::copy(raw, key.public_key.begin());
  return key;
}

}  // namespace

std::optional<model::PrivateField> private_field_of(std::string_view name) {
  for (const FieldName& known : field_names) {
    if (known.name == name) return known.field;
  }
  return std::nullopt;
}

std::string private_field_names() {
  std::string names;
  for (const FieldName& known : field_names) names.append(names.empty() ? "" : ", ").append(known.name);
  return names;
}

base::Status erase_personal(io::FileSystem& files, io::Clock& clock, const DataDirectory& data, model::EventNumber event,
                            model::PrivateField field) {
  // Derived copies first: if this is broken off, the journal still knows the value and the whole is done again.
  for (const char* end : {"-wal", "-shm", ""}) TRY(wipe_and_remove(files, views_file(data.path()) + end));
  TRY(forget_snapshots(files, snapshot_directory(data.path())));
  TRY_ASSIGN(const auto journal, store::Journal::open(files, {.directory = journal_directory(data.path()), .clock = &clock}));
  return journal->erase_private(event, field);
}

base::Result<audit::Policy> own_policy(io::FileSystem& files, const DataDirectory& data, const std::string& origin) {
  TRY_ASSIGN(const auto reader, store::JournalReader::open(files, journal_directory(data.path()), 0));
  const store::JournalEnd end = reader->end();
  const std::string name = origin.empty() ? "holdfast/" + base::to_hex(end.journal) : origin;
  if (!audit::is_note_key_name(name)) return base::Error{"audit_origin_malformed", "\"" + name + "\" is no origin"};
  audit::Policy policy;
  TRY_ASSIGN(const audit::NoteKey first, note_key(data.keyring(), 1, name));
  policy.logs.push_back({first, "", {}});
  if (end.next_event == 1) return policy;
  TRY(reader->for_each_entry(1, {.body_hash = false}, [&](const store::EntryView& view) -> base::Status {
    TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
    for (std::size_t i = 0; i < entry.events.size(); ++i) {
      const auto* changed = std::get_if<model::LogKeyChanged>(&entry.events[i].body);
      if (changed == nullptr) continue;
      policy.logs.back().retired_at = entry.first_event + i;
      policy.logs.push_back({{.name = name, .kind = audit::NoteKeyKind::ed25519, .public_key = changed->public_key}, "", {}});
    }
    return base::ok();
  }));
  return policy;
}

base::Result<LogKeyChange> roll_log_key(io::FileSystem& files, io::Clock& clock, io::Random& random, const DataPlace& place) {
  TRY_ASSIGN(const auto data, DataDirectory::open(files, place));
  TRY_ASSIGN(const custody::MasterKey master,
             custody::MasterKey::load(files, {.path = usual_master_key_file(place),
                                              .data_directory = place.directory,
                                              .may_be_inside_data_directory = place.mode == store::DataMode::dev}));
  TRY_ASSIGN(custody::Keyring keyring, custody::Keyring::load(files, master, keys_directory(place.directory)));
  RecoveryOptions options;
  options.directory = data->path();
  RecoveryReport report;
  TRY_ASSIGN(Partition partition, recover(files, clock, data->blinding(), options, report));
  // A newer key without its event is one whose change was broken off.
  std::uint32_t version = keyring.newest_version(custody::Purpose::log_signing);
  if (version <= partition.state.head().log_key) {
    TRY_ASSIGN(version, keyring.add_version(custody::Purpose::log_signing, files, random, master));
  }
  TRY_ASSIGN(const audit::NoteKey key, note_key(keyring, version, "log"));
  const base::Instant at = std::max({clock.wall(), partition.state.head().last_instant, partition.journal->end_at_open().at});
  StoredEntries entries(*partition.reader);
  Engine engine(std::move(partition.state), *partition.directory, *partition.tenants, *partition.keys, entries,
                partition.journal->buffers(), {});
  const LogKeyChange done{.version = version, .event = engine.position() + 1};
  CHECK(engine.take_own({.tenant = 1, .idempotency = {}, .body = model::ChangeLogKey{.version = version, .public_key = key.public_key}}, at));
  OutgoingGroup group = engine.seal_group(false);
  TRY_ASSIGN(const auto sealed, partition.journal->append(std::move(*group.draft)));
  TRY(partition.journal->seal(at));
  return done;
}

}  // namespace node
