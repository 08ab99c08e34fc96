#pragma once
// What the keeper of a log does with it while no service runs: erasing personal values, giving out the policy, changing the
// log's key.

#include <string>

#include "audit/policy.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/random.h"
#include "model/entry.h"
#include "node/data_directory.h"

namespace node {

/// Removes a personal value and its salt: in the journal group, in place; in snapshots and views, which are overwritten and
/// made anew by the next start. Events, leaves, proofs and the state stay as they are. Again: finishes what was broken off.
/// Errors: `private_value_not_found`, those of the journal and of io/file.h.
base::Status erase_personal(io::FileSystem& files, io::Clock& clock, const DataDirectory& data, model::EventNumber event,
                            model::PrivateField field);

/// The log's keys, each with the tree from which on it signs no more, and no witnesses. `origin` empty: as the service does
/// without audit.origin. Errors: those of the journal; `audit_origin_malformed`.
base::Result<audit::Policy> own_policy(io::FileSystem& files, const DataDirectory& data, const std::string& origin);

struct LogKeyChange {
  std::uint32_t version = 0;
  model::EventNumber event = 0;
};
/// Draws the next version of the log's key, seals it, and journals the change; every tree that holds the event is signed
/// with it. Broken off in between, it is finished by the next call. Errors: those of DataDirectory::open, of recover(), of
/// custody and of the journal.
base::Result<LogKeyChange> roll_log_key(io::FileSystem& files, io::Clock& clock, io::Random& random, const DataPlace& place);

}  // namespace node
