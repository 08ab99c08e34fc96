#pragma once
// The table of settings. Private to configuration*.cc.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "node/configuration.h"

namespace node {

using SettingValue = std::variant<bool, std::uint64_t, std::string>;

struct Setting {
  enum class Kind : std::uint8_t { flag, number, text };
  std::string_view name;       ///< dotted, units last
  Kind kind = Kind::flag;
  std::uint64_t min = 0;       ///< of a number
  std::uint64_t max = 0;
  std::string_view help;       ///< one line of the reference
  SettingValue (*get)(const Configuration&) = nullptr;
  /// Nothing if the value is fine, else what it has to be.
  std::optional<std::string> (*set)(Configuration&, const SettingValue&) = nullptr;
};

/// Sorted into sections: all settings of a table stand together.
std::span<const Setting> settings();

}  // namespace node
