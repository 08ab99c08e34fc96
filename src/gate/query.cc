#include "gate/query.h"

#include <array>
#include <utility>

#include "base/cbor.h"
#include "base/check.h"
#include "base/text.h"

namespace gate {

namespace {

constexpr std::string_view position_prefix = "po_";
constexpr std::size_t cursor_text_max = 512;

constexpr std::array<std::pair<TransferState, std::string_view>, 5> state_names = {{
    {TransferState::posted, "posted"},
    {TransferState::held, "held"},
    {TransferState::captured, "captured"},
    {TransferState::voided, "voided"},
    {TransferState::expired, "expired"},
}};

// Bytes of a cursor that belongs to this list; nothing otherwise.
std::optional<base::Bytes> cursor_bytes(std::string_view text) {
  if (text.size() > cursor_text_max) return std::nullopt;
  return base::parse_base64url(text);
}

bool starts(base::CborReader& in, ListKind list) {
  return in.array().value_or(0) == 2 && in.uint().value_or(0) == static_cast<std::uint64_t>(list);
}

}  // namespace

std::string_view to_text(TransferState state) {
  for (const auto& [known, name] : state_names) {
    if (known == state) return name;
  }
  CHECK_THAT(false, "a state without a name");
}

std::optional<TransferState> parse_transfer_state(std::string_view text) {
  for (const auto& [state, name] : state_names) {
    if (name == text) return state;
  }
  return std::nullopt;
}

std::optional<model::TransferState> parse_saga_state(std::string_view text) {
  for (std::size_t number = 1; number <= model::transfer_state_count; ++number) {
    const auto state = static_cast<model::TransferState>(number);
    if (model::name_of(state) == text) return state;
  }
  return std::nullopt;
}

std::string to_position(model::PartitionNumber partition, model::EventNumber event) {
  CHECK(event <= model::event_number_max);
  return std::string(position_prefix) + base::to_base32((std::uint64_t{partition} << 48) | event);
}

std::optional<model::EventNumber> parse_position(std::string_view text) {
  if (!text.starts_with(position_prefix)) return std::nullopt;
  const auto value = base::parse_base32(text.substr(position_prefix.size()));
  // There is only partition 0 so far; a position elsewhere says nothing about this one.
  if (!value || *value > model::event_number_max) return std::nullopt;
  return *value;
}

std::string to_cursor(ListKind list, model::EventNumber before) {
  base::Bytes bytes;
  base::CborWriter out(bytes);
  out.array(2);
  out.uint(static_cast<std::uint64_t>(list));
  out.uint(before);
  return base::to_base64url(bytes);
}

std::string to_cursor(ListKind list, std::string_view after) {
  base::Bytes bytes;
  base::CborWriter out(bytes);
  out.array(2);
  out.uint(static_cast<std::uint64_t>(list));
  out.text(after);
  return base::to_base64url(bytes);
}

std::optional<model::EventNumber> parse_event_cursor(ListKind list, std::string_view text) {
  const auto bytes = cursor_bytes(text);
  if (!bytes) return std::nullopt;
  base::CborReader in(*bytes);
  if (!starts(in, list)) return std::nullopt;
  const std::uint64_t before = in.uint().value_or(0);
  if (!in.done() || before == 0 || before > model::event_number_max) return std::nullopt;
  return before;
}

std::optional<std::string> parse_name_cursor(ListKind list, std::string_view text) {
  const auto bytes = cursor_bytes(text);
  if (!bytes) return std::nullopt;
  base::CborReader in(*bytes);
  if (!starts(in, list)) return std::nullopt;
  const std::string_view after = in.text().value_or("");
  if (!in.done() || !model::is_account_name(after)) return std::nullopt;
  return std::string(after);
}

}  // namespace gate
