#pragma once
// GBK (code page 936 as registered with IANA), which older payment conventions of China still sign in.

#include <optional>
#include <string>
#include <string_view>

namespace trial {

/// Nothing when `utf8` is not well-formed, or has a character that GBK lacks.
std::optional<std::string> utf8_to_gbk(std::string_view utf8);
/// Nothing when `gbk` is not well-formed.
std::optional<std::string> gbk_to_utf8(std::string_view gbk);

}  // namespace trial
