#pragma once
// The sandbox rails of `--dev`. What plays them are processes that the program starts (apps/holdfast/sandbox_banks.h); the service
// says when, and registers them.

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gate/gate.h"
#include "node/backend.h"
#include "node/service.h"

namespace node {

/// The id under which the sandbox rails know the service's key.
constexpr std::string_view dev_signing_key_id = "holdfast";

/// A rail as client.json names it.
struct DevRail {
  std::string name;
  std::string url;            ///< speaks the rail protocol
  std::string control_url;    ///< where it is steered
};

/// What rails have to know of the service.
struct DevRailTerms {
  std::string directory;      ///< DIR/dev
  std::string ca_file;        ///< who vouches for the service when they call back
  base::Bytes signing_key;    ///< Ed25519, verifies the service's requests
};

/// Plays the rails of one --dev service. One thread.
class DevRails {
 public:
  virtual ~DevRails() = default;
  /// Starts them and waits until they take requests, with the books they had. Before the service's first thread. Returns the path
  /// of a file of rails (rail_settings.h) that names them. Errors: those of starting.
  virtual base::Result<std::string> start(const DevRailTerms& terms) = 0;
  /// Where the service takes callbacks, known once it listens.
  virtual base::Status call_back_to(const std::string& base_url) = 0;
  /// After start().
  virtual std::vector<DevRail> rails() const = 0;
  /// What to register of them, all of one asset. Texts live as long as this object.
  virtual std::vector<gate::RailConfiguration> registrations() const = 0;
};

/// Registers rails that the service does not know yet, and their asset; one that is known stays as people have set it since. After
/// the service's start, on the loop's thread or before the loop runs. Errors: those of own_request.h.
base::Status register_dev_rails(Service& service, gate::Gate& gate, const Backend& backend, const DevRails& rails);

}  // namespace node
