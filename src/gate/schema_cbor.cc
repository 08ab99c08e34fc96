// Batches in CBOR. Maps come in any order of keys; a key given twice is malformed, as it is in JSON.

#include <array>

#include "base/cbor.h"
#include "gate/schema.h"

namespace gate {

namespace {

using base::CborKind;

constexpr std::array<std::string_view, 10> item_names = {
    "idempotency_key", "debit_account", "credit_account", "asset", "amount", "hold",
    "hold_seconds",    "reference",     "metadata",       "kind"};
enum ItemField : std::size_t { key, debit, credit, asset, amount, hold, hold_seconds, reference, metadata, kind };
constexpr std::size_t required_fields = 5;  // the first ones

class BatchReader {
 public:
  BatchReader(base::ByteView bytes, Problems& problems) : in_(bytes), problems_(problems) {}

  base::Result<std::vector<TransferRequest>> read() {
    const bool is_map = expect(CborKind::map, "");
    const std::uint64_t pairs = is_map ? in_.map().value_or(0) : 0;
    bool found = !is_map;
    for (std::uint64_t i = 0; i < pairs && !in_.failed(); ++i) {
      const std::string_view name = in_.text().value_or("");
      if (name == "items" && !found) {
        found = true;
        read_items();
      } else if (name == "items") {
        in_.fail();
      } else {
        unknown("", name);
      }
    }
    if (!stopped_ && !in_.done()) {
      return base::Error{"cbor_malformed", "not deterministic CBOR at byte " + std::to_string(in_.position())};
    }
    if (!found) add_problem(problems_, "request_field_missing", "/items", "this field is required");
    return std::move(transfers_);
  }

 private:
  // The next item has this kind; otherwise it is skipped and reported.
  bool expect(CborKind kind, const std::string& pointer) {
    const CborKind next = in_.peek();
    if (next == kind) return true;
    if (!in_.skip()) return false;
    add_problem(problems_, "request_field_wrong_type", pointer, "another type is expected here");
    return false;
  }

  void unknown(const std::string& parent, std::string_view name) {
    if (in_.failed() || !in_.skip()) return;
    constexpr std::size_t shown_bytes_max = 64;
    add_problem(problems_, "request_field_unknown", wire::pointer_to(parent, name.substr(0, shown_bytes_max)),
                "there is no such field here");
  }

  bool full() {
    stopped_ = stopped_ || transfers_.size() > batch_items_max || problems_.size() >= problems_max;
    return stopped_ || in_.failed();
  }

  void read_items() {
    if (!expect(CborKind::array, "/items")) return;
    const std::uint64_t count = in_.array().value_or(0);
    transfers_.reserve(std::min<std::size_t>(count, batch_items_max + 1));
    for (std::uint64_t i = 0; i < count && !full(); ++i) read_entry(wire::pointer_to("/items", i));
  }

  // A transfer, or a map with nothing but `group`.
  void read_entry(const std::string& pointer) {
    if (!expect(CborKind::map, pointer)) return;
    base::CborReader ahead = in_;
    if (ahead.map() == 1u && ahead.text() == "group") {
      in_ = ahead;
      read_group(pointer + "/group");
    } else {
      read_transfer(pointer, 0);
    }
  }

  void read_group(const std::string& pointer) {
    if (!expect(CborKind::array, pointer)) return;
    const std::uint64_t count = in_.array().value_or(0);
    if (count == 0 && !in_.failed()) add_problem(problems_, "request_field_out_of_range", pointer, "an empty group");
    ++groups_;
    for (std::uint64_t i = 0; i < count && !full(); ++i) {
      const std::string place = wire::pointer_to(pointer, i);
      if (expect(CborKind::map, place)) read_transfer(place, groups_);
    }
  }

  void read_transfer(const std::string& pointer, std::uint32_t group) {
    TransferRequest& transfer = transfers_.emplace_back();
    transfer.group = group;
    const std::uint64_t pairs = in_.map().value_or(0);
    unsigned seen = 0;
    for (std::uint64_t i = 0; i < pairs && !in_.failed(); ++i) {
      const std::string_view name = in_.text().value_or("");
      std::size_t field = 0;
      while (field < item_names.size() && item_names[field] != name) ++field;
      if (field == item_names.size()) {
        unknown(pointer, name);
        continue;
      }
      if ((seen >> field & 1u) != 0) in_.fail();
      seen |= 1u << field;
      read_field(static_cast<ItemField>(field), pointer, transfer);
    }
    for (std::size_t field = 0; field < required_fields && !in_.failed(); ++field) {
      if ((seen >> field & 1u) == 0) {
        add_problem(problems_, "request_field_missing", wire::pointer_to(pointer, item_names[field]),
                    "this field is required");
      }
    }
  }

  void read_field(ItemField field, const std::string& parent, TransferRequest& transfer) {
    switch (field) {
      case key:
        read_text(field, parent, transfer.key);
        return;
      case debit:
        read_text(field, parent, transfer.debit_account);
        return;
      case credit:
        read_text(field, parent, transfer.credit_account);
        return;
      case reference:
        if (read_text(field, parent, transfer.reference) && transfer.reference.empty()) {
          report(field, parent, "request_field_malformed", "an empty reference: leave it out");
        }
        return;
      case asset: {
        std::string_view text;
        if (!read_text(field, parent, text)) return;
        const auto parsed = model::parse_asset(text);
        if (!parsed) report(field, parent, "request_field_malformed", "expected CODE/SCALE, like USD/2");
        transfer.asset = parsed.value_or(model::Asset{});
        return;
      }
      case kind: {
        std::string_view text;
        if (read_text(field, parent, text) && text != "internal") {
          report(field, parent, "request_field_malformed", "the only kind in a batch is internal");
        }
        return;
      }
      case amount:
        read_amount(parent, transfer);
        return;
      case hold:
        if (in_.peek() == CborKind::boolean) {
          transfer.hold = in_.boolean().value_or(false);
        } else {
          wrong(field, parent, "a boolean is expected");
        }
        return;
      case hold_seconds: {
        if (in_.peek() != CborKind::uint) return wrong(field, parent, "an unsigned integer is expected");
        const std::uint64_t seconds = in_.uint().value_or(0);
        if (seconds < 1 || seconds > hold_seconds_max) {
          report(field, parent, "request_field_out_of_range", "between 1 and 4000000000 seconds");
        } else {
          transfer.hold_for = base::seconds(static_cast<std::int64_t>(seconds));
        }
        return;
      }
      case metadata:
        read_metadata(parent, transfer);
        return;
    }
  }

  void read_amount(const std::string& parent, TransferRequest& transfer) {
    const CborKind next = in_.peek();
    if (next == CborKind::text) {
      const auto parsed = base::parse_decimal(in_.text().value_or(""));
      if (!parsed && !in_.failed()) {
        report(amount, parent, "request_field_malformed",
               "expected a decimal string without sign or leading zeros, at most 2^127 - 1");
      }
      transfer.amount = parsed.value_or(0);
    } else if (next == CborKind::uint || next == CborKind::tag) {
      transfer.amount = in_.amount().value_or(0);
    } else {
      wrong(amount, parent, "a decimal string, an unsigned integer or a bignum is expected");
    }
  }

  void read_metadata(const std::string& parent, TransferRequest& transfer) {
    if (in_.peek() != CborKind::map) return wrong(metadata, parent, "a map is expected");
    const std::uint64_t pairs = in_.map().value_or(0);
    std::vector<std::pair<std::string_view, std::string_view>> texts;
    bool only_texts = true;
    for (std::uint64_t i = 0; i < pairs && !in_.failed(); ++i) {
      if (in_.peek() != CborKind::text) return in_.fail();
      const std::string_view name = in_.text().value_or("");
      if (in_.peek() != CborKind::text) {
        only_texts = false;
        in_.skip();
        continue;
      }
      texts.emplace_back(name, in_.text().value_or(""));
    }
    if (in_.failed()) return;
    if (!only_texts) return report(metadata, parent, "request_field_wrong_type", "every value must be a string");
    auto bytes = canonical_metadata(std::move(texts));
    if (!bytes) {
      report(metadata, parent, "request_field_out_of_range",
             "at most 50 pairs, each key once and of 1 to 64 bytes, 4096 bytes in all");
    }
    transfer.metadata = std::move(bytes).value_or(base::Bytes{});
  }

  bool read_text(ItemField field, const std::string& parent, std::string_view& text) {
    if (in_.peek() != CborKind::text) {
      wrong(field, parent, "a string is expected");
      return false;
    }
    const auto found = in_.text();
    text = found.value_or("");
    return found.has_value();
  }

  void wrong(ItemField field, const std::string& parent, const char* detail) {
    if (in_.skip()) report(field, parent, "request_field_wrong_type", detail);
  }
  void report(ItemField field, const std::string& parent, const char* code, const char* detail) {
    add_problem(problems_, code, wire::pointer_to(parent, item_names[field]), detail);
  }

  base::CborReader in_;
  Problems& problems_;
  std::vector<TransferRequest> transfers_;
  std::uint32_t groups_ = 0;
  bool stopped_ = false;  // enough was read to refuse the batch
};

}  // namespace

base::Result<std::vector<TransferRequest>> read_batch(base::ByteView bytes, Problems& problems) {
  return BatchReader(bytes, problems).read();
}

}  // namespace gate
