#pragma once
// The record of a webhook endpoint: fixed size, no pointers, no padding left to chance, because its bytes are the snapshot
// (docs/format/snapshot.md).

#include <cstdint>
#include <type_traits>

#include "model/command.h"

namespace core {

/// An endpoint by its number.
struct WebhookRecord {
  std::uint8_t key_name[16] = {};              ///< model::WebhookKey
  std::uint8_t public_key[32] = {};
  std::uint8_t former_key_name[16] = {};       ///< signs as well until `former_until_ns`
  std::int64_t former_until_ns = 0;            ///< 0: there is no former key
  model::EventNumber created = 0;
  model::EventNumber url_event = 0;            ///< whose private value the URL is
  model::EventNumber told_through = 0;         ///< journaled mark; at first `created`
  std::int64_t changed_at_ns = 0;              ///< created or changed
  model::TenantNumber tenant = 0;
  model::WebhookEvents events = 0;
  model::WebhookFlags flags = 0;
  std::uint8_t cause = 0;                      ///< model::WebhookCause of the last change; 0 none yet
  std::uint8_t removed = 0;
  std::uint8_t pad8[5] = {};
  std::uint64_t pad64 = 0;

  bool enabled() const { return removed == 0 && (flags & model::webhook_enabled) != 0; }
};
static_assert(sizeof(WebhookRecord) == 128);
static_assert(std::has_unique_object_representations_v<WebhookRecord>);

}  // namespace core
