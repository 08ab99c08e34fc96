#include "node/audit_log.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "custody/soft/keyring.h"
#include "store/journal/leaves.h"

namespace node {

namespace {

constexpr std::size_t waiting_max = 4'000'000;   // 128 MiB of hashes
constexpr std::uint64_t note_file_bytes_max = audit::note_bytes_max;

std::string file_of_published(const std::string& directory) { return io::join_path(audit_directory(directory), "checkpoint"); }

}  // namespace

std::string audit_directory(const std::string& directory) { return io::join_path(directory, "audit"); }
std::string tiles_directory(const std::string& directory) { return io::join_path(directory, "tiles"); }

base::Result<std::unique_ptr<AuditLog>> AuditLog::open(io::FileSystem& files, const store::JournalReader& reader,
                                                       const audit::Blinding& blinding, const custody::Keyring& keyring,
                                                       AuditLogOptions options,
                                                       const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::unique_ptr<AuditLog> log(new AuditLog(files, reader, blinding, std::move(options)));
  AuditLogOptions& own = log->options_;
  const store::JournalEnd end = reader.end();
  if (own.origin.empty()) own.origin = "holdfast/" + base::to_hex(end.journal);
  if (!audit::is_note_key_name(own.origin)) {
    return base::Error{"audit_origin_malformed", "\"" + own.origin + "\" is no origin: no blanks, no plus sign, not empty"};
  }
  TRY(log->use_key(keyring));
  TRY_ASSIGN(const bool there, files.exists(audit_directory(own.directory)));
  if (!there) {
    TRY(files.make_dir(audit_directory(own.directory), 0700));
    TRY(files.sync_dir(own.directory));
  }
  TRY_ASSIGN(auto inside, log->load_published(file_of_published(own.directory)));
  TRY_ASSIGN(const auto beside, log->load_published(own.published_file));
  const std::uint64_t trusted = inside ? std::min(inside->checkpoint.size, end.tree_size) : 0;
  TRY_ASSIGN(log->tiles_, store::TileStore::open(files, tiles_directory(own.directory), end.journal, trusted));
  const base::Status hashed = log->hash_journal(progress);
  if (!hashed.ok()) {
    if (std::string_view(hashed.error().code) != "tiles_contradict_journal") return hashed.error();
    // Derived: made anew once; if they still differ, the journal is damaged and says so itself.
    TRY(store::TileStore::erase(files, tiles_directory(own.directory)));
    TRY_ASSIGN(log->tiles_, store::TileStore::open(files, tiles_directory(own.directory), end.journal, 0));
    TRY(log->hash_journal(progress));
  }
  if (inside) TRY(log->check_against(*inside, file_of_published(own.directory)));
  if (beside) TRY(log->check_against(*beside, own.published_file));
  log->waiting_from_ = log->tiles_->size();
  log->durable_size_ = end.tree_size;
  log->durable_root_ = end.tree_root;
  if (inside) {
    if (!beside) TRY(log->remember_beside(inside->note));
    log->published_ = std::make_shared<Published>(std::move(*inside));
  }
  TRY(log->publish());
  return log;
}

AuditLog::~AuditLog() { stop(); }

base::Status AuditLog::use_key(const custody::Keyring& keyring) {
  const std::uint32_t newest = keyring.newest_version(custody::Purpose::log_signing);
  if (newest < options_.key_version) {
    return base::Error{"log_key_missing", "the journal names version " + std::to_string(options_.key_version) +
                                              " of the log's key, and there is only version " + std::to_string(newest)};
  }
  for (std::uint32_t version = 1; version <= options_.key_version; ++version) {
    custody::Signer* const signer = keyring.log_signer(version);
    CHECK(signer != nullptr && signer->algorithm() == custody::SigningAlgorithm::ed25519);
    audit::NoteKey key{.name = options_.origin, .kind = audit::NoteKeyKind::ed25519, .public_key = {}};
    const base::Bytes raw = signer->public_key();
    CHECK(raw.size() == key.public_key.size());
    std::ranges::copy(raw, key.public_key.begin());
    own_keys_.push_back(key);
    signer_ = signer;
  }
  key_ = own_keys_.back();
  return base::ok();
}

// A checkpoint of another origin is somebody else's business: nothing then.
base::Result<std::optional<Published>> AuditLog::load_published(const std::string& path) const {
  TRY_ASSIGN(const bool there, files_.exists(path));
  if (!there) return std::optional<Published>();
  const auto damaged = [&path](const base::Error& why) {
    return base::Error{"published_checkpoint_damaged", path + " is not a checkpoint that this log signed: " + why.message};
  };
  auto bytes = io::read_whole_file(files_, path, note_file_bytes_max);
  if (!bytes.ok()) return bytes.error();
  const std::string text(base::as_text(*bytes));
  const auto note = audit::parse_note(text);
  if (!note.ok()) return damaged(note.error());
  const auto checkpoint = audit::parse_checkpoint_text(note->text);
  if (!checkpoint.ok()) return damaged(checkpoint.error());
  std::vector<audit::NoteKey> keys = own_keys_;
  for (audit::NoteKey& key : keys) key.name = checkpoint->origin;
  const auto verified = audit::verify_note(*note, keys);
  if (!verified.ok()) return damaged(verified.error());
  // Ours has one line and nothing behind it: a changed byte anywhere in the file shows.
  if (note->signatures.size() != 1) return damaged({"", "it has more than one signature"});
  if (audit::make_note(note->text, audit::signature_line(note->signatures[0].name, note->signatures[0].key_id, note->signatures[0].signature)) != text) {
    return damaged({"", "its signature line has another form"});
  }
  if (checkpoint->origin != options_.origin) return std::optional<Published>();
  return std::optional(Published{.checkpoint = *checkpoint, .note = text, .cosignatures = 0});
}

base::Status AuditLog::check_against(const Published& before, const std::string& path) {
  if (before.checkpoint.origin != options_.origin) return base::ok();
  const std::uint64_t size = before.checkpoint.size;
  if (size > tiles_->size()) {
    return base::Error{"log_behind_its_checkpoint",
                       "under the origin " + options_.origin + " a checkpoint of " + std::to_string(size) + " leaves was published (" + path +
                           "), and this journal has " + std::to_string(tiles_->size()) +
                           ": it is an older copy. Use the newer one, or set audit.origin to begin a log of another name"};
  }
  audit::TileHashReader reader(*tiles_, tiles_->size());
  TRY_ASSIGN(const audit::Digest root, audit::root_at(reader, size));
  if (root == before.checkpoint.root) return base::ok();
  return base::Error{"log_differs_from_its_checkpoint",
                     "the tree of this journal at " + std::to_string(size) + " leaves is not the one that was published under the origin " +
                         options_.origin + " (" + path + "): it is a fork. Set audit.origin to begin a log of another name"};
}

// Everything durable that the tiles do not have yet. Bodies are checked by whoever opens the journal; here roots count.
base::Status AuditLog::hash_journal(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  store::LeafHasher hasher;
  const store::JournalEnd end = reader_.end();
  if (tiles_->size() >= end.tree_size) return base::ok();
  return reader_.for_each_group(tiles_->size() + 1, {.body_hash = false}, [&](const store::GroupView& group) -> base::Status {
    audit::Frontier unused;
    TRY(hasher.append_group(group.bytes, group.header, blinding_, unused));
    const std::uint64_t first = group.header.first_event - 1;
    const auto hashes = hasher.hashes();
    if (first + hashes.size() > tiles_->size()) {
      TRY(tiles_->append(hashes.subspan(static_cast<std::size_t>(tiles_->size() - first))));
    }
    if (tiles_->frontier().root() != group.header.tree_root) {
      return base::Error{"tiles_contradict_journal", "the tiles up to event " + std::to_string(group.header.next_event() - 1) +
                                                         " do not have the root that the journal says"};
    }
    if (progress) progress(group.header.next_event(), end.next_event);
    return base::ok();
  });
}

void AuditLog::durable(const store::SealedGroup& group) {
  const std::lock_guard lock(mutex_);
  durable_size_ = group.header().tree_size;
  durable_root_ = group.header().tree_root;
  // What was read from the journal meanwhile is passed over.
  const std::uint64_t next = waiting_from_ + waiting_.size();
  const std::uint64_t first = group.header().first_event - 1;
  auto hashes = group.leaf_hashes();
  if (waiting_dropped_ || first + hashes.size() <= next) return;
  if (first > next || waiting_.size() + hashes.size() > waiting_max) {
    waiting_dropped_ = true;
    waiting_ = {};
    return;
  }
  hashes = hashes.subspan(static_cast<std::size_t>(next - first));
  waiting_.insert(waiting_.end(), hashes.begin(), hashes.end());
}

base::Status AuditLog::advance() {
  std::vector<audit::Digest> hashes;
  std::uint64_t from = 0;
  audit::Digest root{};
  bool dropped = false;
  {
    const std::lock_guard lock(mutex_);
    hashes.swap(waiting_);
    from = waiting_from_;
    waiting_from_ += hashes.size();
    root = durable_root_;
    dropped = std::exchange(waiting_dropped_, false);
    if (dropped) waiting_from_ = durable_size_;
  }
  if (dropped) {
    TRY(hash_journal({}));
    // What became durable while we read may be in both; the tiles say where to go on.
    const std::lock_guard lock(mutex_);
    const std::uint64_t have = tiles_->size();
    const std::uint64_t twice = std::min<std::uint64_t>(have - waiting_from_, waiting_.size());
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(twice));
    waiting_from_ = have;
    return base::ok();
  }
  CHECK_THAT(from == tiles_->size(), "leaf hashes come without a gap");
  if (hashes.empty()) return base::ok();
  TRY(tiles_->append(hashes));
  if (tiles_->frontier().root() == root) return base::ok();
  return base::Error{"tiles_contradict_journal", "the tiles do not have the root that the journal says"};
}

// A service that owns its data directory and nothing around it still publishes; who wants more says where.
base::Status AuditLog::remember_beside(std::string_view note) {
  const base::Status written = io::replace_file(files_, options_.published_file, base::as_bytes(note));
  const bool denied = !written.ok() && std::string_view(written.error().code) == "file_access_denied";
  inside_only_.store(denied, std::memory_order_relaxed);
  return denied && !options_.published_file_needed ? base::ok() : written;
}

base::Status AuditLog::publish() {
  audit::Checkpoint checkpoint{.origin = options_.origin, .size = tiles_->size(), .root = tiles_->frontier().root(), .extensions = {}};
  {
    const std::lock_guard lock(mutex_);
    if (refused_ || (published_ && published_->checkpoint.size >= checkpoint.size)) return base::ok();
  }
  TRY_ASSIGN(std::string note, sign(audit::checkpoint_text(checkpoint)));
  TRY(tiles_->sync());
  TRY(io::replace_file(files_, file_of_published(options_.directory), base::as_bytes(note)));
  TRY(remember_beside(note));
  const std::lock_guard lock(mutex_);
  published_ = std::make_shared<Published>(Published{.checkpoint = std::move(checkpoint), .note = std::move(note), .cosignatures = 0});
  // Here and not later: whoever waited for this checkpoint must not find the trouble it ended.
  if (!refused_) trouble_.reset();
  changed_.notify_all();
  return base::ok();
}

void AuditLog::start() {
  CHECK(!started_);
  started_ = true;
  thread_ = std::thread([this] { run(); });
}

void AuditLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!started_) return;
    started_ = false;
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void AuditLog::run() {
  const auto interval = std::chrono::milliseconds(options_.publish_interval_ms);
  // Hashes are taken over more often than checkpoints are made, so that little waits in memory.
  const auto step = std::min<std::chrono::milliseconds>(interval, std::chrono::milliseconds(100));
  auto next = std::chrono::steady_clock::now() + interval;
  while (true) {
    bool last = false, wanted = false;
    {
      std::unique_lock lock(mutex_);
      const auto urgent = [this] {
        return stopping_ || (!refused_ && wanted_ > (published_ ? published_->checkpoint.size : 0) && durable_size_ >= wanted_);
      };
      changed_.wait_for(lock, step, urgent);
      wanted = urgent();
      last = stopping_;
    }
    base::Status done = advance();
    const auto now = std::chrono::steady_clock::now();
    const bool due = done.ok() && (last || wanted || now >= next);
    if (due) {
      done = publish();
      next = now + interval;
    }
    {
      const std::lock_guard lock(mutex_);
      if (!refused_) {
        if (!done.ok()) trouble_ = done.error();
        else if (due) trouble_.reset();
      }
    }
    if (last) return;
    if (!done.ok()) {
      // Tiles that do not fit, or were not synced, are of no more use to anybody until the next start makes them anew. All
      // else passes, as a full disk does: then what is missing is read from the journal.
      const std::string_view code = done.error().code;
      std::unique_lock lock(mutex_);
      if (code == "tiles_contradict_journal" || code == "file_sync_failed") {
        refused_ = true;
        return;
      }
      waiting_dropped_ = true;
      waiting_.clear();
      changed_.wait_for(lock, interval, [this] { return stopping_; });
    }
  }
}

std::shared_ptr<const Published> AuditLog::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

std::shared_ptr<const Published> AuditLog::witnessed() const {
  const std::lock_guard lock(mutex_);
  return witnesses_wanted_ ? witnessed_ : published_;
}

std::shared_ptr<const Published> AuditLog::wait_published(std::uint64_t leaves, base::Duration patience) {
  std::unique_lock lock(mutex_);
  const auto there = [&] { return published_ && published_->checkpoint.size >= leaves; };
  if (!there()) {
    wanted_ = std::max(wanted_, leaves);
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::nanoseconds(patience.ns), [&] { return there() || stopping_ || refused_; });
  }
  return there() ? published_ : nullptr;
}

base::Result<base::Bytes> AuditLog::tile(const audit::TileId& id) {
  const auto now = published();
  const std::uint64_t size = now ? now->checkpoint.size : 0;
  if (id.entries || audit::tile_width_at(size, id.level, id.index) < id.width) {
    return base::Error{"tile_not_there", "the log has no " + audit::tile_path(id) + " at its newest checkpoint of " + std::to_string(size) + " leaves"};
  }
  base::Bytes bytes(std::size_t{32} * id.width);
  TRY(tiles_->read_tile(id, bytes));
  return bytes;
}

base::Result<base::Bytes> AuditLog::leaf(std::uint64_t index) const {
  TRY_ASSIGN(const store::StoredEntry stored, reader_.read_entry(index + 1));
  std::vector<model::ByteRange> ranges;
  TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event, &ranges));
  const model::ByteRange& range = ranges[static_cast<std::size_t>(index + 1 - entry.first_event)];
  base::Bytes bytes;
  TRY(audit::encode_leaf(blinding_.at(index), base::ByteView(stored.bytes).subspan(range.offset, range.size), bytes));
  return bytes;
}

base::Result<base::Bytes> AuditLog::entry_bundle(const audit::TileId& id) {
  const auto now = published();
  const std::uint64_t size = now ? now->checkpoint.size : 0;
  if (!id.entries || audit::tile_width_at(size, 0, id.index) < id.width) {
    return base::Error{"tile_not_there", "the log has no " + audit::tile_path(id) + " at its newest checkpoint of " + std::to_string(size) + " leaves"};
  }
  base::Bytes bundle, leaf;
  std::vector<model::ByteRange> ranges;
  std::uint64_t index = id.index * audit::tile_width;
  const std::uint64_t end = index + id.width;
  while (index < end) {
    ranges.clear();
    TRY_ASSIGN(const store::StoredEntry stored, reader_.read_entry(index + 1));
    TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event, &ranges));
    for (auto i = static_cast<std::size_t>(index + 1 - entry.first_event); i < ranges.size() && index < end; ++i, ++index) {
      leaf.clear();
      TRY(audit::encode_leaf(blinding_.at(index), base::ByteView(stored.bytes).subspan(ranges[i].offset, ranges[i].size), leaf));
      TRY(audit::append_bundle_entry(leaf, bundle));
    }
  }
  return bundle;
}

// Under proving_. A reader of a larger tree knows the hashes of every smaller one.
audit::TileHashReader& AuditLog::reader_of(std::uint64_t size) {
  constexpr std::size_t tiles_kept = 256;
  if (reader_of_tiles_ == nullptr) {
    reader_of_tiles_ = std::make_unique<audit::TileHashReader>(*tiles_, size, tiles_kept);
    reader_size_ = size;
  } else if (size > reader_size_) {
    reader_of_tiles_->grow(size);
    reader_size_ = size;
  }
  return *reader_of_tiles_;
}

base::Result<audit::Proof> AuditLog::prove(std::uint64_t index, const audit::Checkpoint& checkpoint, const audit::Digest& leaf_hash) {
  audit::Proof proof;
  {
    const std::lock_guard lock(proving_);
    TRY_ASSIGN(proof, audit::inclusion_proof(reader_of(checkpoint.size), index, checkpoint.size));
  }
  TRY(audit::verify_inclusion(leaf_hash, index, checkpoint.size, proof, checkpoint.root));
  return proof;
}

base::Result<audit::Proof> AuditLog::prove_consistency(std::uint64_t old_size, const audit::Checkpoint& checkpoint) {
  const std::lock_guard lock(proving_);
  return audit::consistency_proof(reader_of(checkpoint.size), old_size, checkpoint.size);
}

std::vector<audit::EvidenceAnchor> AuditLog::anchors(std::uint64_t leaves, const audit::Checkpoint& checkpoint) {
  const auto root_at = [&](std::uint64_t size) {
    const std::lock_guard lock(proving_);
    return audit::root_at(reader_of(checkpoint.size), size);
  };
  return anchors_.over(leaves, checkpoint, {.root_at = root_at, .prove_consistency = [&](std::uint64_t size) { return prove_consistency(size, checkpoint); }});
}

base::Result<std::string> AuditLog::sign(std::string_view text) const {
  TRY_ASSIGN(const base::Bytes signature, signer_->sign(base::as_bytes(text)));
  return audit::make_note(text, audit::signature_line(key_.name, key_.id(), signature));
}

void AuditLog::cosigned(const audit::Checkpoint& checkpoint, std::string note, std::size_t cosignatures, bool enough) {
  const std::lock_guard lock(mutex_);
  auto with = std::make_shared<Published>(Published{.checkpoint = checkpoint, .note = std::move(note), .cosignatures = cosignatures});
  if (published_ && published_->checkpoint == checkpoint) published_ = with;
  if (enough) witnessed_ = std::move(with);
  changed_.notify_all();
}

void AuditLog::refuse_to_go_on(const char* code, std::string message) {
  const std::lock_guard lock(mutex_);
  refused_ = true;
  trouble_ = base::Error{code, std::move(message)};
  changed_.notify_all();
}

std::optional<base::Error> AuditLog::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace node
