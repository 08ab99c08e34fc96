#pragma once
// A TOML text (toml.io, version 1.0) as a flat list of settings. The TOML library stays behind this page.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace node {

/// A value no setting has: array, date, fraction, not named any further.
struct OtherTomlValue {
  bool operator==(const OtherTomlValue&) const = default;
};

struct TomlSetting {
  std::string name;          ///< with its tables: `pipeline.queue_max`
  std::uint32_t line = 0;    ///< from 1
  std::variant<bool, std::int64_t, std::string, OtherTomlValue> value;
};

/// Every value of the text, in order of lines. Tables without values leave no trace. Error `configuration_malformed` with
/// `FILE:LINE: ...`; `file` is for messages only.
base::Result<std::vector<TomlSetting>> read_toml(std::string_view text, std::string_view file);

}  // namespace node
