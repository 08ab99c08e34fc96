#include "crypto/chain/reason.h"

#include "base/check.h"

namespace crypto::chain {
namespace {

constexpr ReasonRow rows[] = {
#define REASON(code, weight, en, zh) {Reason::code, #code, Weight::weight, en, zh},
#include "crypto/chain/reason.def"
#undef REASON
};

}  // namespace

const ReasonRow& row_of(Reason reason) {
  const auto index = static_cast<std::size_t>(reason);
  CHECK(index < std::size(rows));
  return rows[index];
}

std::span<const ReasonRow> all_reasons() { return rows; }

std::string_view name_of(Weight weight) {
  switch (weight) {
    case Weight::info: return "info";
    case Weight::warning: return "warning";
    case Weight::error: return "error";
  }
  return "";
}

std::string_view name_of(Role role) {
  switch (role) {
    case Role::leaf: return "leaf";
    case Role::intermediate: return "intermediate";
    case Role::anchor: return "anchor";
    case Role::revocation_list: return "crl";
    case Role::ocsp_response: return "ocsp";
    case Role::whole_case: return "case";
  }
  return "";
}

}  // namespace crypto::chain
