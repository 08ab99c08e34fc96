#include "io/descriptor.h"

#include <unistd.h>

#include <system_error>

namespace io {

void Descriptor::close() {
  // Linux releases the descriptor whatever close answers; repeating it could close somebody else's.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string errno_text(int number) { return std::generic_category().message(number); }

}  // namespace io
