#include "model/event_subject.h"

#include <variant>

namespace model {

EventNumber transfer_of(const EventBody& body, EventNumber number) {
  if (std::holds_alternative<TransferRequested>(body)) return number;
  if (const auto* counted = std::get_if<RefundCounted>(&body)) return counted->original;
  return std::visit(
      [](const auto& step) -> EventNumber {
        if constexpr (requires { step.transfer; }) return step.transfer;
        return 0;
      },
      body);
}

EventNumber import_of(const EventBody& body, EventNumber number) {
  if (std::holds_alternative<ImportReceived>(body)) return number;
  return std::visit(
      [](const auto& step) -> EventNumber {
        if constexpr (requires { step.import; }) return step.import;
        return 0;
      },
      body);
}

std::optional<KeyVersionName> version_of(const EventBody& body) {
  return std::visit(
      [](const auto& step) -> std::optional<KeyVersionName> {
        if constexpr (requires { step.key; step.version; }) return KeyVersionName{step.key, step.version};
        return std::nullopt;
      },
      body);
}

}  // namespace model
