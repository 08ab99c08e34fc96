#pragma once
// The numbers by which the journal knows things. All are per partition, start at 1 and are never reused; 0 is "none".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace model {

using EventNumber = std::uint64_t;      ///< place of an event in the log; leaf index + 1
using AccountNumber = std::uint32_t;    ///< order of opening
using AssetNumber = std::uint32_t;      ///< order of registration
using TenantNumber = std::uint32_t;     ///< 1 is the tenant every data directory starts with
using PrincipalNumber = std::uint32_t;  ///< a client (person or service); 0 is the process itself (ticks, init)
using PartitionNumber = std::uint16_t;  ///< 0 today
using Epoch = std::uint32_t;            ///< grows with every restore; fences older writers

constexpr EventNumber event_number_max = (EventNumber{1} << 48) - 1;

/// Text of a transfer id: `tr_` and 13 base32 digits of partition (16 bits) and creating event (48 bits).
std::string transfer_id(PartitionNumber partition, EventNumber event);

struct TransferId {
  PartitionNumber partition;
  EventNumber event;
};
/// Nothing unless it is exactly a transfer id.
std::optional<TransferId> parse_transfer_id(std::string_view text);

/// The same of statements (`st_`) and of exceptions (`ex_`). Nothing unless it is exactly one, of partition 0.
std::string statement_id(EventNumber event);
std::optional<EventNumber> parse_statement_id(std::string_view text);
std::string exception_id(EventNumber event);
std::optional<EventNumber> parse_exception_id(std::string_view text);

/// Text of a client id: `cl_` and the principal number in decimal.
std::string client_id(PrincipalNumber principal);
std::optional<PrincipalNumber> parse_client_id(std::string_view text);

}  // namespace model
