#pragma once
// Where scenarios play: the whole service in this process, gate, engine, journal and HTTPS server, on a disk and a clock in
// memory. Time passes only when a scenario says so.

#include <memory>
#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "wire/http_message.h"

namespace scenario {

class Stage {
 public:
  Stage();
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// Sends one request as it is written, over a connection of its own, and waits for the reply. Errors: those of the
  /// connection, http_response_*.
  base::Result<wire::Response> send(const std::string& method, const std::string& bytes);

  /// A new access token of a client that may do everything.
  std::string token();

  /// Both readings of the clock move on; whatever is due by then has happened when this returns.
  void advance(base::Duration by);
  /// The service stops in good order and starts again.
  void restart();
  /// The machine loses its power: what was not on the medium is gone. Then the service starts again.
  void lose_power();

 private:
  struct Machine;
  struct Running;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Running> running_;
};

}  // namespace scenario
