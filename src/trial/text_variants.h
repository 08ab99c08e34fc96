#pragma once
// The ways in which one text becomes another on its way between a signer and a checker.

#include <string>
#include <string_view>
#include <vector>

#include "trial/case.h"
#include "trial/specimen.h"

namespace trial {

/// Known changes of a body: line ends, blanks, byte order mark, character set, JSON written again. Only those that change it.
std::vector<BaseVariant> variants_of(std::string_view body);
/// The same with `head` before and `tail` behind each.
std::vector<BaseVariant> variants_within(std::string_view head, std::string_view body, std::string_view tail);

/// `a=1&b=2`: how parameters become one text.
struct ParameterRule {
  std::vector<std::string_view> left_out;  ///< names
  bool sorted = true;                      ///< by the bytes of the names
  bool without_empty = true;               ///< parameters without a value are left out
  bool percent_encoded = false;            ///< values as a form would carry them
};
std::string join_parameters(std::vector<Pair> parameters, const ParameterRule& rule);
/// The rule and every known deviation from it.
std::vector<BaseVariant> parameter_variants(const std::vector<Pair>& parameters, const ParameterRule& rule);

/// JSON without blanks outside of strings. Text that is no JSON comes back unchanged in its strings' sense: quotes decide.
std::string without_json_blanks(std::string_view json);

}  // namespace trial
