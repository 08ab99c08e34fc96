#pragma once
// What a thread tells the operating system about itself.

#include "base/result.h"

namespace io {

/// The name of the calling thread in tools like top and gdb; cut after 15 characters.
void name_thread(const char* name);

/// The calling thread does work that may wait: others come first when processors are short. Cannot be taken back without
/// privileges. Errors: thread_priority_refused.
base::Status lower_thread_priority();

}  // namespace io
