#pragma once
// What rails can do and carry, as clients write it.

#include <array>
#include <string_view>
#include <utility>

#include "model/rail.h"

namespace gate {

inline constexpr std::array<std::pair<model::RailCapability, std::string_view>, 7> rail_capability_names = {{
    {model::idempotent_reference, "idempotent_reference"},
    {model::inquiry_supported, "inquiry"},
    {model::void_supported, "void"},
    {model::expiry_honoured, "expiry"},
    {model::callback_supported, "callback"},
    {model::statement_supported, "statement"},
    {model::recall_supported, "recall"},
}};
static_assert(model::all_rail_capabilities == (1u << rail_capability_names.size()) - 1, "every capability has a name");

inline constexpr std::array<std::pair<model::RailDirection, std::string_view>, 2> rail_direction_names = {{
    {model::payouts, "payouts"},
    {model::collects, "collects"},
}};

}  // namespace gate
