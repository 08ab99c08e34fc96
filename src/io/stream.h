#pragma once
// A connection that never blocks: plain TCP or TLS behind one face, so that whoever speaks a protocol over it does not
// care which.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

namespace io {

enum class StreamState {
  done,        ///< `bytes` were transferred (at least one), or the step is complete
  want_read,   ///< nothing happened; try again when the descriptor is readable
  want_write,  ///< nothing happened; try again when the descriptor is writable (also a read may want this, under TLS)
  closed,      ///< read: the peer ended the stream properly; write: it takes no more
  failed,      ///< the connection is broken; Stream::failure says why
};

struct StreamResult {
  StreamState state = StreamState::done;
  std::size_t bytes = 0;
};

/// One thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// The steps before data can flow; `done` at once where there are none.
  virtual StreamResult handshake() = 0;
  /// Read until want_read before waiting: bytes may be kept inside, where the descriptor does not show them.
  virtual StreamResult read(std::span<std::uint8_t> into) = 0;
  /// False after a read that returned all there was, as far as anybody here can tell: waiting for the descriptor is safe.
  virtual bool may_have_more() const { return true; }
  /// Takes as many bytes as go at once. After want_* the next write must begin with the same bytes.
  virtual StreamResult write(base::ByteView bytes) = 0;
  /// The same for several pieces in a row, as one system call (and one TLS record where they fit).
  virtual StreamResult write_pieces(std::span<const base::ByteView> pieces) = 0;
  /// Tells the peer that no more will be written. The descriptor stays open.
  virtual StreamResult shutdown() = 0;

  /// The descriptor to watch.
  virtual int fd() const = 0;
  /// One sentence after `failed`; empty before.
  virtual const std::string& failure() const = 0;
};

}  // namespace io
