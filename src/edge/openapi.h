#pragma once
// docs/openapi.json, part of the program (made by cmake/embed.cmake).

#include <string_view>

namespace edge {

std::string_view openapi_document();

}  // namespace edge
