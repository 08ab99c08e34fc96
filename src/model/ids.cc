#include "model/ids.h"

#include "base/check.h"
#include "base/int128.h"
#include "base/text.h"

namespace model {

namespace {

std::string text_of(std::string_view prefix, EventNumber event) {
  CHECK(event != 0 && event <= event_number_max);
  return std::string(prefix) + base::to_base32(event);
}

std::optional<EventNumber> event_of(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto value = base::parse_base32(text.substr(prefix.size()));
  if (!value || *value == 0 || *value > event_number_max) return std::nullopt;
  return *value;
}

}  // namespace

std::string transfer_id(PartitionNumber partition, EventNumber event) {
  CHECK(event != 0 && event <= event_number_max);
  return "tr_" + base::to_base32((static_cast<std::uint64_t>(partition) << 48) | event);
}

std::optional<TransferId> parse_transfer_id(std::string_view text) {
  if (!text.starts_with("tr_")) return std::nullopt;
  const auto value = base::parse_base32(text.substr(3));
  if (!value || (*value & event_number_max) == 0) return std::nullopt;
  return TransferId{static_cast<PartitionNumber>(*value >> 48), *value & event_number_max};
}

std::string statement_id(EventNumber event) { return text_of("st_", event); }
std::optional<EventNumber> parse_statement_id(std::string_view text) { return event_of("st_", text); }
std::string exception_id(EventNumber event) { return text_of("ex_", event); }
std::optional<EventNumber> parse_exception_id(std::string_view text) { return event_of("ex_", text); }

std::string client_id(PrincipalNumber principal) { return "cl_" + std::to_string(principal); }

std::optional<PrincipalNumber> parse_client_id(std::string_view text) {
  if (!text.starts_with("cl_")) return std::nullopt;
  const auto value = base::parse_decimal(text.substr(3));
  if (!value || *value == 0 || *value > UINT32_MAX) return std::nullopt;
  return static_cast<PrincipalNumber>(*value);
}

}  // namespace model
