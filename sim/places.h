#pragma once
// Units and places that all files of the world share.

#include <cstdint>

namespace sim {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr const char* journal_directory = "data/journal";
constexpr const char* keys_directory = "data/keys-index";
constexpr const char* snapshots_directory = "data/snapshots";

}  // namespace sim
