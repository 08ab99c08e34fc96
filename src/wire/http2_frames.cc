#include "wire/http2_frames.h"

#include <algorithm>

namespace wire::http2 {

namespace {

// RFC 9113 section 6.
constexpr std::uint8_t data_type = 0;
constexpr std::uint8_t headers_type = 1;
constexpr std::uint8_t rst_stream_type = 3;
constexpr std::uint8_t window_update_type = 8;
constexpr std::uint8_t continuation_type = 9;
constexpr std::uint8_t end_stream_flag = 0x1;
constexpr std::uint8_t end_headers_flag = 0x4;

}  // namespace

bool TokenBucket::take(std::int64_t now_ns) {
  constexpr std::int64_t second = 1'000'000'000;
  if (limit_.per_second > 0 && now_ns > filled_ns_) {
    const std::int64_t token_ns = std::max<std::int64_t>(second / limit_.per_second, 1);
    const std::int64_t gained = (now_ns - filled_ns_) / token_ns;
    filled_ns_ += gained * token_ns;
    tokens_ = std::min<std::uint64_t>(tokens_ + static_cast<std::uint64_t>(gained), limit_.burst);
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

FrameWatch::FrameWatch(const Http2Limits& limits, std::int64_t now_ns)
    : resets_(limits.resets, now_ns),
      controls_(limits.controls, now_ns),
      window_updates_(limits.window_updates, now_ns),
      continuations_max_(limits.continuations_max),
      unfinished_since_ns_(now_ns) {}

bool FrameWatch::observe(std::string_view bytes, std::int64_t now_ns, std::size_t& allowed) {
  std::size_t at = 0;
  bool finished_one = false;
  if (preface_left_ > 0) {
    at = std::min(preface_left_, bytes.size());
    preface_left_ -= at;
    finished_one = preface_left_ == 0;
  }
  while (at < bytes.size()) {
    if (payload_left_ > 0) {
      const std::size_t skip = std::min(payload_left_, bytes.size() - at);
      payload_left_ -= skip;
      at += skip;
      finished_one = finished_one || payload_left_ == 0;
      continue;
    }
    const std::size_t frame_start = at;
    while (header_have_ < header_.size() && at < bytes.size()) {
      header_[header_have_++] = static_cast<std::uint8_t>(bytes[at++]);
    }
    if (header_have_ < header_.size()) break;
    header_have_ = 0;
    payload_left_ = std::size_t{header_[0]} << 16 | std::size_t{header_[1]} << 8 | header_[2];
    if (!admit(now_ns)) {
      allowed = frame_start;
      return false;
    }
    finished_one = finished_one || payload_left_ == 0;
  }
  allowed = bytes.size();

  const bool in_data = payload_left_ > 0 && data_frame_;
  const bool clean = preface_left_ == 0 && header_have_ == 0 && (payload_left_ == 0 || in_data) && !block_open_;
  if (clean) {
    unfinished_since_ns_.reset();
  } else if (!unfinished_since_ns_ || (finished_one && !block_open_)) {
    unfinished_since_ns_ = now_ns;
  }
  return true;
}

bool FrameWatch::admit(std::int64_t now_ns) {
  const std::uint8_t type = header_[3];
  const std::uint8_t flags = header_[4];
  data_frame_ = type == data_type;
  switch (type) {
    case data_type:
      return payload_left_ > 0 || (flags & end_stream_flag) != 0 || controls_.take(now_ns);
    case headers_type:
      block_open_ = (flags & end_headers_flag) == 0;
      continuations_ = 0;
      return true;
    case continuation_type:
      if ((flags & end_headers_flag) != 0) block_open_ = false;
      return ++continuations_ <= continuations_max_;
    case rst_stream_type:
      return resets_.take(now_ns);
    case window_update_type:
      return window_updates_.take(now_ns);
    default:
      return controls_.take(now_ns);
  }
}

}  // namespace wire::http2
