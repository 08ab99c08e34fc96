#pragma once
// What a reply must look like, and the names that carry values from one block to the next.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "wire/json_value.h"

namespace scenario {

using Names = std::map<std::string, std::string, std::less<>>;

/// `text` with every `{{name}}` replaced by its value and every `{{repeat COUNT TEXT}}` by that many copies. Nothing if a
/// name is unknown; `unknown` then holds it.
std::optional<std::string> filled_in(std::string_view text, const Names& names, std::string& unknown);

/// Compares one text. `...` is anything. A text that is one `{{name}}` as a whole gives the name its value, or, where the
/// name has one already, must be equal to it. Anything else is compared after the names in it are filled in.
bool matches_text(std::string_view expected, std::string_view actual, Names& names);

/// Compares a value with what is expected of it. Of an object the members that are named must be there and match, others
/// may be there too; the member text `{{absent}}` says that there is none. Arrays must have as many elements, in order.
/// Texts as above. Returns the first difference, with the path to it, or nothing.
std::optional<std::string> difference(wire::JsonValue expected, wire::JsonValue actual, Names& names, const std::string& path = "");

}  // namespace scenario
