#include "store/journal/file_window.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "store/journal/chain.h"

namespace store {

base::Result<base::ByteView> FileWindow::view(std::uint64_t offset, std::uint64_t length) {
  CHECK(length <= limit_ && offset <= limit_ - length);
  if (offset >= begin_ && offset + length <= begin_ + filled_) {
    return base::ByteView(buffer_).subspan(offset - begin_, length);
  }
  const std::uint64_t want = std::min(std::max<std::uint64_t>(length, chunk_bytes_), limit_ - offset);
  // What is there already and still needed moves to the front.
  std::uint64_t kept = 0;
  if (offset >= begin_ && offset < begin_ + filled_) {
    kept = begin_ + filled_ - offset;
    std::memmove(buffer_.data(), buffer_.data() + (offset - begin_), kept);
  }
  begin_ = offset;
  filled_ = kept;
  if (buffer_.size() < want) buffer_.resize(want);
  TRY_ASSIGN(const std::size_t n, file_.read_at(offset + kept, std::span(buffer_).subspan(kept, want - kept)));
  filled_ += n;
  if (filled_ < length) return segment_damaged(file_.path(), offset + filled_, "the file ends here");
  return base::ByteView(buffer_).first(length);
}

}  // namespace store
