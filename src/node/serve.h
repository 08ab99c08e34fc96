#pragma once
// The service as a process: opens everything in order, runs the loop until a signal ends it, and closes in reverse order.
//
// Signals: SIGTERM and SIGINT finish what was taken and stop (a second one does not wait), SIGHUP reads the certificate
// files again. A fatal error (a failed sync, damage) ends the process at once, without another reply, with exit code 70.

#include <functional>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "node/configuration.h"
#include "node/dev_rails.h"

namespace node {

constexpr int exit_code_of_a_broken_service = 70;

struct ServeSettings {
  std::string directory;                     ///< absolute, without symbolic links
  bool dev = false;
  Configuration configuration;
  /// Gets one line for each thing worth telling; any thread.
  std::function<void(const std::string&)> say;
  /// Called once, when requests are taken: where the service listens.
  std::function<void(const std::string& base_url, const std::string& operator_url)> ready;
  /// With --dev, unless the configuration names rails of its own: plays rails to try things out with. May be null; outlives the
  /// service.
  DevRails* dev_rails = nullptr;
};

/// Blocks until the service has stopped in good order. Errors: whatever kept it from starting; `address_not_loopback`
/// (--dev), `tls_certificate_missing`.
base::Status serve(io::FileSystem& files, ServeSettings settings);

}  // namespace node
