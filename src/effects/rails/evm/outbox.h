#pragma once
// What one account of one chain has signed: written and synced before the first byte leaves, kept for ever, never changed. It is
// what makes a payment by nonce idempotent: a reference has one nonce, and all that was ever signed with that nonce stands here,
// so that at most one of it can be mined and it can be told which. Format: docs/format/evm-outbox.md.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "effects/rails/evm/transaction.h"
#include "io/file.h"

namespace effects {

constexpr std::size_t outbox_slot_bytes = 512;
constexpr std::size_t outbox_reference_bytes_max = 64;
/// Payments are taken until the file has so many bytes: some million. All of it is in memory, and every signature is checked when it is
/// opened.
constexpr std::uint64_t outbox_bytes_max = std::uint64_t{1} << 30;

/// A signed transaction.
struct OutboxVersion {
  base::Bytes raw;
  base::Digest hash{};
  EvmTransaction transaction;
  bool cancels = false;   ///< a transfer of nothing to ourselves, without data, that uses the nonce up
};

/// All that was signed with one nonce, oldest first. Payments come before cancellations: once a nonce was cancelled, nothing that
/// pays is signed or sent with it. An anchor is a payment of nothing to ourselves that carries data.
struct OutboxEntry {
  std::string reference;
  std::uint64_t nonce = 0;
  std::vector<OutboxVersion> versions;
  bool acknowledged = false;   ///< a node said that it has one of the payments
  bool renounced = false;      ///< it was voided: none of its payments is sent any more, and its nonce is for a cancellation
  bool anchors = false;        ///< it pays nobody: it may be sent again whether or not a node ever had it
  bool cancelled() const { return versions.back().cancels; }
  const OutboxVersion& newest() const { return versions.back(); }
};

/// One thread at a time. After an error of writing nothing is known about the file's end: everything is refused until it is
/// opened again (`evm_outbox_broken`).
class EvmOutbox {
 public:
  /// Makes an empty one, durably. Errors: `file_exists`, those of io/file.h.
  static base::Status create(io::FileSystem& files, const std::string& path, std::uint64_t chain_id, const EvmAddress& account);
  /// Reads all of it. What was being written when the power went is removed. Errors: `evm_outbox_missing`, `evm_outbox_damaged`,
  /// `evm_outbox_of_another_account` (or chain), those of io/file.h.
  static base::Result<std::unique_ptr<EvmOutbox>> open(io::FileSystem& files, const std::string& path, const EvmAddress& account,
                                                       std::uint64_t bytes_max = outbox_bytes_max);

  std::uint64_t chain_id() const { return chain_id_; }
  const EvmAddress& account() const { return account_; }
  /// The nonce that was not given out yet; nothing as long as none was.
  std::optional<std::uint64_t> next_nonce() const;
  const OutboxEntry* find(std::string_view reference) const;
  const OutboxEntry* find(std::uint64_t nonce) const;
  /// Nothing will ever be signed for it.
  bool is_tombstone(std::string_view reference) const { return tombstones_.contains(reference); }
  /// The anchor with the highest nonce; null if there is none.
  const OutboxEntry* newest_anchor() const;
  /// Entries from a nonce on.
  std::vector<const OutboxEntry*> open_from(std::uint64_t nonce) const;

  /// The first version of a new reference; its nonce is the next one. Returns when it is durable. Errors: `evm_outbox_full`,
  /// `evm_outbox_broken`, those of io/file.h.
  base::Result<const OutboxEntry*> add_payment(std::string_view reference, base::Bytes raw);
  /// A payment of the same to the same with other fees (CHECK), or the cancellation of the nonce. Errors: `evm_outbox_broken`,
  /// those of io/file.h.
  base::Result<const OutboxEntry*> add_version(std::uint64_t nonce, base::Bytes raw);
  /// Errors: as above.
  base::Status acknowledge(std::uint64_t nonce);
  /// Errors: as above.
  base::Status renounce(std::uint64_t nonce);
  /// The reference is not known (CHECK). Errors: as above.
  base::Status add_tombstone(std::string_view reference);

 private:
  struct Slot;
  EvmOutbox(std::unique_ptr<io::File> file, const EvmAddress& account, std::uint64_t bytes_max)
      : file_(std::move(file)), account_(account), bytes_max_(bytes_max) {}
  base::Status read_all();
  base::Status take(const Slot& slot);
  base::Status append(const Slot& slot);
  base::Error damaged(std::string_view what) const;

  std::unique_ptr<io::File> file_;
  const EvmAddress account_;
  const std::uint64_t bytes_max_;
  std::uint64_t chain_id_ = 0;
  std::uint64_t slots_ = 0;
  base::Digest last_{};   ///< check of the last slot
  bool broken_ = false;
  std::map<std::uint64_t, OutboxEntry> entries_;
  std::map<std::string, std::uint64_t, std::less<>> nonces_;        ///< of references
  std::set<std::string, std::less<>> tombstones_;
  std::optional<std::uint64_t> newest_anchor_;                      ///< its nonce
};

}  // namespace effects
