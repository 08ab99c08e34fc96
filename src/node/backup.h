#pragma once
// Copies of a data directory, and going on from one.
//
// A backup is a directory of its own: format file, sealed keys, journal. What is derived (snapshots, key index, views) is not
// in it, and neither is the master key, without which nobody can open it; only the toy of --dev takes its master key along.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/random.h"
#include "node/data_directory.h"
#include "store/journal/chain.h"
#include "store/journal/verify.h"

namespace node {

struct BackupReport {
  store::JournalReport journal;    ///< of the copy, every byte read again
};

/// Copies the data directory `from` to the new directory `to`, also while a service works on it: what was durable when the
/// copy began is in it. The copy is read again in full before this returns. Errors: `data_directory_not_initialized`,
/// `data_directory_has_no_journal` (nothing was ever served from it; `to` is not made then), `file_exists` (`to` is there), `backup_not_sound` (the copy does not check out; it is left for looking at), those of
/// io/file.h and of the journal.
base::Result<BackupReport> back_up(io::FileSystem& files, const std::string& from, const std::string& to);

struct RestoreReport {
  model::Epoch epoch = 0;            ///< the new one
  model::EventNumber event = 0;      ///< last event, the one that began the epoch
};

/// Makes the new data directory `place.directory` from a backup, replays it whole, and begins a new epoch, so that older
/// copies of the same log are fenced off. The place's mode must be that of the backup. Errors: `file_exists`, those of
/// DataDirectory::open, of recover() and of io/file.h.
base::Result<RestoreReport> restore(io::FileSystem& files, io::Clock& clock, const std::string& backup, const DataPlace& place);

}  // namespace node
