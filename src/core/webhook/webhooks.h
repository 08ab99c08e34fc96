#pragma once
// The law of webhook endpoints: who is to be told of what. Telling them is done outside; the core only knows how far a mark
// says it got.

#include "core/transfer/draft.h"

namespace core {

// Each refuses, or emits one event.
void decide(Draft& draft, const model::CreateWebhook& body);
/// By the process itself (principal 0) only an endpoint that is enabled is disabled.
void decide(Draft& draft, const model::ChangeWebhook& body);
void decide(Draft& draft, const model::RemoveWebhook& body);
void decide(Draft& draft, const model::RotateWebhook& body);
void decide(Draft& draft, const model::MarkWebhook& body);

}  // namespace core
