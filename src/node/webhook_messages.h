#pragma once
// What webhooks say: which event of the journal is which event type, and the message that is made of it. Messages are always made
// anew from the journal, so that nothing of them is stored.

#include <optional>
#include <string>
#include <vector>

#include "model/entry.h"
#include "model/webhook.h"
#include "node/service.h"

namespace node {

/// The event type that one event of an entry is; nothing if nobody can subscribe to it.
std::optional<model::WebhookEvent> webhook_event_of(const model::Entry& entry, std::size_t index);

/// The core is too busy to say what a rail is called, or not there: the message can be made later.
inline constexpr const char* core_takes_no_questions = "core_takes_no_questions";

/// One thread, none of the service's own: it may ask the core and wait.
class WebhookMessages {
 public:
  explicit WebhookMessages(Service& service) : service_(service) {}

  /// The message that tells a tenant of an event, or nothing if the event is none of theirs. With `personal` it holds reference
  /// and metadata. Errors: those of reading the journal; `core_takes_no_questions`.
  base::Result<std::optional<std::string>> body(const model::Entry& entry, std::size_t index, model::WebhookEvent type,
                                                model::TenantNumber tenant, bool personal);
  /// A message that only tests whether the endpoint takes and verifies it.
  static std::string test_body(model::WebhookNumber webhook, base::Instant now);

 private:
  struct Rail {
    model::TenantNumber tenant = 0;
    std::string name;
  };
  /// Null if there is no such rail. Error: `core_takes_no_questions`.
  base::Result<const Rail*> rail(model::RailNumber number);
  bool is_of(model::TenantNumber tenant, model::AssetNumber asset) const;
  struct Story;
  base::Status write_personal(Story& story, model::EventNumber event, bool reference, bool metadata);
  base::Result<bool> write_saga(Story& story, model::EventNumber transfer);
  base::Result<bool> write_posted(Story& story, const model::TransferPosted& posted);
  base::Result<bool> write_rail(Story& story, const model::RailControlled& control);
  /// False if the key is not the tenant's.
  bool write_key_name(Story& story, model::KeyNumber number);
  bool write_import(Story& story, const model::ImportMoved& moved);
  bool write_version(Story& story, const model::KeyVersionMoved& moved);
  bool write_expiry(Story& story, const model::KeyExpiryWarned& warned);
  base::Status write_rail_name(Story& story, model::RailNumber number);

  Service& service_;
  std::vector<Rail> rails_;   // by number; neither tenant nor name ever changes
};

}  // namespace node
