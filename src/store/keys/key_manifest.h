#pragma once
// The list of runs that are in force, replaced as a whole (docs/format/keys-index.md).

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "store/keys/key_run.h"

namespace store {

struct KeyManifest {
  base::Tag128 identity{};
  model::EventNumber covered = 0;
  std::uint64_t next_run = 1;      ///< number of the next file; grows with every manifest written
  std::vector<KeyRunInfo> runs;    ///< oldest first; each begins where the one before ends
};

/// The manifest of `directory`; an empty one if there is none. Errors: key_manifest_damaged, key_index_version_unknown,
/// those of io.
base::Result<KeyManifest> read_key_manifest(io::FileSystem& files, const std::string& directory);

/// Replaces it; durable on return.
base::Status write_key_manifest(io::FileSystem& files, const std::string& directory, const KeyManifest& manifest);

/// Name of the file in the directory of the index.
extern const char* const key_manifest_name;

}  // namespace store
