#pragma once
// What the commands that work on a data directory without a service have in common.

#include <memory>
#include <string>
#include <vector>

#include "apps/holdfast/command.h"
#include "io/file.h"
#include "node/data_directory.h"

namespace holdfast {

/// `--data` and `--master-key`, for the options of a verb; with `more` before them.
std::vector<Option> offline_options(std::vector<Option> more = {});
/// Where the arguments say the data directory is, in whatever mode it was made. Errors: `options_contradict` without
/// --data; those of DataDirectory::mode_of.
base::Result<node::DataPlace> data_place(io::FileSystem& files, const Arguments& arguments);

}  // namespace holdfast
