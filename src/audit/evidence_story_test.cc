#include "audit/evidence_story.h"

#include "audit/evidence_check.h"
#include "audit/evidence_summary.h"
#include "audit/log_for_tests.h"
#include "base/text.h"
#include "model/ids.h"
#include "model/registry.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

using namespace audit;
using model::TransferState;

namespace {

std::string code_of(const LogForTests& log, const Evidence& evidence) {
  const auto checked = check_evidence(log.finished(evidence, log.log), log.policy(), {});
  return checked.ok() ? "verified" : checked.error().code;
}

// A payout: rail 3 does not answer, rail 5 settles it. Another payout runs beside it.
struct PayoutLog : LogForTests {
  model::EventNumber asset, account, other_account, request, other_request, hold, other_hold, held, first, lost, second, told, settled, resolved;

  model::EventNumber move(model::EventNumber transfer, TransferState from, TransferState to, model::EventNumber of_hold = 0) {
    model::TransferMoved moved;
    moved.transfer = transfer;
    moved.from = from;
    moved.to = to;
    moved.hold = of_hold;
    return add(moved);
  }
  model::EventNumber start(std::uint8_t attempt, model::RailNumber rail) {
    model::AttemptStarted started;
    started.transfer = request;
    started.attempt = attempt;
    started.rail = rail;
    return add(started);
  }
  model::EventNumber report(std::uint8_t attempt, model::RailResult result, model::RailReason reason, const char* rail_reference) {
    model::AttemptReported reported;
    reported.transfer = request;
    reported.attempt = attempt;
    reported.result = result;
    reported.reason = reason;
    if (rail_reference != nullptr) reported.rail_reference = commitment_to(rail_reference);
    return add(reported);
  }
  PayoutLog() {
    asset = add(model::AssetRegistered{.number = 1, .tenant = 1, .asset = *model::parse_asset("USD/2")});
    account = add(model::AccountOpened{.number = 7, .tenant = 1, .asset = 1, .name = commitment_to("users/a"), .flags = 0, .limits = {}, .metadata = {}});
    other_account = add(model::AccountOpened{.number = 8, .tenant = 1, .asset = 1, .name = commitment_to("users/b"), .flags = 0, .limits = {}, .metadata = {}});
    model::TransferRequested requested;
    requested.account = 7;
    requested.asset = 1;
    requested.amount = 1250;
    requested.beneficiary = commitment_to(R"({"iban":"DE0"})");
    requested.reference = commitment_to("wages");
    request = add(requested);
    other_request = add(requested);
    model::HoldPlaced placed;
    placed.amount = 1250;
    placed.asset = 1;
    placed.debit.account = 7;
    placed.credit.account = 9;
    hold = add(placed);
    other_hold = add(placed);
    held = move(request, TransferState::requested, TransferState::held, hold);
    first = start(1, 3);
    lost = report(1, model::RailResult::not_sent, model::RailReason::connection_refused, nullptr);
    second = start(2, 5);
    told = report(2, model::RailResult::settled, model::RailReason::none, "B-77");
    settled = move(request, TransferState::held, TransferState::settled);
    model::HoldResolved end;
    end.hold = hold;
    end.resolution = model::HoldResolution::captured;
    resolved = add(end);
  }
  Evidence evidence(std::vector<model::EventNumber> context) const {
    return evidence_of(EvidenceKind::transfer, model::transfer_id(0, request), {request, held, first, lost, second, told, settled}, context);
  }
  Evidence evidence() const {
    Evidence evidence = this->evidence({asset, account, hold, resolved});
    show(evidence, account, "account_name", "users/a");
    show(evidence, request, "transfer_beneficiary", R"({"iban":"DE0"})");
    show(evidence, request, "transfer_reference", "wages");
    show(evidence, told, "rail_reference", "B-77");
    return evidence;
  }
};

// An import that two people let in and whose version became active, and another import.
struct ImportLog : LogForTests {
  model::EventNumber received, other, moved, vote, added, active, warned, other_added;

  model::EventNumber add_version(model::EventNumber import, model::KeyVersion version) {
    model::KeyVersionAdded body;
    body.key = 4;
    body.version = version;
    body.import = import;
    return add(body);
  }
  ImportLog() {
    model::ImportReceived body;
    body.tenant = 1;
    body.partner_name = *model::parse_rail_name("acme");
    body.key_name = *model::parse_rail_name("payouts");
    body.causes[0] = 103;
    body.findings = commitment_to("[]");
    body.responsible = commitment_to("Ann Onymous");
    received = add(body);
    other = add(body);
    model::ImportMoved step;
    step.import = received;
    step.to = model::ImportState::provisional;
    step.cause = model::ImportCause::people;
    moved = add(step);
    model::ImportVoted voted;
    voted.import = received;
    voted.approve = true;
    voted.reason = commitment_to("called them");
    vote = add(voted);
    added = add_version(received, 1);
    model::KeyVersionMoved activated;
    activated.key = 4;
    activated.version = 1;
    activated.to = model::KeyState::active;
    activated.cause = model::KeyCause::approval;
    active = add(activated);
    model::KeyExpiryWarned warning;
    warning.key = 4;
    warning.version = 1;
    warned = add(warning);
    other_added = add_version(other, 2);
  }
  Evidence evidence(std::vector<model::EventNumber> items) const {
    return evidence_of(EvidenceKind::import, model::import_id(received), items, {});
  }
};

}  // namespace

TEST_CASE("evidence of a payout tells of every attempt, and of what the rail called it") {
  const PayoutLog log;
  const auto verified = check_evidence(log.finished(log.evidence(), log.log), log.policy(), {});
  REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
  const auto& story = std::get<RailStory>(verified->story);
  CHECK(story.attempts.size() == 2);
  CHECK(story.moves.size() == 2);
  CHECK(story.account.name == "users/a");
  const std::string text = evidence_summary(*verified, SummaryLanguage::english);
  for (const char* part : {"Kind: payout\n", "What happened: settled\n", "Amount: 12.50 USD/2\n", "Debited: \"users/a\" (account number 7)\n",
                           "Beneficiary: \"{\"iban\":\"DE0\"}\"\n", "Reference: \"wages\"\n", "Attempt: number 1 over rail 3, sent from 2027-01-15T08:00:00",
                           ": not_sent (connection_refused)\n", ": settled; the rail calls it \"B-77\"\n", " held to settled\n",
                           "the transfer had these events and no others"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  }
  CHECK(evidence_summary(*verified, SummaryLanguage::chinese).find("资金已冻结 → 已结算") != std::string::npos);
  CHECK(evidence_page(*verified).find("<h1>Evidence of a transfer</h1>") != std::string::npos);
  const std::string facts = evidence_facts(*verified);
  CHECK(facts.find("\"attempts\":[\"number 1 over rail 3") != std::string::npos);
  CHECK(facts.find("\"steps\":[\"2027-") != std::string::npos);

  // Nothing disclosed: numbers stay.
  const auto bare = check_evidence(log.finished(log.evidence({}), log.log), log.policy(), {});
  REQUIRE(bare.ok());
  const std::string bare_text = evidence_summary(*bare, SummaryLanguage::english);
  CHECK(bare_text.find("Amount: 1250 (asset not disclosed)\nDebited: account number 7\nRequested at") != std::string::npos);
}

TEST_CASE("an open payout says that it has not ended in this tree, and an attempt that nothing was heard") {
  const PayoutLog log;
  const Evidence open = log.evidence_of(EvidenceKind::transfer, model::transfer_id(0, log.request), {log.request, log.held, log.first}, {});
  const auto verified = check_evidence(log.finished(open, log.log), log.policy(), {});
  REQUIRE(verified.ok());
  const std::string text = evidence_summary(*verified, SummaryLanguage::english);
  CHECK(text.find("What happened: held, not ended in this tree\n") != std::string::npos);
  CHECK(text.find("; nothing was heard of it\n") != std::string::npos);
}

TEST_CASE("what is no step of a payout, or of another one, is not believed to be one") {
  const PayoutLog log;
  const auto with = [&](std::vector<model::EventNumber> items, std::vector<model::EventNumber> context) {
    items.push_back(log.request);
    items.push_back(log.held);
    return code_of(log, log.evidence_of(EvidenceKind::transfer, model::transfer_id(0, log.request), items, context));
  };
  CHECK(with({}, {}) == "verified");
  CHECK(with({}, {log.asset, log.account, log.hold, log.resolved}) == "verified");
  CHECK(with({log.other_request}, {}) == "event_not_of_this_item");
  CHECK(with({log.hold}, {}) == "event_not_of_this_item");
  CHECK(with({}, {log.other_hold}) == "event_not_of_this_item");
  CHECK(with({}, {log.other_account}) == "event_not_of_this_item");
  CHECK(with({}, {log.first}) == "event_not_of_this_item");
  Evidence named = log.evidence();
  named.id = model::transfer_id(0, log.held);
  CHECK(code_of(log, named) == "event_not_of_this_item");
  // The hold belongs to it only by the step that names it.
  CHECK(code_of(log, log.evidence_of(EvidenceKind::transfer, model::transfer_id(0, log.request), {log.request}, {log.hold})) == "event_not_of_this_item");
  Evidence lied = log.evidence();
  lied.kind = EvidenceKind::import;
  CHECK(code_of(log, lied) == "event_not_of_this_item");
  lied = log.evidence();
  std::ranges::find(lied.events, log.told, &EvidenceEvent::number)->personal.front().value[0] ^= 1;
  CHECK(code_of(log, lied) == "personal_value_differs");
}

TEST_CASE("evidence of an import tells who let the key in and what became of its version") {
  const ImportLog log;
  Evidence evidence = log.evidence({log.received, log.moved, log.vote, log.added, log.active, log.warned});
  log.show(evidence, log.received, "import_findings", "[]");
  log.show(evidence, log.received, "key_responsible", "Ann Onymous");
  log.show(evidence, log.vote, "vote_reason", "called them");
  const auto verified = check_evidence(log.finished(evidence, log.log), log.policy(), {});
  REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
  const std::string text = evidence_summary(*verified, SummaryLanguage::english);
  for (const char* part : {"Import: im_", "What happened: provisional, by people\n", "Key: acme/payouts, to verify_messages\n", "Findings: numbers 103 of",
                           "Responsible: \"Ann Onymous\"\n", "Version: 1, not proven when it was added\n", " next to active, approval\n",
                           "the import had these events and no others"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  }
  CHECK(evidence_page(*verified).find("<h1>密钥导入证据</h1>") != std::string::npos);
  CHECK(parse_evidence(log.finished(evidence, log.log))->kind == EvidenceKind::import);
  CHECK(item_head_text(evidence, 8).find("\nimport im_") != std::string::npos);
}

TEST_CASE("what is of another import or version is not believed to be of this one") {
  const ImportLog log;
  const auto with = [&](std::vector<model::EventNumber> items) { return code_of(log, log.evidence(std::move(items))); };
  CHECK(with({log.received}) == "verified");
  CHECK(with({log.received, log.added, log.active}) == "verified");
  CHECK(with({log.received, log.active}) == "event_not_of_this_item");   // nothing says whose version it is
  CHECK(with({log.received, log.other}) == "event_not_of_this_item");
  CHECK(with({log.received, log.added, log.other_added}) == "event_not_of_this_item");
  CHECK(with({log.moved}) == "event_not_of_this_item");
  const std::string id = model::import_id(log.received);
  CHECK(code_of(log, log.evidence_of(EvidenceKind::import, id, {log.received}, {log.other})) == "event_not_of_this_item");
  CHECK(code_of(log, log.evidence_of(EvidenceKind::import, id, {}, {log.received})) == "event_not_of_this_item");
  CHECK(code_of(log, log.evidence_of(EvidenceKind::import, "im_", {log.received}, {})) == "event_not_of_this_item");
  CHECK(code_of(log, log.evidence_of(EvidenceKind::import, model::import_id(log.moved), {log.moved}, {})) == "event_not_of_this_item");
}
