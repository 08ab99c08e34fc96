#include "audit/evidence.h"

#include <algorithm>

#include "audit/evidence_check.h"
#include "audit/evidence_lines.h"
#include "audit/evidence_summary.h"
#include "audit/log_for_tests.h"
#include "audit/tree_in_memory.h"
#include "base/text.h"
#include "crypto/evm/block_for_tests.h"
#include "crypto/evm/inclusion.h"
#include "crypto/hash.h"
#include "crypto/keccak.h"
#include "crypto/time_stamp.h"
#include "crypto/time_stamping_test.h"
#include "model/entry.h"
#include "model/ids.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

using namespace audit;

namespace {

constexpr std::int64_t now = 1'790'000'000;   // 2026-09-21, of time-stamps

// A small log: asset, two accounts, a hold with a reference, something of somebody else, its capture.
struct SmallLog : LogForTests {
  SmallLog() {
    const model::Asset usd = *model::parse_asset("USD/2");
    model::HoldPlaced held;
    held.amount = 2500;
    held.asset = 1;
    held.debit.account = 1;
    held.credit.account = 2;
    held.reference = commitment_to("invoice <7>");
    model::HoldResolved end;
    end.hold = 4;
    end.resolution = model::HoldResolution::captured;
    end.held = 2500;
    end.captured = 1999;
    end.asset = 1;
    end.debit.account = 1;
    end.credit.account = 2;
    add(model::AssetRegistered{.number = 1, .tenant = 1, .asset = usd});
    add(model::AccountOpened{.number = 1, .tenant = 1, .asset = 1, .name = commitment_to("users/a"), .flags = 0, .limits = {}, .metadata = {}});
    add(model::AccountOpened{.number = 2, .tenant = 1, .asset = 1, .name = commitment_to("users/b"), .flags = 0, .limits = {}, .metadata = {}});
    add(held);
    add(model::BatchRecorded{.items = 3});
    add(end);
    add(model::BatchRecorded{.items = 4});
  }

  Evidence evidence() const {
    Evidence evidence = evidence_of(EvidenceKind::transfer, model::transfer_id(0, 4), {4, 6}, {1, 2, 3});
    show(evidence, 2, "account_name", "users/a");
    show(evidence, 3, "account_name", "users/b");
    show(evidence, 4, "transfer_reference", "invoice <7>");
    return evidence;
  }
  std::string bundle() const { return finished(evidence(), log); }
};

std::string code_of(const std::string& text, const Policy& policy, EvidenceRequirements required = {}) {
  const auto checked = check_evidence(text, policy, required);
  return checked.ok() ? "verified" : checked.error().code;
}

}  // namespace

TEST_CASE("evidence of a captured hold holds, and says what happened") {
  const SmallLog log;
  const auto verified = check_evidence(log.bundle(), log.policy(), {.witnesses = 1, .anchors = 0});
  REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
  CHECK(verified->split_view_excluded());
  const std::string english = evidence_summary(*verified, SummaryLanguage::english);
  CHECK(english.find("Amount held: 25.00 USD/2\nAmount captured: 19.99 USD/2\nDebited: \"users/a\" (account number 1)\n") != std::string::npos);
  CHECK(english.find("Seen by witness: one at 2027-01-15T08:00:01") != std::string::npos);
  CHECK(evidence_summary(*verified, SummaryLanguage::chinese).find("扣款金额：19.99 USD/2") != std::string::npos);
  const std::string page = evidence_page(*verified);
  CHECK(page.find("invoice &lt;7&gt;") != std::string::npos);
  CHECK(page.find("invoice <7>") == std::string::npos);
  CHECK(evidence_facts(*verified).find("\"split_view_excluded\":true") != std::string::npos);
  CHECK_EQ(decimal_amount(5, 3), "0.005");
  CHECK_EQ(decimal_amount(5, 0), "5");
}

TEST_CASE("no changed byte of a bundle is accepted") {
  const SmallLog log;
  const std::string bundle = log.bundle();
  const Policy policy = log.policy();
  for (std::size_t at = 0; at < bundle.size(); ++at) {
    std::string changed = bundle;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    REQUIRE_MESSAGE(code_of(changed, policy) != "verified", at);
  }
  for (std::size_t size = 0; size < bundle.size(); size += 7) CHECK_EQ(code_of(bundle.substr(0, size), policy), "evidence_malformed");
  CHECK_EQ(code_of(bundle + " ", policy), "evidence_malformed");
}

TEST_CASE("without witnesses a split view is not excluded") {
  const SmallLog log;
  Policy nobody = log.policy();
  nobody.witnesses.clear();
  const auto verified = check_evidence(log.bundle(), nobody, {});
  REQUIRE(verified.ok());
  CHECK(!verified->split_view_excluded());
  CHECK(evidence_summary(*verified, SummaryLanguage::english).find("Split view: not excluded") != std::string::npos);
  CHECK_EQ(code_of(log.bundle(), nobody, {.witnesses = 1, .anchors = 0}), "too_few_witnesses");
}

TEST_CASE("the first thing that does not hold is named") {
  const SmallLog log;
  const Policy policy = log.policy();
  const auto changed = [&](auto change) {
    Evidence evidence = log.evidence();
    change(evidence);
    return code_of(log.finished(evidence, log.log), policy);
  };
  CHECK_EQ(changed([](Evidence&) {}), "verified");
  CHECK_EQ(changed([](Evidence& e) { e.origin = "log.example/two"; }), "log_not_in_policy");
  CHECK_EQ(changed([&](Evidence& e) { e.checkpoint = log.signed_checkpoint(log.witness); }), "checkpoint_not_signed_by_log");
  CHECK_EQ(changed([](Evidence& e) { e.checkpoint = "nonsense"; }), "note_malformed");
  CHECK_EQ(changed([](Evidence& e) { std::swap(e.events[0], e.events[1]); }), "events_out_of_order");
  CHECK_EQ(changed([](Evidence& e) { e.events[0].leaf.push_back(0); }), "leaf_malformed");
  CHECK_EQ(changed([](Evidence& e) { e.events[0].leaf[5] ^= 1; }), "inclusion_proof_root_differs");
  CHECK_EQ(changed([](Evidence& e) { e.events[0].proof.pop_back(); }), "inclusion_proof_length_wrong");
  CHECK_EQ(changed([](Evidence& e) { e.events[4].number = 99; }), "leaf_index_outside_tree");
  CHECK_EQ(changed([](Evidence& e) { e.events[3].personal[0].value[0] ^= 1; }), "personal_value_differs");
  CHECK_EQ(changed([](Evidence& e) { e.events[3].personal[0].field = "transfer_metadata"; }), "personal_value_differs");
  CHECK_EQ(changed([](Evidence& e) { e.events[3].personal.push_back(e.events[3].personal[0]); }), "personal_value_differs");
  CHECK_EQ(changed([](Evidence& e) { e.events[0].personal = e.events[1].personal; }), "personal_value_differs");
  CHECK_EQ(changed([](Evidence& e) { e.id = model::transfer_id(0, 6); }), "event_not_of_this_item");
  CHECK_EQ(changed([](Evidence& e) { e.id = "tr_"; }), "event_not_of_this_item");
  CHECK_EQ(changed([](Evidence& e) { e.events.erase(e.events.begin() + 3); }), "event_not_of_this_item");
  CHECK_EQ(changed([](Evidence& e) { e.events[0].item = true; }), "event_not_of_this_item");
  CHECK_EQ(changed([](Evidence& e) { e.events[4].item = false; }), "event_not_of_this_item");
  CHECK_EQ(changed([](Evidence& e) { e.anchors.push_back({"moon", {1}}); }), "anchor_kind_unknown");
  // The log's word that there is nothing else: with an event left out it signs something else.
  CHECK_EQ(changed([](Evidence& e) { e.events.erase(e.events.begin() + 4); }), "verified");
  CHECK_EQ(code_of(log.bundle(), policy, {.witnesses = 2, .anchors = 0}), "too_few_witnesses");
  CHECK_EQ(code_of(log.bundle(), policy, {.witnesses = 0, .anchors = 1}), "too_few_anchors");
  CHECK_EQ(code_of(log.finished(log.evidence(), log.former), policy), "log_key_retired");
  CHECK_EQ(code_of(log.finished(log.evidence(), TestSigner(log.origin, NoteKeyKind::ed25519, 9)), policy), "checkpoint_not_signed_by_log");
  Policy quorum = policy;
  quorum.quorum = "two";
  CHECK_EQ(code_of(log.bundle(), quorum), "quorum_not_met");
}

TEST_CASE("the head binds the item, the tree, the events and every byte of the rest") {
  const SmallLog log;
  Evidence evidence = log.evidence();
  evidence.checkpoint = log.signed_checkpoint(log.log);
  const auto with_head = [&](const std::string& text, const TestSigner& by, const std::string& more = {}) {
    Evidence own = evidence;
    own.head = make_note(text, by.line(text)) + more;
    return code_of(evidence_text(own), log.policy());
  };
  const std::string good = item_head_text(evidence, log.hashes.size());
  CHECK_EQ(with_head(good, log.log), "verified");
  CHECK_EQ(with_head(good, log.former), "head_not_signed_by_log");
  CHECK_EQ(with_head(good, log.log, log.log.line(good)), "head_malformed");
  CHECK_EQ(with_head(item_head_text(evidence, 6), log.log), "head_differs");
  CHECK_EQ(with_head(checkpoint_text(log.checkpoint()), log.log), "head_differs");
  Evidence other = evidence;
  other.events[3].personal.clear();
  CHECK_EQ(with_head(item_head_text(other, log.hashes.size()), log.log), "evidence_changed");
  other.events.pop_back();
  CHECK_EQ(with_head(item_head_text(other, log.hashes.size()), log.log), "head_differs");
}

TEST_CASE("a time-stamp over this tree or an earlier one counts, and one that does not hold only does not count") {
  const SmallLog log;
  const crypto::TestTimeStampAuthority authority("Stamps"), other("Others");
  TreeInMemory tree;
  for (const Digest& hash : log.hashes) tree.append(hash);
  const auto anchor_at = [&](std::uint64_t size, const crypto::TestTimeStampAuthority& by, std::int64_t at = now) {
    EvidenceAnchor anchor{.kind = "rfc3161", .token = {}, .size = size, .root = root_at(tree, size).value()};
    anchor.proof = consistency_proof(tree, size, log.hashes.size()).value();
    crypto::TimeStampRequest request;
    request.imprint = crypto::sha256(base::as_bytes(checkpoint_text({.origin = log.origin, .size = size, .root = anchor.root, .extensions = {}})));
    anchor.token = crypto::token_of_response(by.answer(crypto::time_stamp_request(request).value(), at)).value();
    return anchor;
  };
  Policy policy = log.policy();
  policy.tsas.push_back({"stamps", authority.ca_fingerprint()});
  const auto bundle_with = [&](std::vector<EvidenceAnchor> anchors) {
    Evidence evidence = log.evidence();
    evidence.anchors = std::move(anchors);
    return log.finished(evidence, log.log);
  };
  for (const std::uint64_t size : {6u, 7u}) {
    const auto verified = check_evidence(bundle_with({anchor_at(size, authority)}), policy, {.witnesses = 0, .anchors = 1});
    REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
    REQUIRE_EQ(verified->anchors.size(), 1);
    CHECK_EQ(verified->anchors[0].name, "stamps");
    CHECK_EQ(verified->anchors[0].seconds, static_cast<std::uint64_t>(now));
    CHECK_EQ(verified->anchors[0].size, size);
    CHECK(evidence_summary(*verified, SummaryLanguage::english).find("Time-stamped: by stamps at 2026-09-21T") != std::string::npos);
    CHECK(evidence_facts(*verified).find("\"anchors\":[{\"name\":\"stamps\",\"seconds\":1790000000") != std::string::npos);
  }
  // Each of these is good evidence, and none has a time-stamp that counts.
  const auto why = [&](EvidenceAnchor anchor) {
    const std::string bundle = bundle_with({std::move(anchor)});
    CHECK_EQ(code_of(bundle, policy, {.witnesses = 0, .anchors = 1}), "too_few_anchors");
    const auto verified = check_evidence(bundle, policy, {});
    REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
    CHECK(verified->anchors.empty());
    REQUIRE_EQ(verified->anchors_not_counted.size(), 1);
    const std::string code = verified->anchors_not_counted[0].why.code;
    CHECK(evidence_summary(*verified, SummaryLanguage::english).find("Time-stamp: one that does not count: " + code) != std::string::npos);
    return code;
  };
  const EvidenceAnchor good = anchor_at(6, authority);
  const auto changed = [&](auto change) {
    EvidenceAnchor anchor = good;
    change(anchor);
    return why(std::move(anchor));
  };
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.token[a.token.size() - 3] ^= 1; }), "time_stamp_signature_wrong");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.token.clear(); }), "time_stamp_malformed");
  CHECK_EQ(changed([&](EvidenceAnchor& a) { a.token = anchor_at(7, authority).token; }), "time_stamp_imprint_differs");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.root[0] ^= 1; }), "consistency_old_root_differs");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.proof.pop_back(); }), "consistency_proof_length_wrong");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.size = 8; }), "consistency_sizes_out_of_order");
  CHECK_EQ(why(anchor_at(5, authority)), "anchor_does_not_cover");
  CHECK_EQ(why(anchor_at(6, other)), "time_stamp_not_trusted");
  CHECK_EQ(why(anchor_at(6, authority, crypto::TestTimeStampAuthority::end + 1)), "time_stamp_certificate_not_valid_then");
  // Authorities are counted, not tokens.
  CHECK_EQ(code_of(bundle_with({good, anchor_at(7, authority)}), policy, {.witnesses = 0, .anchors = 2}), "too_few_anchors");
  policy.tsas.push_back({"others", other.own_fingerprint()});
  CHECK_EQ(code_of(bundle_with({good, anchor_at(6, other)}), policy, {.witnesses = 0, .anchors = 2}), "verified");
  CHECK_EQ(code_of(bundle_with(std::vector<EvidenceAnchor>(9, good)), policy), "evidence_malformed");
  const std::string bundle = bundle_with({good});
  for (std::size_t at = bundle.find("\"anchors\""); at < bundle.size(); at += 3) {
    std::string flipped = bundle;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    REQUIRE_MESSAGE(code_of(flipped, policy) != "verified", at);
  }
}

TEST_CASE("a transaction over this tree or an earlier one counts if the policy names its block") {
  constexpr std::uint64_t chain = 31337, number = 1234;
  const SmallLog log;
  TreeInMemory tree;
  for (const Digest& hash : log.hashes) tree.append(hash);
  // Among others, of every type.
  struct Mined {
    EvidenceAnchor anchor;
    PolicyEvmBlock block;
  };
  const auto mined = [&](std::uint64_t size, unsigned type, std::uint64_t on_chain, std::size_t others = 20) {
    EvidenceAnchor anchor{.kind = "evm", .token = {}, .size = size, .root = root_at(tree, size).value()};
    anchor.proof = consistency_proof(tree, size, log.hashes.size()).value();
    const Digest imprint = crypto::sha256(base::as_bytes(checkpoint_text({.origin = log.origin, .size = size, .root = anchor.root, .extensions = {}})));
    std::vector<base::Bytes> transactions;
    for (std::size_t i = 0; i < others; ++i) transactions.push_back(crypto::test_transaction(2, on_chain, base::Bytes(i, 5)));
    transactions.push_back(crypto::test_transaction(type, on_chain, imprint));
    const base::Bytes header = crypto::test_header(transactions, number, now);
    anchor.token = crypto::prove_evm_inclusion(header, transactions, others).value();
    return Mined{std::move(anchor), {.name = "chain", .chain_id = chain, .number = number, .hash = crypto::keccak256(header)}};
  };
  const auto bundle_with = [&](std::vector<EvidenceAnchor> anchors) {
    Evidence evidence = log.evidence();
    evidence.anchors = std::move(anchors);
    return log.finished(evidence, log.log);
  };
  const auto policy_with = [&](std::vector<PolicyEvmBlock> blocks) {
    Policy policy = log.policy();
    policy.evm_blocks = std::move(blocks);
    return policy;
  };
  for (const std::uint64_t size : {6, 7}) {
    for (const unsigned type : {0u, 1u, 2u, 3u, 4u}) {
      const Mined good = mined(size, type, chain, size == 6 ? 150 : 0);
      const auto verified = check_evidence(bundle_with({good.anchor}), policy_with({good.block}), {.witnesses = 0, .anchors = 1});
      REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
      REQUIRE_EQ(verified->anchors.size(), 1);
      CHECK_EQ(verified->anchors[0].name, "chain");
      CHECK_EQ(verified->anchors[0].seconds, static_cast<std::uint64_t>(now));
      CHECK_EQ(verified->anchors[0].size, size);
      const std::string where = "chain 31337, block 1234 (0x" + base::to_hex(good.block.hash) + "), at 2026-09-21T";
      CHECK(evidence_summary(*verified, SummaryLanguage::english).find("Anchored on a chain: chain, " + where) != std::string::npos);
      CHECK(evidence_summary(*verified, SummaryLanguage::chinese).find("链上锚定：chain，链 31337，区块 1234") != std::string::npos);
      CHECK(evidence_facts(*verified).find("\"chain_id\":\"31337\",\"block\":\"1234\",\"block_hash\":\"0x") != std::string::npos);
    }
  }
  const Mined good = mined(6, 2, chain);
  const auto why = [&](EvidenceAnchor anchor, const Policy& policy) {
    const std::string bundle = bundle_with({std::move(anchor)});
    CHECK_EQ(code_of(bundle, policy, {.witnesses = 0, .anchors = 1}), "too_few_anchors");
    const auto verified = check_evidence(bundle, policy, {});
    REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
    CHECK(verified->anchors.empty());
    REQUIRE_EQ(verified->anchors_not_counted.size(), 1);
    const std::string code = verified->anchors_not_counted[0].why.code;
    CHECK(evidence_summary(*verified, SummaryLanguage::english).find("Anchor on a chain: one that does not count: " + code) != std::string::npos);
    CHECK(evidence_facts(*verified).find("\"anchors_not_counted\":[{\"kind\":\"evm\",\"code\":\"" + code) != std::string::npos);
    return code;
  };
  // Nobody said that this block is in the chain: what there is to look up is said.
  const auto unnamed = check_evidence(bundle_with({good.anchor}), log.policy(), {});
  REQUIRE(unnamed.ok());
  CHECK(evidence_summary(*unnamed, SummaryLanguage::english).find("block 1234 (0x" + base::to_hex(good.block.hash) + ") of chain 31337") != std::string::npos);
  CHECK_EQ(why(good.anchor, log.policy()), "evm_block_not_in_policy");
  PolicyEvmBlock other = good.block;
  other.hash[3] ^= 1;
  CHECK_EQ(why(good.anchor, policy_with({other})), "evm_block_not_in_policy");
  other = good.block;
  other.number += 1;
  CHECK_EQ(why(good.anchor, policy_with({other})), "evm_block_not_in_policy");
  other = good.block;
  other.chain_id = 1;
  CHECK_EQ(why(good.anchor, policy_with({other})), "evm_chain_differs");
  const Mined unprotected = mined(6, 0, 0);   // without EIP-155: it may have been sent on any chain
  CHECK_EQ(why(unprotected.anchor, policy_with({unprotected.block})), "evm_chain_differs");

  const auto changed = [&](auto change) {
    EvidenceAnchor anchor = good.anchor;
    change(anchor);
    return why(std::move(anchor), policy_with({good.block}));
  };
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.token.clear(); }), "evm_token_malformed");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.token.push_back(0); }), "evm_token_malformed");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.token[a.token.size() - 3] ^= 1; }), "evm_inclusion_wrong");
  CHECK_EQ(changed([&](EvidenceAnchor& a) { a.token = mined(7, 2, chain).anchor.token; }), "evm_calldata_differs");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.root[0] ^= 1; }), "consistency_old_root_differs");
  CHECK_EQ(changed([](EvidenceAnchor& a) { a.size = 8; }), "consistency_sizes_out_of_order");
  EvidenceAnchor mislabelled = good.anchor;
  mislabelled.kind = "rfc3161";
  CHECK_EQ(std::string(check_evidence(bundle_with({mislabelled}), policy_with({good.block}), {})->anchors_not_counted.at(0).why.code), "time_stamp_malformed");
  const Mined early = mined(5, 2, chain);
  CHECK_EQ(why(early.anchor, policy_with({early.block})), "anchor_does_not_cover");
  std::vector<base::Bytes> odd{base::Bytes(60, 0x7e)};
  const base::Bytes odd_header = crypto::test_header(odd, number, now);
  crypto::RlpWriter token, nodes;
  nodes.raw(crypto::trie_path(odd, 0).nodes[0]);
  token.raw(odd_header);
  token.integer(0);
  token.raw(nodes.list());
  CHECK_EQ(changed([&](EvidenceAnchor& a) { a.token = token.list(); }), "evm_transaction_malformed");

  // Names are counted, not blocks; a time-stamp counts beside them.
  Mined later = mined(7, 2, chain, 3);
  const std::string both = bundle_with({good.anchor, later.anchor});
  CHECK_EQ(code_of(both, policy_with({good.block, later.block}), {.witnesses = 0, .anchors = 2}), "too_few_anchors");
  later.block.name = "another";
  CHECK_EQ(code_of(both, policy_with({good.block, later.block}), {.witnesses = 0, .anchors = 2}), "verified");

  const std::string bundle = bundle_with({good.anchor});
  const Policy policy = policy_with({good.block});
  for (std::size_t at = bundle.find("\"anchors\""); at < bundle.size(); at += 3) {
    std::string flipped = bundle;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    REQUIRE_MESSAGE(code_of(flipped, policy) != "verified", at);
  }
}

TEST_CASE("a bundle has one spelling") {
  const SmallLog log;
  const std::string bundle = log.bundle();
  const auto replaced = [&](std::string_view what, std::string_view by) {
    std::string text = bundle;
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
  };
  for (const auto& text : {replaced(",\"origin\"", ", \"origin\""), replaced("\\n", "\\u000a"), replaced("\"number\":1,", "\"number\":01,"),
                           replaced("\"number\":1,", "\"number\":1.0,"), replaced("\"item\"", "\"it\\u0065m\""), replaced("}\n", "}"),
                           replaced("\"transfer\"", "\"account\"")}) {
    CHECK_EQ(code_of(text, log.policy()), "evidence_malformed");
  }
  const auto back = parse_evidence(bundle);
  REQUIRE(back.ok());
  CHECK_EQ(evidence_text(*back), bundle);
}
