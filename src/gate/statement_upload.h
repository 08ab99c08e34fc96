#pragma once
// Statements on their way to the core: the file read, each line without anything personal, in parts that one command can carry.

#include <optional>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "gate/keys.h"
#include "model/epochs.h"
#include "model/command.h"

namespace gate {

/// What a client sends. Views point into the request.
struct StatementUpload {
  std::string_view rail = {};
  std::optional<model::StatementFormat> format = {};   ///< nothing: by the beginning of the file
  std::optional<base::Instant> from = {};              ///< nothing: as the file says
  std::optional<base::Instant> until = {};
  std::string_view text = {};
};

/// A statement as commands, without rail number and name; never empty.
struct StatementParts {
  std::vector<model::RecordStatement> parts;
  std::string name;   ///< what the rail calls it; empty if it does not
};

/// Errors: those of intake/statement/statement.h, `statement_period_missing`, `statement_period_malformed`.
base::Result<StatementParts> parts_of(const GateKeys& keys, const model::Epochs& epochs, model::TenantNumber tenant, const StatementUpload& upload);

/// The keyed hash that a rail's own reference is known by. Apart from those of clients' references, which have no control characters.
base::Tag128 rail_reference_mac(const GateKeys& keys, model::TenantNumber tenant, std::string_view rail, std::string_view reference);

/// `csv`, `camt.053`, `mt940`.
std::optional<model::StatementFormat> parse_statement_format(std::string_view text);

}  // namespace gate
