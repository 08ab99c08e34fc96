#pragma once
// JSON replies as text for people.

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// One object as lines of `name  value`, nested members as `outer.inner`. Text that is not an object is given back as it is.
std::string readable(std::string_view json);
/// The objects of the array `member` as a table with these columns (dotted names reach into objects); says so if there are none.
std::string readable_table(std::string_view json, std::string_view member, const std::vector<std::string_view>& columns);
/// A problem in three lines: what, where to look, what to do next.
std::string readable_problem(std::string_view json);

}  // namespace holdfast
