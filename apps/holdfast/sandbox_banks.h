#pragma once
// The three sandbox rails of `serve --dev`: each a `holdfast sandbox-rail`, a process of its own that ends with the service, also
// when that is killed.
//
//   DIR/dev/rails.json                  the file of rails that names them, written at every start
//   DIR/dev/rails/NAME/                 its book, key and certificates
//   DIR/dev/rails/NAME/profile.json     how it behaves at first; made once, then people's to change
//   DIR/dev/rails/NAME/messages         what it said

#include <memory>
#include <string>
#include <vector>

#include "apps/holdfast/sandbox_rail_profile.h"
#include "apps/holdfast/service_process.h"
#include "io/file.h"
#include "node/dev_rails.h"

namespace holdfast {

/// How one of them is started.
struct SandboxBankStart {
  std::string directory;                  ///< DIR/dev
  std::string name;
  std::string ca_file;                    ///< whom it trusts when it calls back
  base::Bytes client_key;                 ///< Ed25519, verifies the service's requests
  std::string listen = "127.0.0.1:0";
  std::string control = "127.0.0.1:0";
  std::string callback_url = {};          ///< empty: told later
};

/// Starts it with the book it had and waits until it takes requests; one that is only just dying on the same book is waited for.
/// Errors: `service_not_started`, those of files.
base::Result<std::unique_ptr<ServiceProcess>> start_sandbox_bank(io::FileSystem& files, const SandboxBankStart& start);

/// Has a sandbox behave otherwise from now on. Errors: those of ask_plainly; `request_refused` with what is wrong.
base::Status steer_sandbox_bank(const std::string& control_url, const RailProfileFile& profile);

/// All three.
class SandboxBanks final : public node::DevRails {
 public:
  explicit SandboxBanks(io::FileSystem& files) : files_(files) {}
  /// Ends them, in good order if they do so within a moment.
  ~SandboxBanks() override;

  base::Result<std::string> start(const node::DevRailTerms& terms) override;
  base::Status call_back_to(const std::string& base_url) override;
  std::vector<node::DevRail> rails() const override { return rails_; }
  std::vector<gate::RailConfiguration> registrations() const override;

 private:
  base::Status make_places(const std::string& directory);

  io::FileSystem& files_;
  std::string directory_;
  std::vector<node::DevRail> rails_;
  std::vector<std::unique_ptr<ServiceProcess>> processes_;
};

}  // namespace holdfast
