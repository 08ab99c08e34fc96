#pragma once
// Personal values by name, and which of them an event commits to: what is disclosed, checked and erased goes by this table.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/entry.h"

namespace model {

/// As evidence and `holdfast audit erase` spell it.
std::string_view name_of(PrivateField field);
std::optional<PrivateField> parse_private_field(std::string_view name);
/// All names, for a person: `tenant_name, account_name, ...`.
std::string private_field_names();

/// A value that is not in the event: SHA-256 of its salt and itself is.
struct CommittedField {
  PrivateField field = PrivateField::account_name;
  Commitment commitment{};
};

/// Those of an event, ascending by name. An account's name stands under both of its fields: the value is under one of them.
std::vector<CommittedField> committed_fields(const EventBody& body);

}  // namespace model
