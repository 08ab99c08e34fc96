#pragma once
// Scopes as text: `accounts:read`, `transfers:write`, ... `operate`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/command.h"

namespace gate {

std::string_view to_text(model::Scope scope);
std::optional<model::Scope> parse_scope(std::string_view text);
/// The scopes of a set, in the order of their bits.
std::vector<std::string_view> to_texts(model::Scopes scopes);

/// Operations as clients name them when they look a key up or cancel one: `create_transfer`, `open_account`...
std::string_view to_text(model::Operation operation);
/// Only operations that a client can send under an idempotency key.
std::optional<model::Operation> parse_operation(std::string_view text);

}  // namespace gate
