#pragma once
// `DIR/format`: which version of Holdfast's files lies in a data directory, and whether it was made in --dev mode. Read
// before anything else in the directory is touched.
//
//   holdfast data directory
//   format 1
//   mode standard

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file.h"

namespace store {

/// Version of the whole directory. Files inside carry versions of their own.
constexpr std::uint32_t data_format_version = 1;

enum class DataMode { standard, dev };

/// Makes the file in a new directory (one without `journal`); otherwise checks that this program may work on the
/// directory. The caller holds the directory's lock. Errors: those of io/file.h, and
///   data_format_missing      there is a journal, but not this file
///   data_format_malformed    it is not such a file
///   data_format_newer        a later program made or upgraded the directory
///   data_directory_is_dev    made with --dev, opened without it
///   data_directory_is_not_dev  the other way round
base::Status claim_data_directory(io::FileSystem& files, const std::string& directory, DataMode mode);

}  // namespace store
