#pragma once
// How the twin speaks of what it found.

#include <string>

#include "model/event.h"
#include "node/submission.h"

namespace sim {

inline std::string number(std::uint64_t value) { return std::to_string(value); }
inline std::string name_of(model::Outcome outcome) { return std::string(model::code_of(outcome)); }
std::string describe(const model::EventBody& body);
std::string describe(const node::ItemAnswer& answer);
bool same(const node::ItemAnswer& a, const node::ItemAnswer& b);
/// Nothing of it is journaled, and the key stays free.
inline bool is_transient(model::Outcome outcome) { return model::row_of(outcome).http_status >= 500; }

}  // namespace sim
