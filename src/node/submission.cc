#include "node/submission.h"

#include "store/journal/layout.h"

namespace node {

bool is_unrecorded(const Answer& answer) {
  const auto passes = [](model::Outcome outcome) { return outcome != model::Outcome::shutting_down && model::row_of(outcome).http_status >= 500; };
  if (answer.refusal != model::Outcome::done) return passes(answer.refusal);
  return !answer.items.empty() && answer.items[0].event == 0 && passes(answer.items[0].refusal);
}

std::uint64_t disk_bytes_estimate(const Submission& submission, std::uint32_t group_entries_max) {
  const auto* admitted = std::get_if<model::Admitted>(&submission.content);
  if (admitted == nullptr) return 0;
  // A group is a block of header, and what does not fill its last block.
  std::uint64_t bytes = 16'384 + (admitted->commands.size() - 1) / group_entries_max * 2 * store::block_bytes;
  for (const model::Command& command : admitted->commands) {
    const auto* transfer = std::get_if<model::CreateTransfer>(&command.body);
    bytes += transfer == nullptr ? 1024 : 768 * transfer->items.size();
    // A line, what it is, and in the worst case what it leads to in a saga.
    const auto* statement = std::get_if<model::RecordStatement>(&command.body);
    if (statement != nullptr) bytes += 2'048 * statement->lines.size();
  }
  for (const model::PrivateDraft& draft : admitted->privates) bytes += 64 + draft.value.size();
  return bytes;
}

}  // namespace node
