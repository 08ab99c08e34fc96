#pragma once
// Views in one SQLite file that any SQL tool opens. Schema: docs/format/views.md.

#include <memory>
#include <string>

#include "store/views/views.h"

namespace store {

/// Opens the database at `path`, making it if there is none. Errors: views_of_another_log, views_version_unknown,
/// views_option_changed, view_database_damaged (after these, remove_sqlite_views and start over); views_write_failed.
base::Result<std::unique_ptr<Views>> open_sqlite_views(const std::string& path, const ViewOptions& options);

/// Removes the database and the files SQLite keeps beside it. Errors: views_write_failed.
base::Status remove_sqlite_views(const std::string& path);

}  // namespace store
