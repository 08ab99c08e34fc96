#pragma once
// How far each webhook endpoint was told, what still has to be told, and what became of every attempt (docs/format/deliveries.md).
// Derived, but not from the journal alone: if it is lost, endpoints are told again from the mark that the journal has.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "model/webhook.h"
#include "store/views/sqlite_connection.h"

namespace store {

/// How far one endpoint is.
struct DeliveryProgress {
  model::EventNumber told_through = 0;   ///< everything up to here was delivered, given up or is in the store as a message
  base::Instant failing_since{};         ///< first failure since something was delivered; 0: none
  base::Instant delivered_at{};          ///< last success; 0 none
  bool operator==(const DeliveryProgress&) const = default;
};

enum class MessageState : std::uint8_t { waiting = 1, given_up = 2 };

/// A message that was not delivered. Its content is the journal's.
struct PendingMessage {
  model::EventNumber event = 0;
  model::WebhookEvent type = model::WebhookEvent::transfer_posted;
  std::uint32_t attempts = 0;
  base::Instant next_at{};               ///< when the next attempt is due; 0: at once
  bool operator==(const PendingMessage&) const = default;
};

enum class AttemptOutcome : std::uint8_t { delivered = 1, failed = 2, given_up = 3, endpoint_gone = 4 };
std::string_view to_text(AttemptOutcome outcome);

struct AttemptRow {
  std::uint64_t number = 0;              ///< ascending over all endpoints
  model::EventNumber event = 0;
  model::WebhookEvent type = model::WebhookEvent::transfer_posted;
  std::uint32_t attempt = 0;             ///< from 1
  base::Instant at{};
  AttemptOutcome outcome = AttemptOutcome::delivered;
  std::uint16_t status = 0;              ///< 0: no answer
  std::string failure;                   ///< why there is none; empty otherwise
  base::Instant next_at{};               ///< of `failed`: when it is tried again
  bool operator==(const AttemptRow&) const = default;
};

/// Attempts of one endpoint that are kept; older ones are forgotten. The same bound holds for messages given up.
constexpr std::uint32_t attempts_kept = 10'000;

/// One writer, one thread. Changes between begin() and commit() are durable together.
class DeliveryStore {
 public:
  /// Opens or makes it; one that is damaged, of another log or of another version is made anew (`made_anew`). Errors:
  /// `deliveries_write_failed`.
  static base::Result<DeliveryStore> open(const std::string& path, const base::Tag128& journal);

  /// Looks at every row of a store that nobody writes. Errors: `deliveries_damaged`, which names the file; `deliveries_write_failed` if it
  /// cannot be opened.
  static base::Status verify(const std::string& path, const base::Tag128& journal);

  bool made_anew() const { return made_anew_; }

  base::Status begin();
  /// Commits what was changed since begin(); nothing without one.
  base::Status commit();
  /// Takes back what was changed since begin().
  void roll_back() { transaction_.reset(); }
  bool in_transaction() const { return transaction_ != nullptr; }

  /// Nothing known: all zeros.
  base::Result<DeliveryProgress> progress(model::WebhookNumber webhook);
  base::Status put_progress(model::WebhookNumber webhook, const DeliveryProgress& progress);
  /// A message to be delivered; one that is there waits again from its first attempt.
  base::Status put_message(model::WebhookNumber webhook, const PendingMessage& message);
  base::Status remove_message(model::WebhookNumber webhook, model::EventNumber event);
  base::Status give_up(model::WebhookNumber webhook, model::EventNumber event, base::Instant at);
  base::Status count_attempt(model::WebhookNumber webhook, model::EventNumber event, std::uint32_t attempts, base::Instant next_at);
  /// Waiting messages by event, at most `limit`.
  base::Result<std::vector<PendingMessage>> waiting(model::WebhookNumber webhook, std::uint32_t limit);
  /// Messages given up at or after an instant, by event.
  base::Result<std::vector<PendingMessage>> given_up_since(model::WebhookNumber webhook, base::Instant since);
  /// Keeps what became of an attempt, and forgets the oldest beyond attempts_kept.
  base::Status put_attempt(model::WebhookNumber webhook, const AttemptRow& row);
  /// Everything about an endpoint.
  base::Status forget(model::WebhookNumber webhook);

 private:
  explicit DeliveryStore(Connection connection) : connection_(std::move(connection)) {}
  base::Status prepare();
  base::Result<std::vector<PendingMessage>> messages(Statement& select);

  Connection connection_;
  std::unique_ptr<Transaction> transaction_;
  bool made_anew_ = false;
  Statement read_progress_, write_progress_, write_message_, delete_message_, update_message_, read_waiting_, read_given_up_,
      write_attempt_, trim_attempts_, trim_messages_;
};

/// Reads beside the writer. One thread at a time.
class DeliveryReader {
 public:
  /// Errors: `deliveries_read_failed`; a store has to be there.
  static base::Result<DeliveryReader> open(const std::string& path);

  struct Summary {
    DeliveryProgress progress;
    std::uint64_t waiting = 0;
    std::uint64_t given_up = 0;
  };
  base::Result<Summary> summary(model::WebhookNumber webhook);
  /// Attempts with numbers below `before` (0: from the newest), newest first.
  base::Result<std::vector<AttemptRow>> attempts(model::WebhookNumber webhook, std::uint64_t before, std::uint32_t limit);

 private:
  explicit DeliveryReader(Connection connection) : connection_(std::move(connection)) {}
  Connection connection_;
  Statement read_progress_, count_messages_, read_attempts_;
};

}  // namespace store
