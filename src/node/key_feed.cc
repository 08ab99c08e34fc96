#include "node/key_feed.h"

#include <variant>

#include "base/planted_bug.h"

namespace node {

void feed_keys(store::KeyIndex& keys, const model::Command& command, std::size_t item, const model::Event& event,
               model::EventNumber number) {
  using store::KeyKind;
  if (const auto* transfer = std::get_if<model::CreateTransfer>(&command.body)) {
    const model::TransferItem& sent = transfer->items[item];
    if (sent.idempotency && !(base::planted_bug(12) && is_refused(event))) keys.insert(KeyKind::idempotency, sent.idempotency->key, number);
    if (sent.reference && !is_refused(event)) keys.insert(KeyKind::reference, sent.reference_key, number);
    return;
  }
  if (item == 0 && command.idempotency) keys.insert(KeyKind::idempotency, command.idempotency->key, number);
  if (item == 0 && !is_refused(event)) {
    const auto reference = [&](const auto& request) {
      if (request.reference) keys.insert(KeyKind::reference, request.reference_key, number);
    };
    if (const auto* payout = std::get_if<model::CreatePayout>(&command.body)) reference(payout->request);
    if (const auto* collect = std::get_if<model::CreateCollect>(&command.body)) reference(collect->request);
    if (const auto* refund = std::get_if<model::RefundTransfer>(&command.body)) reference(*refund);
  }
  if (const auto* resolved = std::get_if<model::HoldResolved>(&event.body)) {
    keys.insert(KeyKind::hold_resolution, store::hold_resolution_key(resolved->hold), number);
  }
  if (const auto* cancelled = std::get_if<model::KeyCancelled>(&event.body)) {
    if (!base::planted_bug(13)) keys.insert(KeyKind::idempotency, cancelled->key, number);
  }
}

}  // namespace node
