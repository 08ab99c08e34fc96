#include "core/transfer/effects.h"

#include <variant>

namespace core {

namespace {

model::AttemptKey key_of(const TransferRecord& transfer) {
  return {.transfer = transfer.requested, .attempt = transfer.attempt, .reference = transfer.attempt_event, .rail = transfer.rail};
}

}  // namespace

void effects_of(const State& state, const model::Event& event, model::EventNumber number, std::vector<model::Effect>& effects) {
  const SagaTables& tables = state.sagas();
  if (const auto* started = std::get_if<model::AttemptStarted>(&event.body)) {
    const TransferRecord* transfer = tables.transfer(started->transfer);
    if (transfer == nullptr || transfer->attempt_event != number || transfer->status() != model::TransferState::sending) return;
    effects.push_back(model::SendToRail{.key = key_of(*transfer),
                                        .kind = started->kind,
                                        .asset = started->asset,
                                        .amount = started->amount,
                                        .about = started->original != 0 ? started->original : started->transfer,
                                        .original_attempt = started->original_attempt,
                                        .send_not_after = started->send_not_after,
                                        .reply_timeout = {tables.rail(started->rail)->reply_timeout_ns}});
  } else if (const auto* asked = std::get_if<model::InquiryStarted>(&event.body)) {
    const TransferRecord* transfer = tables.transfer(asked->transfer);
    if (transfer == nullptr || transfer->attempt != asked->attempt) return;
    if (asked->is_void) {
      effects.push_back(model::VoidAtRail{.key = key_of(*transfer), .inquiry = asked->inquiry});
    } else {
      effects.push_back(model::InquireAtRail{.key = key_of(*transfer), .inquiry = asked->inquiry});
    }
  }
}

std::vector<model::Effect> open_effects(const State& state) {
  std::vector<model::Effect> effects;
  const SagaTables& tables = state.sagas();
  for (std::uint32_t slot = 0; slot < tables.slot_count(); ++slot) {
    const TransferRecord& transfer = tables.slot(slot);
    if (transfer.requested != 0 && transfer.status() == model::TransferState::sending) {
      effects.push_back(model::ReportInterrupted{.key = key_of(transfer)});
    }
  }
  return effects;
}

}  // namespace core
