#pragma once
// The answers of certificate path validation; the rows of reason.def as an enumeration.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace crypto::chain {

enum class Weight : std::uint8_t { info, warning, error };

/// One row of reason.def each.
enum class Reason : std::uint8_t {
#define REASON(code, weight, en, zh) code,
#include "crypto/chain/reason.def"
#undef REASON
};

/// What reason.def says. All texts are literals in UTF-8.
struct ReasonRow {
  Reason reason;
  std::string_view code;
  Weight weight;
  std::string_view remedy_en;
  std::string_view remedy_zh;
};

const ReasonRow& row_of(Reason reason);
std::span<const ReasonRow> all_reasons();
/// `info`, `warning`, `error`.
std::string_view name_of(Weight weight);

/// Where a certificate or another signed object stands in a case.
enum class Role : std::uint8_t { leaf, intermediate, anchor, revocation_list, ocsp_response, whole_case };
/// `leaf`, `intermediate`, `anchor`, `crl`, `ocsp`, `case`.
std::string_view name_of(Role role);

/// One thing that was found, and where.
struct Finding {
  Reason reason{};
  Role role = Role::whole_case;
  std::size_t index = 0;  ///< within its role, in the order of the case; 0 for leaf and whole_case
  std::string evidence;   ///< one sentence of particulars in English; public data only

  std::string_view code() const { return row_of(reason).code; }
};

/// A reason with its evidence, before it is known whose it is.
struct Fault {
  Reason reason{};
  std::string evidence;
};

}  // namespace crypto::chain
