#include "apps/holdfast/sandbox_rail_book.h"

#include <algorithm>

#include "base/text.h"
#include "wire/json_fields.h"
#include "wire/json_writer.h"

namespace holdfast {

using effects::RailPaymentState;

namespace {

constexpr std::uint64_t room_bytes = 4u << 20;
constexpr std::uint64_t book_bytes_max = std::uint64_t{8} << 30;
constexpr std::size_t checksum_digits = 8;

std::string checksum_of(std::string_view text) {
  std::array<std::uint8_t, 4> raw{};
  base::store_le(raw.data(), base::crc32c(base::as_bytes(text)));
  return base::to_hex(raw);
}

std::string to_line(const BookedPayment& payment) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("reference", std::string_view(payment.reference));
  json.member("number", payment.number);
  json.member("known", payment.known);
  json.member("kind", effects::to_text(payment.kind));
  json.member("state", effects::to_text(payment.state));
  json.member("reason", std::string_view(payment.reason));
  json.member("asked", std::string_view(base::to_decimal(payment.asked)));
  json.member("amount", std::string_view(base::to_decimal(payment.amount)));
  json.member("asset", std::string_view(payment.asset));
  json.member("original", std::string_view(payment.original));
  json.member("given_back", std::string_view(base::to_decimal(payment.given_back)));
  json.member("accepted_at", static_cast<std::uint64_t>(payment.accepted_at.ns));
  json.member("settled_at", static_cast<std::uint64_t>(payment.settled_at.ns));
  json.member("returned_at", static_cast<std::uint64_t>(payment.returned_at.ns));
  json.member("told", payment.told);
  json.end_object();
  return text;
}

}  // namespace

effects::RailPayment BookedPayment::view() const {
  return {.reference = reference, .payment = own_reference(), .kind = kind, .state = state, .reason = reason, .amount = amount, .asset = asset};
}

base::Result<std::unique_ptr<RailBook>> RailBook::open(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const bool there, files.exists(path));
  TRY_ASSIGN(auto file, files.open(path, there ? io::OpenMode::read_write : io::OpenMode::create_new));
  if (!there) TRY(files.sync_dir(io::directory_of(path)));
  std::unique_ptr<RailBook> book(new RailBook(std::move(file)));
  TRY(book->load());
  return book;
}

base::Status RailBook::load() {
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  if (size > book_bytes_max) return base::Error{"sandbox_book_damaged", "the sandbox rail's book is larger than any"};
  base::Bytes bytes(size);
  TRY_ASSIGN(const std::size_t read, file_->read_at(0, bytes));
  std::string_view rest = base::as_text(base::ByteView(bytes).first(read));
  while (true) {
    const std::size_t line_end = rest.find('\n');
    if (line_end == std::string_view::npos || line_end < checksum_digits + 1) break;
    const std::string_view line = rest.substr(0, line_end);
    const std::string_view json = line.substr(checksum_digits + 1);
    if (line.substr(0, checksum_digits) != checksum_of(json)) break;   // torn: it was never answered for
    TRY(take_line(json));
    rest.remove_prefix(line_end + 1);
    end_ += line_end + 1;
  }
  // Nothing of a torn tail may be taken for a line once something stands before it.
  TRY(file_->truncate(end_));
  prepared_ = end_;
  TRY(make_room(0));
  return file_->sync_data();
}

base::Status RailBook::take_line(std::string_view json) {
  const base::Error damaged{"sandbox_book_damaged", "a line of the sandbox rail's book is not one of its own"};
  const auto document = wire::parse_json(base::as_bytes(json));
  if (!document.ok()) return damaged;
  std::vector<wire::FieldProblem> problems;
  wire::JsonFields fields(document->root(), "", problems);
  BookedPayment payment;
  const auto text = [&](std::string_view name) { return std::string(fields.required_string(name).value_or("")); };
  const auto amount = [&](std::string_view name) { return base::parse_decimal(text(name)); };
  const auto instant = [&](std::string_view name) {
    return base::Instant{static_cast<std::int64_t>(fields.required_uint(name, 0, INT64_MAX).value_or(0))};
  };
  payment.reference = text("reference");
  payment.number = fields.required_uint("number", 1, UINT64_MAX).value_or(0);
  payment.known = fields.required_boolean("known").value_or(false);
  const auto kind = effects::parse_transfer_kind(text("kind"));
  const auto state = effects::parse_rail_payment_state(text("state"));
  payment.reason = text("reason");
  const auto asked = amount("asked"), carried_out = amount("amount"), given_back = amount("given_back");
  payment.asset = text("asset");
  payment.original = text("original");
  payment.accepted_at = instant("accepted_at");
  payment.settled_at = instant("settled_at");
  payment.returned_at = instant("returned_at");
  payment.told = fields.required_boolean("told").value_or(false);
  fields.finish();
  if (!problems.empty() || !kind || !state || !asked || !carried_out || !given_back) return damaged;
  payment.kind = *kind;
  payment.state = *state;
  payment.asked = *asked;
  payment.amount = *carried_out;
  payment.given_back = *given_back;
  if (BookedPayment* const known = find(payment.reference)) {
    *known = std::move(payment);
  } else {
    if (payment.number != in_order_.size() + 1) return damaged;
    add(std::move(payment));
  }
  return base::ok();
}

BookedPayment* RailBook::find(const std::string& reference) {
  const auto found = payments_.find(reference);
  return found == payments_.end() ? nullptr : found->second.get();
}

BookedPayment& RailBook::add(BookedPayment payment) {
  payment.number = in_order_.size() + 1;
  auto kept = std::make_unique<BookedPayment>(std::move(payment));
  BookedPayment& added = *kept;
  in_order_.push_back(&added);
  payments_.emplace(added.reference, std::move(kept));
  return added;
}

void RailBook::put(const BookedPayment& payment) {
  const std::string json = to_line(payment);
  pending_.append(checksum_of(json)).append(" ").append(json).append("\n");
}

// Zeros ahead of the end: a sync that does not grow the file takes half the time.
base::Status RailBook::make_room(std::uint64_t bytes) {
  if (end_ + bytes <= prepared_) return base::ok();
  const std::uint64_t wanted = end_ + bytes + room_bytes;
  TRY(file_->zero_fill(prepared_, wanted - prepared_));
  prepared_ = wanted;
  return base::ok();
}

base::Status RailBook::flush() {
  if (pending_.empty()) return base::ok();
  TRY(make_room(pending_.size()));
  TRY(file_->write_at(end_, base::as_bytes(pending_)));
  TRY(file_->sync_data());
  end_ += pending_.size();
  pending_.clear();
  return base::ok();
}

}  // namespace holdfast
