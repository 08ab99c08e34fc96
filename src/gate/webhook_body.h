#pragma once
// What clients ask of webhook endpoints, decoded; and what their keys are made of.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "gate/keys.h"
#include "model/command.h"

namespace gate {

constexpr std::size_t webhook_url_bytes_max = 2000;

struct WebhookCreation {
  std::string_view url = {};
  model::WebhookEvents events = 0;
  bool ordered = false;
  bool personal = false;   ///< with references and metadata
};

struct WebhookChange {
  model::WebhookNumber webhook = 0;
  std::optional<std::string_view> url = {};
  model::WebhookEvents events = 0;   ///< 0: as they are
  model::WebhookFlags set = 0;
  model::WebhookFlags clear = 0;
  model::WebhookCause cause = model::WebhookCause::request;   ///< anything else: by the process itself
};

struct WebhookRemoval {
  model::WebhookNumber webhook = 0;
};

struct WebhookRotation {
  model::WebhookNumber webhook = 0;
  base::Duration overlap{};   ///< whole seconds
};

/// By the process itself.
struct WebhookMark {
  model::WebhookNumber webhook = 0;
  model::EventNumber told_through = 0;
};

/// The keys of an endpoint, made of its key's name under a key of custody: nothing secret of an endpoint is stored anywhere.
/// Wiped when destroyed.
struct WebhookKeys {
  WebhookKeys(const GateKeys& keys, const base::Tag128& name);
  ~WebhookKeys();
  WebhookKeys(const WebhookKeys&) = delete;
  WebhookKeys& operator=(const WebhookKeys&) = delete;

  std::array<std::uint8_t, 32> secret{};   ///< of `v1`
  std::array<std::uint8_t, 32> seed{};     ///< Ed25519, of `v1a`
};

}  // namespace gate
