#include "effects/rails/evm/outbox.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/hash.h"

namespace effects {

namespace {

enum class SlotKind : std::uint8_t { head = 1, version = 2, acknowledged = 3, tombstone = 4, renounced = 5 };

constexpr std::string_view magic = "holdfast evm outbox 1";
constexpr std::size_t check_bytes = 32, kind_at = 32, reference_size_at = 33, raw_size_at = 34, nonce_at = 36, content_at = 44;
constexpr std::size_t content_bytes_max = outbox_slot_bytes - content_at;

using SlotBytes = std::array<std::uint8_t, outbox_slot_bytes>;

/// Over the slot's place, the slot before and its own bytes: no slot can stand elsewhere, or after another one.
base::Digest check_of(std::uint64_t number, const base::Digest& before, const SlotBytes& bytes) {
  base::Bytes input(8);
  base::store_le(input.data(), number);
  base::append(input, before);
  base::append(input, base::ByteView(bytes).subspan(check_bytes));
  return crypto::sha256(input);
}

bool all_zero(base::ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

bool same_payment(const EvmTransaction& a, const EvmTransaction& b) {
  return a.chain_id == b.chain_id && a.nonce == b.nonce && a.to == b.to && a.value == b.value && a.data == b.data;
}

}  // namespace

struct EvmOutbox::Slot {
  SlotKind kind = SlotKind::head;
  std::uint64_t nonce = 0;       ///< of a head: the chain
  std::string reference;
  base::Bytes raw;               ///< of a head: the account

  SlotBytes bytes() const {
    CHECK(reference.size() <= outbox_reference_bytes_max && reference.size() + raw.size() <= content_bytes_max);
    SlotBytes out{};
    out[kind_at] = static_cast<std::uint8_t>(kind);
    out[reference_size_at] = static_cast<std::uint8_t>(reference.size());
    base::store_le(&out[raw_size_at], static_cast<std::uint16_t>(raw.size()));
    base::store_le(&out[nonce_at], nonce);
    std::ranges::copy(reference, out.begin() + content_at);
    std::ranges::copy(raw, out.begin() + static_cast<std::ptrdiff_t>(content_at + reference.size()));
    return out;
  }
  static std::optional<Slot> read(const SlotBytes& in) {
    Slot slot;
    const std::size_t reference_size = in[reference_size_at], raw_size = base::load_le<std::uint16_t>(&in[raw_size_at]);
    if (in[kind_at] < 1 || in[kind_at] > 5 || reference_size > outbox_reference_bytes_max || reference_size + raw_size > content_bytes_max) {
      return std::nullopt;
    }
    slot.kind = static_cast<SlotKind>(in[kind_at]);
    slot.nonce = base::load_le<std::uint64_t>(&in[nonce_at]);
    const base::ByteView content = base::ByteView(in).subspan(content_at);
    slot.reference = base::as_text(content.first(reference_size));
    slot.raw = base::to_bytes(content.subspan(reference_size, raw_size));
    if (!all_zero(content.subspan(reference_size + raw_size))) return std::nullopt;
    return slot;
  }
};

base::Status EvmOutbox::create(io::FileSystem& files, const std::string& path, std::uint64_t chain_id, const EvmAddress& account) {
  TRY_ASSIGN(const bool there, files.exists(path));
  if (there) return base::Error{"file_exists", path + " is there"};
  const Slot head{.kind = SlotKind::head, .nonce = chain_id, .reference = std::string(magic), .raw = base::to_bytes(account)};
  SlotBytes bytes = head.bytes();
  std::ranges::copy(check_of(0, {}, bytes), bytes.begin());
  return io::replace_file(files, path, bytes);
}

base::Result<std::unique_ptr<EvmOutbox>> EvmOutbox::open(io::FileSystem& files, const std::string& path, const EvmAddress& account,
                                                        std::uint64_t bytes_max) {
  TRY_ASSIGN(const bool there, files.exists(path));
  if (!there) {
    return base::Error{"evm_outbox_missing", path + " is not there: without it nobody knows what was sent from the account"};
  }
  TRY_ASSIGN(auto file, files.open(path, io::OpenMode::read_write));
  std::unique_ptr<EvmOutbox> outbox(new EvmOutbox(std::move(file), account, bytes_max));
  TRY(outbox->read_all());
  return outbox;
}

base::Error EvmOutbox::damaged(std::string_view what) const {
  return {"evm_outbox_damaged", file_->path() + ", slot " + std::to_string(slots_) + ": " + std::string(what)};
}

base::Status EvmOutbox::read_all() {
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  bool ended = false;
  for (std::uint64_t at = 0; at < size; at += outbox_slot_bytes) {
    SlotBytes bytes{};
    TRY_ASSIGN(const std::size_t got, file_->read_at(at, bytes));
    // A write that never finished: part of a slot at the end, or one of which nothing arrived. Nobody was told of it.
    if (ended && !all_zero(bytes)) return damaged("something stands behind the end");
    if (got < outbox_slot_bytes || all_zero(bytes)) {
      ended = true;
      continue;
    }
    base::Digest check;
    std::copy_n(bytes.begin(), check_bytes, check.begin());
    const auto slot = Slot::read(bytes);
    if (check != check_of(slots_, last_, bytes) || !slot) return damaged("its check does not hold");
    TRY(take(*slot));
    last_ = check;
    ++slots_;
  }
  if (slots_ == 0) return damaged("there is no head");
  if (!ended) return base::ok();
  TRY(file_->truncate(slots_ * outbox_slot_bytes));
  return file_->sync_data();
}

// What a slot says, of a file that is read as of one that is written.
base::Status EvmOutbox::take(const Slot& slot) {
  if ((slot.kind == SlotKind::head) != (slots_ == 0)) return damaged("a head stands first, and only there");
  switch (slot.kind) {
    case SlotKind::head:
      if (slot.reference != magic) return damaged("it is no outbox of this version");
      if (!std::ranges::equal(slot.raw, account_)) {
        return base::Error{"evm_outbox_of_another_account", file_->path() + " is not that of " + to_text(account_)};
      }
      chain_id_ = slot.nonce;
      return base::ok();
    case SlotKind::tombstone:
      if (nonces_.contains(slot.reference)) return damaged("a tombstone for a payment");
      tombstones_.insert(slot.reference);
      return base::ok();
    case SlotKind::acknowledged:
    case SlotKind::renounced: {
      const auto found = entries_.find(slot.nonce);
      if (found == entries_.end()) return damaged("a nonce that was not given out");
      (slot.kind == SlotKind::acknowledged ? found->second.acknowledged : found->second.renounced) = true;
      return base::ok();
    }
    case SlotKind::version:
      break;
  }
  const auto read = read_transaction(slot.raw);
  if (!read || read->sender != account_ || read->transaction.chain_id != chain_id_ || read->transaction.nonce != slot.nonce) {
    return damaged("a transaction that is not of this account");
  }
  const bool to_us = read->transaction.to == account_;
  OutboxVersion version{.raw = slot.raw, .hash = transaction_hash(slot.raw), .transaction = read->transaction,
                        .cancels = to_us && read->transaction.value == 0 && read->transaction.data.empty()};
  const auto found = entries_.find(slot.nonce);
  if (found == entries_.end()) {
    const auto next = next_nonce();
    if ((next && slot.nonce != *next) || version.cancels || nonces_.contains(slot.reference) || is_tombstone(slot.reference)) {
      return damaged("a payment out of turn");
    }
    nonces_.emplace(slot.reference, slot.nonce);
    entries_.emplace(slot.nonce, OutboxEntry{.reference = slot.reference, .nonce = slot.nonce, .versions = {std::move(version)}, .anchors = to_us});
    if (to_us) newest_anchor_ = slot.nonce;
    return base::ok();
  }
  OutboxEntry& entry = found->second;
  const bool fits = version.cancels || (!entry.cancelled() && same_payment(version.transaction, entry.versions.front().transaction));
  if (entry.reference != slot.reference || !fits) return damaged("another payment with a nonce that was given out");
  entry.versions.push_back(std::move(version));
  return base::ok();
}

base::Status EvmOutbox::append(const Slot& slot) {
  if (broken_) return base::Error{"evm_outbox_broken", file_->path() + " could not be written: nothing is signed until it was opened again"};
  SlotBytes bytes = slot.bytes();
  const base::Digest check = check_of(slots_, last_, bytes);
  std::ranges::copy(check, bytes.begin());
  broken_ = true;
  TRY(file_->write_at(slots_ * outbox_slot_bytes, bytes));
  TRY(file_->sync_data());
  broken_ = false;
  const base::Status taken = take(slot);
  CHECK_THAT(taken.ok(), "what is written can be read");
  last_ = check;
  ++slots_;
  return base::ok();
}

std::optional<std::uint64_t> EvmOutbox::next_nonce() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.rbegin()->first + 1;
}

const OutboxEntry* EvmOutbox::find(std::string_view reference) const {
  const auto found = nonces_.find(reference);
  return found == nonces_.end() ? nullptr : find(found->second);
}

const OutboxEntry* EvmOutbox::find(std::uint64_t nonce) const {
  const auto found = entries_.find(nonce);
  return found == entries_.end() ? nullptr : &found->second;
}

const OutboxEntry* EvmOutbox::newest_anchor() const { return newest_anchor_ ? find(*newest_anchor_) : nullptr; }

std::vector<const OutboxEntry*> EvmOutbox::open_from(std::uint64_t nonce) const {
  std::vector<const OutboxEntry*> open;
  for (auto next = entries_.lower_bound(nonce); next != entries_.end(); ++next) open.push_back(&next->second);
  return open;
}

base::Result<const OutboxEntry*> EvmOutbox::add_payment(std::string_view reference, base::Bytes raw) {
  const auto read = read_transaction(raw);
  CHECK(read.has_value());
  if (slots_ * outbox_slot_bytes >= bytes_max_) return base::Error{"evm_outbox_full", file_->path() + " takes no more payments: the rail needs a new key"};
  TRY(append({.kind = SlotKind::version, .nonce = read->transaction.nonce, .reference = std::string(reference), .raw = std::move(raw)}));
  return find(reference);
}

base::Result<const OutboxEntry*> EvmOutbox::add_version(std::uint64_t nonce, base::Bytes raw) {
  const OutboxEntry* const entry = find(nonce);
  CHECK(entry != nullptr);
  TRY(append({.kind = SlotKind::version, .nonce = nonce, .reference = entry->reference, .raw = std::move(raw)}));
  return entry;
}

base::Status EvmOutbox::acknowledge(std::uint64_t nonce) {
  const OutboxEntry* const entry = find(nonce);
  CHECK(entry != nullptr);
  if (entry->acknowledged) return base::ok();
  return append({.kind = SlotKind::acknowledged, .nonce = nonce, .reference = {}, .raw = {}});
}

base::Status EvmOutbox::renounce(std::uint64_t nonce) {
  const OutboxEntry* const entry = find(nonce);
  CHECK(entry != nullptr);
  if (entry->renounced) return base::ok();
  return append({.kind = SlotKind::renounced, .nonce = nonce, .reference = {}, .raw = {}});
}

base::Status EvmOutbox::add_tombstone(std::string_view reference) {
  CHECK(find(reference) == nullptr);
  if (is_tombstone(reference)) return base::ok();
  return append({.kind = SlotKind::tombstone, .nonce = 0, .reference = std::string(reference), .raw = {}});
}

}  // namespace effects
