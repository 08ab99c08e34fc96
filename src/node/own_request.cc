#include "node/own_request.h"

#include "node/one_answer.h"

namespace node {

namespace {

base::Error refused(model::Outcome outcome, std::string_view detail = {}) {
  const model::OutcomeRow& row = model::row_of(outcome);
  std::string message(row.code);
  message.append(": ").append(detail.empty() ? row.next_action : detail);
  return {"request_refused", std::move(message)};
}

}  // namespace

base::Result<OwnAnswer> ask_service(Service& service, gate::Gate& gate, const gate::RequestBody& body, model::TenantNumber tenant) {
  auto admission = gate.admit_body({.tenant = tenant}, {}, body);
  if (const auto* refusal = std::get_if<gate::Refusal>(&admission)) {
    return refused(refusal->outcome, refusal->fields.empty() ? refusal->detail : refusal->fields[0].detail);
  }
  auto& admitted = std::get<model::Admitted>(admission);
  OwnAnswer own;
  own.secret = std::exchange(admitted.secret, {});
  OneAnswer sink;
  const model::Outcome taken = service.pipeline().submit({.content = std::move(admitted), .sink = &sink, .token = 0});
  if (taken != model::Outcome::done) return refused(taken);
  const Answer answer = sink.wait();
  if (answer.refusal != model::Outcome::done) return refused(answer.refusal);
  CHECK_THAT(answer.items.size() == 1, "one body, one answer");
  if (answer.items[0].event == 0) return refused(answer.items[0].refusal);
  own.event = answer.items[0].event;
  TRY_ASSIGN(const store::StoredEntry stored, service.reader().read_entry(own.event));
  TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event));
  own.content = entry.events[static_cast<std::size_t>(own.event - entry.first_event)];
  if (const auto* event = std::get_if<model::Refused>(&own.content.body)) return refused(event->outcome);
  return own;
}

}  // namespace node
