#pragma once
// Watches the HTTP/2 frames of a peer go by, before the library works on them: what a frame costs us has no relation to
// what it costs the peer, so frames draw from buckets (http2.h).

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/http2.h"

namespace wire::http2 {

/// Tokens that come back with time.
class TokenBucket {
 public:
  TokenBucket(TokenBucketLimit limit, std::int64_t now_ns) : limit_(limit), tokens_(limit.burst), filled_ns_(now_ns) {}
  /// False if the bucket is empty.
  bool take(std::int64_t now_ns);

 private:
  TokenBucketLimit limit_;
  std::uint64_t tokens_;
  std::int64_t filled_ns_;
};

class FrameWatch {
 public:
  FrameWatch(const Http2Limits& limits, std::int64_t now_ns);

  /// Looks at bytes as they come, in any pieces. True: all may be worked on. False: a bucket ran empty or a header
  /// block has too many CONTINUATION frames, and `allowed` bytes precede the frame at fault.
  bool observe(std::string_view bytes, std::int64_t now_ns, std::size_t& allowed);
  /// A RST_STREAM that the peer made us send. False if the bucket is empty.
  bool count_our_reset(std::int64_t now_ns) { return resets_.take(now_ns); }

  /// When the unfinished preface, frame (DATA aside: that is the body's clock) or header block began.
  std::optional<std::int64_t> unfinished_since_ns() const { return unfinished_since_ns_; }
  /// True once the connection preface is in.
  bool begun() const { return preface_left_ == 0; }

 private:
  bool admit(std::int64_t now_ns);

  static constexpr std::size_t preface_bytes = 24;

  TokenBucket resets_;
  TokenBucket controls_;
  TokenBucket window_updates_;
  std::uint32_t continuations_max_;

  std::size_t preface_left_ = preface_bytes;
  std::array<std::uint8_t, 9> header_{};  ///< RFC 9113 section 4.1
  std::size_t header_have_ = 0;
  std::size_t payload_left_ = 0;
  bool data_frame_ = false;
  bool block_open_ = false;
  std::uint32_t continuations_ = 0;
  std::optional<std::int64_t> unfinished_since_ns_;
};

}  // namespace wire::http2
