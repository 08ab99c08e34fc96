#pragma once
// Hears what rails say by themselves (POST /v1/rails/NAME/callbacks): signed by one of the keys that the file of rails names, that
// the rail publishes where the file says, or that the registry has where the file says, fresh, and by RFC 9421 never heard before; a rail that calls by Standard Webhooks may repeat itself. On the gate's thread.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "effects/signing/message_keys.h"
#include "gate/rail_report.h"
#include "io/clock.h"
#include "model/epochs.h"
#include "node/rail_key_sets.h"
#include "node/rail_settings.h"
#include "node/registry_message_keys.h"

namespace node {

class RailCallbacks final : public gate::RailVoices {
 public:
  /// `epochs` of the service's log; `say` hears of what happens to key sets, from other threads; `clock` outlives it.
  /// `registry` may be null where no rail names a key of it.
  RailCallbacks(const std::vector<RailSettings>& rails, model::Epochs epochs, io::Clock& clock, std::function<void(const std::string&)> say,
                RegistryReader registry = nullptr);
  std::variant<gate::RailReport, gate::VoiceRefused> hear(std::string_view rail, const wire::Request& request, base::Instant now) override;
  /// Null where no rail publishes its keys.
  const RailKeySets* key_sets() const { return key_sets_.get(); }

 private:
  struct Voice {
    model::TenantNumber tenant = 1;
    effects::RequestVerifier verifier;
    effects::WebhookVerification webhooks;
    std::vector<base::Bytes> public_keys;                  ///< of webhooks, from the file
    std::unique_ptr<RegistryMessageKeys> place = nullptr;  ///< null: none in the registry
  };
  void add(const RailSettings& settings, const RegistryReader& registry);
  static const effects::WebhookVerification& webhook_keys(Voice& voice);
  std::unique_ptr<RailKeySets> key_sets_;   ///< none: no rail publishes its keys
  std::map<model::RailName, Voice> voices_;
  model::Epochs epochs_;
};

}  // namespace node
