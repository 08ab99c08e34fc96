#pragma once
// Hears what rails say by themselves (POST /v1/rails/NAME/callbacks): signed by one of the keys that the file of rails names,
// fresh, and by RFC 9421 never heard before; a rail that calls by Standard Webhooks may repeat itself. On the gate's thread.

#include <map>
#include <utility>
#include <vector>

#include "effects/signing/message_keys.h"
#include "gate/rail_report.h"
#include "node/rail_settings.h"

namespace node {

class RailCallbacks final : public gate::RailVoices {
 public:
  explicit RailCallbacks(const std::vector<RailSettings>& rails);
  std::variant<gate::RailReport, gate::VoiceRefused> hear(std::string_view rail, const wire::Request& request, base::Instant now) override;

 private:
  struct Voice {
    model::TenantNumber tenant = 1;
    effects::RequestVerifier verifier;
    effects::WebhookVerification webhooks;
  };
  std::map<model::RailName, Voice> voices_;
};

}  // namespace node
