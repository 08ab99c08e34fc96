#pragma once
// What the sandbox rail knows of payments, durably: an append-only file of JSON lines, each with its checksum. One write and one
// sync carry all that happened in a turn.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/instant.h"
#include "effects/rails/rail_reply.h"
#include "io/file.h"

namespace holdfast {

/// A payment, or the tombstone of one that never came (`known` false).
struct BookedPayment {
  std::string reference;
  std::uint64_t number = 0;               ///< the rail's own, from 1; `bp-1`
  bool known = true;
  model::TransferKind kind = model::TransferKind::payout;
  effects::RailPaymentState state = effects::RailPaymentState::accepted;
  std::string reason;
  base::U128 asked = 0;                   ///< what the order said
  base::U128 amount = 0;                  ///< what is carried out
  std::string asset;
  std::string original;
  base::U128 given_back = 0;              ///< by recalls and refunds of this one
  base::Instant accepted_at, settled_at, returned_at;
  bool told = false;                      ///< the callback for the present state was taken

  std::string own_reference() const { return known ? "bp-" + std::to_string(number) : std::string(); }
  effects::RailPayment view() const;
};

class RailBook {
 public:
  /// Reads what there is; a torn tail is cut off. Errors: those of files; `sandbox_book_damaged` (a whole line that is not
  /// one of ours).
  static base::Result<std::unique_ptr<RailBook>> open(io::FileSystem& files, const std::string& path);

  /// Null if there is none. Stays valid.
  BookedPayment* find(const std::string& reference);
  /// Takes its number and place; not written before put().
  BookedPayment& add(BookedPayment payment);
  /// Notes the present content for the next flush.
  void put(const BookedPayment& payment);
  /// Makes everything that was put durable. Errors: those of files; after one the process has to end.
  base::Status flush();
  bool dirty() const { return !pending_.empty(); }

  /// In the order of their numbers.
  const std::vector<BookedPayment*>& in_order() const { return in_order_; }

 private:
  explicit RailBook(std::unique_ptr<io::File> file) : file_(std::move(file)) {}
  base::Status load();
  base::Status take_line(std::string_view json);
  base::Status make_room(std::uint64_t bytes);

  std::unique_ptr<io::File> file_;
  std::uint64_t end_ = 0, prepared_ = 0;
  std::string pending_;
  std::unordered_map<std::string, std::unique_ptr<BookedPayment>> payments_;
  std::vector<BookedPayment*> in_order_;
};

}  // namespace holdfast
