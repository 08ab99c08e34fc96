#pragma once
// Connections the sandbox rail has stopped treating decently: held in silence, dripped at, cut off in the middle.

#include <memory>
#include <string>
#include <vector>

#include "base/instant.h"
#include "io/loop.h"
#include "io/stream.h"

namespace holdfast {

/// One thread: the loop's.
class WaywardStreams {
 public:
  explicit WaywardStreams(io::Loop& loop);
  ~WaywardStreams();

  enum class End { close, reset, hold };
  /// Writes `bytes` (one by one where `pause` is not 0), then ends the connection so, or reads on in silence until the other side
  /// has enough. Null streams are passed over.
  void take(std::unique_ptr<io::Stream> stream, std::string bytes, base::Duration pause, End end);
  std::size_t size() const { return streams_.size(); }

 private:
  class Wayward;
  void drop(Wayward& wayward);

  io::Loop& loop_;
  std::vector<std::unique_ptr<Wayward>> streams_, gone_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast
