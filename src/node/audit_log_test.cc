#include "node/audit_log.h"

#include "audit/checkpoint.h"
#include "audit/evidence_check.h"
#include "crypto/evm/block_for_tests.h"
#include "crypto/evm/inclusion.h"
#include "crypto/hash.h"
#include "crypto/keccak.h"
#include "crypto/time_stamp.h"
#include "crypto/time_stamping_test.h"
#include "custody/soft/keyring.h"
#include "io/faulting_file.h"
#include "io/random.h"
#include "node/anchors.h"
#include "node/evidence.h"
#include "node/world_test.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

std::string code_of(const base::Error& error) { return error.code; }

// A world with keys, whose log is opened again and again.
struct Logged {
  Logged() {
    auto made_master = custody::MasterKey::create(world.files, world.random, {.path = "/key", .data_directory = "/data"});
    REQUIRE(made_master.ok());
    master.emplace(std::move(*made_master));
    auto made = custody::Keyring::create(world.files, world.random, *master, "/data/keys");
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().message));
    keyring.emplace(std::move(*made));
    world.open_accounts({"a", "b"});
  }
  node::AuditLogOptions options() const {
    node::AuditLogOptions options;
    options.directory = "/data";
    options.published_file = "/data.published";
    options.publish_interval_ms = 20;
    options.key_version = key_version;
    options.origin = origin;
    return options;
  }
  base::Result<std::unique_ptr<node::AuditLog>> try_open() {
    return node::AuditLog::open(*disk, *world.partition->reader, world.blinding, *keyring, options());
  }
  std::unique_ptr<node::AuditLog> open() {
    auto opened = try_open();
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    return std::move(*opened);
  }
  void move_money(int times) {
    for (int i = 0; i < times; ++i) {
      world.submit("k" + std::to_string(++keys), world.transfer("world/USD", "a", 5));
      if (i % 7 == 6) world.commit();
    }
    world.commit();
  }
  // As the service does it: the sync thread shows every group.
  void show_moves(node::AuditLog& log, int times) {
    for (int i = 0; i < times; ++i) {
      world.submit("s" + std::to_string(++keys), world.transfer("world/USD", "b", 1));
      while (world.engine->has_group()) {
        node::OutgoingGroup group = world.engine->seal_group(false);
        auto sealed = world.partition->journal->append(std::move(*group.draft));
        REQUIRE(sealed.ok());
        log.durable(**sealed);
      }
    }
  }
  node::World world;
  io::FileSystem* disk = &world.files;
  std::optional<custody::MasterKey> master;
  std::optional<custody::Keyring> keyring;
  std::uint32_t key_version = 1;
  std::string origin = "log.example/one";
  int keys = 0;
};

std::vector<audit::NoteKey> keys_of(const node::AuditLog& log) { return {log.key()}; }

}  // namespace

TEST_CASE("evidence leaves out what its tree does not hold, and of more events than a bundle takes there is none") {
  Logged logged;
  logged.move_money(10);
  const auto log = logged.open();
  const auto published = log->published();
  REQUIRE(published != nullptr);
  const model::EventNumber last = published->checkpoint.size;
  node::EvidenceSubject subject{.id = model::transfer_id(0, last), .items = {last, last + 1}, .context = {}};
  const auto bundle = node::make_evidence(*log, *logged.world.partition->reader, *published, subject);
  REQUIRE_MESSAGE(bundle.ok(), (bundle.ok() ? std::string() : bundle.error().message));
  CHECK(audit::parse_evidence(*bundle)->events.size() == 1);
  subject.items.assign(audit::evidence_events_max + 1, last);
  const auto refused = node::make_evidence(*log, *logged.world.partition->reader, *published, subject);
  REQUIRE_FALSE(refused.ok());
  CHECK(code_of(refused.error()) == "evidence_too_large");
}

TEST_CASE("a checkpoint covers everything durable, and its tiles prove every leaf and every former size") {
  Logged logged;
  logged.move_money(600);
  const auto log = logged.open();
  const auto published = log->published();
  REQUIRE(published != nullptr);
  const auto keys = keys_of(*log);
  const auto verified = audit::verify_checkpoint_note(published->note, "log.example/one", keys, {});
  REQUIRE(verified.ok());
  const audit::Checkpoint& checkpoint = verified->checkpoint;
  const store::JournalEnd end = logged.world.partition->reader->end();
  CHECK_EQ(checkpoint.size, end.tree_size);
  CHECK(checkpoint.root == end.tree_root);

  for (std::uint64_t index = 0; index < checkpoint.size; index += 37) {
    const auto leaf = log->leaf(index);
    REQUIRE(leaf.ok());
    const auto proof = log->prove(index, checkpoint, audit::leaf_hash(*leaf));
    REQUIRE(proof.ok());
    CHECK(audit::verify_inclusion(audit::leaf_hash(*leaf), index, checkpoint.size, *proof, checkpoint.root).ok());
  }
  // What a stranger does: fetch tiles and bundles, hash the leaves, build the tree.
  audit::Frontier own;
  for (std::uint64_t n = 0; n * 256 < checkpoint.size; ++n) {
    const unsigned width = audit::tile_width_at(checkpoint.size, 0, n);
    const auto hashes = log->tile({false, 0, n, width});
    const auto bundle = log->entry_bundle({true, 0, n, width});
    REQUIRE(hashes.ok());
    REQUIRE(bundle.ok());
    const auto leaves = audit::parse_entry_bundle(*bundle, width);
    REQUIRE(leaves.ok());
    for (unsigned i = 0; i < width; ++i) {
      const audit::Digest hash = audit::leaf_hash((*leaves)[i]);
      CHECK(std::equal(hash.begin(), hash.end(), hashes->begin() + 32 * i));
      own.append(hash);
    }
    if (n == 1) {
      const auto consistency = log->prove_consistency(512, checkpoint);
      REQUIRE(consistency.ok());
      CHECK(audit::verify_consistency(512, own.root(), checkpoint.size, checkpoint.root, *consistency).ok());
    }
  }
  CHECK(own.root() == checkpoint.root);
  CHECK_EQ(code_of(log->tile({false, 0, checkpoint.size / 256, 256}).error()), "tile_not_there");
  CHECK_EQ(code_of(log->entry_bundle({true, 0, checkpoint.size / 256, 256}).error()), "tile_not_there");
}

TEST_CASE("groups that become durable are in the next checkpoint without being hashed again") {
  Logged logged;
  const auto log = logged.open();
  log->start();
  const std::uint64_t before = log->published()->checkpoint.size;
  logged.show_moves(*log, 300);
  const auto published = log->wait_published(before + 300, base::seconds(10));
  REQUIRE(published != nullptr);
  CHECK(published->checkpoint.root == logged.world.partition->reader->end().tree_root);
  CHECK(!log->trouble());
  CHECK(log->wait_published(before + 301, base::milliseconds(50)) == nullptr);
  log->stop();
}

TEST_CASE("opening again takes the tiles over; without them they are made anew") {
  Logged logged;
  logged.move_money(700);
  const auto first = logged.open()->published();
  logged.move_money(100);
  const auto second = logged.open()->published();
  CHECK_EQ(second->checkpoint.size, first->checkpoint.size + 100);
  REQUIRE(store::TileStore::erase(logged.world.files, "/data/tiles").ok());
  CHECK_EQ(logged.open()->published()->note, second->note);
}

TEST_CASE("an older copy of the directory does not go on under the same origin") {
  Logged logged;
  logged.move_money(30);
  const auto old_note = logged.open()->published()->note;
  // What was published later is remembered beside the directory.
  auto later = logged.world.partition->reader->end();
  later.tree_size += 10;
  const auto log = logged.open();
  const auto forged = log->sign(audit::checkpoint_text({.origin = "log.example/one", .size = later.tree_size, .root = {1}, .extensions = {}}));
  REQUIRE(forged.ok());
  REQUIRE(io::replace_file(logged.world.files, "/data.published", base::as_bytes(*forged)).ok());
  CHECK_EQ(code_of(logged.try_open().error()), "log_behind_its_checkpoint");
  logged.origin = "log.example/two";
  CHECK(logged.open()->published()->note.starts_with("log.example/two\n"));
}

TEST_CASE("a fork does not go on, and a damaged memory of what was published is named") {
  Logged logged;
  logged.move_money(30);
  const auto log = logged.open();
  const auto published = log->published();
  const auto forged = log->sign(audit::checkpoint_text({.origin = "log.example/one", .size = published->checkpoint.size - 1, .root = {1}, .extensions = {}}));
  REQUIRE(io::replace_file(logged.world.files, "/data.published", base::as_bytes(*forged)).ok());
  CHECK_EQ(code_of(logged.try_open().error()), "log_differs_from_its_checkpoint");

  for (std::size_t at = 0; at < published->note.size(); ++at) {
    std::string flipped = published->note;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    REQUIRE(io::replace_file(logged.world.files, "/data.published", base::as_bytes(flipped)).ok());
    const auto opened = logged.try_open();
    REQUIRE_MESSAGE(!opened.ok(), std::to_string(at));
    CHECK_EQ(code_of(opened.error()), "published_checkpoint_damaged");
  }
}

TEST_CASE("after a change of the key new checkpoints are signed with the new one, and old ones stay good") {
  Logged logged;
  logged.move_money(10);
  const auto before = logged.open();
  REQUIRE(logged.keyring->add_version(custody::Purpose::log_signing, logged.world.files, logged.world.random, *logged.master).ok());
  logged.key_version = 2;
  logged.move_money(1);
  const auto after = logged.open();
  const auto new_key = keys_of(*after);
  CHECK(audit::verify_checkpoint_note(after->published()->note, logged.origin, new_key, {}).ok());
  CHECK_EQ(code_of(audit::verify_checkpoint_note(before->published()->note, logged.origin, new_key, {}).error()), "note_signed_by_no_known_key");
  logged.key_version = 3;
  CHECK_EQ(code_of(logged.try_open().error()), "log_key_missing");
  logged.key_version = 2;
  logged.origin = "has blanks";
  CHECK_EQ(code_of(logged.try_open().error()), "audit_origin_malformed");
}

TEST_CASE("a damaged tile is an error, never a wrong proof") {
  Logged logged;
  logged.move_money(600);
  const auto log = logged.open();
  const auto published = log->published();
  const auto file = logged.world.files.open("/data/tiles/level-0.tiles", io::OpenMode::read_write);
  REQUIRE(file.ok());
  REQUIRE((*file)->write_at(64 + 100, std::array<std::uint8_t, 1>{0x5A}).ok());
  const auto leaf = log->leaf(3);
  REQUIRE(leaf.ok());
  CHECK_EQ(code_of(log->prove(3, published->checkpoint, audit::leaf_hash(*leaf)).error()), "tile_damaged");
  CHECK_EQ(code_of(log->tile({false, 0, 0, 256}).error()), "tile_damaged");
}

TEST_CASE("a disk that fails and recovers holds checkpoints up and no longer") {
  Logged logged;
  io::FaultingFileSystem disk(logged.world.files);
  logged.disk = &disk;
  const auto log = logged.open();
  log->start();
  const std::uint64_t before = log->published()->checkpoint.size;
  disk.faults().fail_calls_from(1, io::Fault::io_error);
  logged.show_moves(*log, 300);
  CHECK(log->wait_published(before + 300, base::milliseconds(200)) == nullptr);
  REQUIRE(log->trouble());
  CHECK(code_of(*log->trouble()).starts_with("file_"));
  disk.faults().clear();
  logged.show_moves(*log, 1);
  const auto published = log->wait_published(before + 301, base::seconds(10));
  REQUIRE(published != nullptr);
  CHECK(published->checkpoint.root == logged.world.partition->reader->end().tree_root);
  CHECK(!log->trouble());
}

TEST_CASE("a log that was told to stop publishes no more and says why") {
  Logged logged;
  const auto log = logged.open();
  log->start();
  log->refuse_to_go_on("witness_knows_a_larger_log", "w1 knows 99 leaves");
  CHECK(log->wait_published(log->size() + 1, base::milliseconds(30)) == nullptr);
  REQUIRE(log->trouble());
  CHECK_EQ(code_of(*log->trouble()), "witness_knows_a_larger_log");
}

TEST_CASE("a time-stamp of the published checkpoint is asked for, checked, stored, and found for the events under it") {
  constexpr std::int64_t now = 1'790'000'000;
  Logged logged;
  io::FileSystem& files = logged.world.files;
  const crypto::TestTimeStampAuthority authority("Stamps"), other("Others");
  audit::Policy policy;
  policy.tsas.push_back({"stamps", authority.ca_fingerprint()});
  const auto ask = [&] { return node::request_anchor(files, logged.world.random, "/data", ""); };
  const auto answer = [&](const node::AnchorRequest& asked, const crypto::TestTimeStampAuthority& by) { return by.answer(asked.request, now); };
  const auto refused = [&](base::ByteView response) {
    const auto stored = node::store_anchor(files, "/data", response, policy);
    return stored.ok() ? std::string() : code_of(stored.error());
  };
  CHECK_EQ(code_of(ask().error()), "no_checkpoint_published");
  std::uint64_t stamped = 0;
  {
    const auto log = logged.open();
    stamped = log->published()->checkpoint.size;
    CHECK(log->anchors(1, log->published()->checkpoint).empty());
  }
  CHECK_EQ(code_of(node::request_anchor(files, logged.world.random, "/data", "moon").error()), "time_stamp_policy_malformed");
  const auto first = ask(), second = ask();
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK_EQ(first->size, stamped);
  CHECK(first->request != second->request);

  // What answers nothing, or is of nobody the policy names, is not stored.
  CHECK_EQ(code_of(node::store_anchor(files, "/data", answer(*first, authority), {}).error()), "policy_without_tsa");
  CHECK_EQ(refused(answer(*first, other)), "time_stamp_not_trusted");
  CHECK_EQ(refused(first->request), "time_stamp_malformed");
  auto foreign = *crypto::parse_time_stamp_request(first->request);
  foreign.nonce[5] ^= 1;
  CHECK_EQ(refused(authority.answer(*crypto::time_stamp_request(foreign), now)), "time_stamp_nonce_differs");
  foreign.imprint[0] ^= 1;
  CHECK_EQ(refused(authority.answer(*crypto::time_stamp_request(foreign), now)), "time_stamp_imprint_differs");
  base::Bytes flipped = answer(*first, authority);
  flipped[flipped.size() - 3] ^= 1;
  CHECK_EQ(refused(flipped), "time_stamp_signature_wrong");
  CHECK(node::stored_anchors(files, "/data")->empty());

  const auto stored = node::store_anchor(files, "/data", answer(*second, authority), policy);
  REQUIRE_MESSAGE(stored.ok(), (stored.ok() ? std::string() : stored.error().message));
  CHECK_EQ(stored->authority, "stamps");
  CHECK_EQ(stored->size, stamped);
  CHECK_EQ(refused(answer(*second, authority)), "time_stamp_nonce_differs");   // answered once; the first is still open

  logged.move_money(30);
  const auto log = logged.open();
  const audit::Checkpoint newest = log->published()->checkpoint;
  REQUIRE(newest.size > stamped);
  const auto anchors = log->anchors(stamped, newest);
  REQUIRE_EQ(anchors.size(), 1);
  CHECK_EQ(anchors[0].size, stamped);
  CHECK(audit::verify_consistency(anchors[0].size, anchors[0].root, newest.size, newest.root, anchors[0].proof).ok());
  CHECK(log->anchors(stamped + 1, newest).empty());
  CHECK(log->anchors(1, {.origin = newest.origin, .size = stamped - 1, .root = {}, .extensions = {}}).empty());

  // A later one is for later events; earlier events keep the earlier time.
  const auto later = ask();
  REQUIRE(later.ok());
  REQUIRE_EQ(later->size, newest.size);
  REQUIRE_EQ(refused(answer(*later, authority)), "");
  CHECK_EQ(log->anchors(1, newest).at(0).size, stamped);
  CHECK_EQ(log->anchors(stamped + 1, newest).at(0).size, newest.size);

  // Damaged, or not of this log: left out.
  const auto list = node::stored_anchors(files, "/data");
  REQUIRE_EQ(list->size(), 2);
  const std::string path = node::anchors_directory("/data") + "/" + (*list)[0].name;
  const base::Bytes token = *node::read_anchor(files, "/data", (*list)[0]);
  REQUIRE(io::replace_file(files, path, base::ByteView(token).first(token.size() - 1)).ok());
  CHECK_EQ(code_of(node::read_anchor(files, "/data", (*list)[0]).error()), "anchor_damaged");
  CHECK_EQ(logged.open()->anchors(1, newest).at(0).size, newest.size);
  CHECK(log->anchors(1, newest).at(0).token == token);   // as it was when it was read and checked
  REQUIRE(files.remove(path).ok());
  CHECK_EQ(log->anchors(1, newest).at(0).size, newest.size);
  REQUIRE(io::replace_file(files, "/data/audit/checkpoint", base::as_bytes("nonsense")).ok());
  CHECK_EQ(code_of(ask().error()), "published_checkpoint_damaged");
}

TEST_CASE("a transaction on a chain anchors the published checkpoint, beside time-stamps") {
  constexpr std::uint64_t chain = 31337, number = 77, now = 1'790'000'000;
  Logged logged;
  io::FileSystem& files = logged.world.files;
  const auto ask = [&] { return node::request_evm_anchor(files, "/data"); };
  // Alone in its block.
  const auto header_of = [&](const base::Bytes& transaction) { return crypto::test_header({transaction}, number, now); };
  const auto token_of = [&](base::ByteView calldata, unsigned type = 2, base::U128 on_chain = 31337) {
    const std::vector<base::Bytes> transactions{crypto::test_transaction(type, on_chain, calldata)};
    return crypto::prove_evm_inclusion(header_of(transactions[0]), transactions, 0).value();
  };
  const auto refused = [&](base::ByteView token) {
    const auto stored = node::store_evm_anchor(files, "/data", token);
    return stored.ok() ? std::string() : code_of(stored.error());
  };
  CHECK_EQ(code_of(ask().error()), "no_checkpoint_published");
  audit::Checkpoint first;
  {
    const auto log = logged.open();
    first = log->published()->checkpoint;
  }
  const auto asked = ask();
  REQUIRE(asked.ok());
  CHECK_EQ(asked->size, first.size);
  CHECK_EQ(asked->calldata, crypto::sha256(base::as_bytes(audit::checkpoint_text(first))));
  CHECK_EQ(ask()->calldata, asked->calldata);   // asked twice is the same request

  base::Digest other = asked->calldata;
  other[0] ^= 1;
  CHECK_EQ(refused(token_of(other)), "evm_calldata_differs");
  CHECK_EQ(refused(token_of(asked->calldata, 0, 0)), "evm_transaction_names_no_chain");
  CHECK_EQ(refused(token_of(asked->calldata, 2, base::U128{1} << 64)), "evm_transaction_names_no_chain");
  base::Bytes damaged = token_of(asked->calldata);
  damaged.pop_back();
  CHECK_EQ(refused(damaged), "evm_token_malformed");
  damaged = token_of(asked->calldata);
  damaged[damaged.size() - 1] ^= 1;
  CHECK_EQ(refused(damaged), "evm_inclusion_wrong");
  CHECK(node::stored_anchors(files, "/data")->empty());

  const base::Bytes token = token_of(asked->calldata);
  const auto stored = node::store_evm_anchor(files, "/data", token);
  REQUIRE_MESSAGE(stored.ok(), (stored.ok() ? std::string() : stored.error().message));
  CHECK_EQ(stored->size, first.size);
  CHECK_EQ(stored->seconds, now);
  CHECK_EQ(stored->block.chain_id, chain);
  CHECK_EQ(stored->block.number, number);
  CHECK_EQ(stored->block.hash, crypto::keccak256(header_of(crypto::test_transaction(2, chain, asked->calldata))));
  CHECK_EQ(refused(token), "evm_calldata_differs");   // answered once

  // Of a request that is remembered elsewhere, no file says that it is under way.
  const auto store_own = [&](const base::Bytes& proof) {
    const auto own = node::store_evm_anchor(files, "/data", proof, *asked);
    return own.ok() ? std::string() : code_of(own.error());
  };
  const auto found = [&](std::uint64_t on_chain) { return *node::find_evm_anchor(files, "/data", *asked, on_chain); };
  CHECK_EQ(found(chain)->block.number, number);
  CHECK_FALSE(found(1).has_value());
  CHECK_EQ(store_own(token_of(other)), "evm_calldata_differs");
  CHECK_EQ(store_own(token_of(asked->calldata, 0, 0)), "evm_transaction_names_no_chain");
  CHECK_EQ(store_own(damaged), "evm_inclusion_wrong");
  CHECK_EQ(store_own(token), "");
  REQUIRE_EQ(node::stored_anchors(files, "/data")->size(), 1);   // the same file
  const std::string stored_file = node::anchors_directory("/data") + "/" + node::stored_anchors(files, "/data")->front().name;
  REQUIRE(io::replace_file(files, stored_file, damaged).ok());
  CHECK_FALSE(found(chain).has_value());
  CHECK_EQ(store_own(token), "");
  CHECK_EQ(found(chain)->seconds, now);

  logged.move_money(30);
  const auto log = logged.open();
  const audit::Checkpoint newest = log->published()->checkpoint;
  auto anchors = log->anchors(first.size, newest);
  REQUIRE_EQ(anchors.size(), 1);
  CHECK_EQ(anchors[0].kind, "evm");
  CHECK_EQ(anchors[0].token, token);
  CHECK(audit::verify_consistency(anchors[0].size, anchors[0].root, newest.size, newest.root, anchors[0].proof).ok());
  CHECK(log->anchors(first.size + 1, newest).empty());

  // Of each kind the earliest that covers, whatever the other kind has.
  const crypto::TestTimeStampAuthority authority("Stamps");
  audit::Policy policy;
  policy.tsas.push_back({"stamps", authority.ca_fingerprint()});
  const auto stamp = node::request_anchor(files, logged.world.random, "/data", "");
  REQUIRE(stamp.ok());
  REQUIRE(node::store_anchor(files, "/data", authority.answer(stamp->request, static_cast<std::int64_t>(now)), policy).ok());
  for (int i = 0; i < 6; ++i) {
    REQUIRE_EQ(ask()->size, newest.size);
    REQUIRE_EQ(refused(token_of(ask()->calldata, 2, chain + static_cast<unsigned>(i))), "");
  }
  anchors = log->anchors(1, newest);
  REQUIRE_EQ(anchors.size(), 2);
  CHECK_EQ(anchors[0].size, first.size);
  CHECK_EQ(anchors[1].kind, "rfc3161");
  CHECK_EQ(anchors[1].size, newest.size);
  CHECK_EQ(log->anchors(first.size + 1, newest).size(), 5);   // four on chains, and the time-stamp has its place

  const auto list = node::stored_anchors(files, "/data");
  REQUIRE_EQ(list->size(), 8);
  REQUIRE(io::replace_file(files, node::anchors_directory("/data") + "/" + list->front().name, base::as_bytes("another")).ok());
  CHECK_EQ(code_of(node::read_anchor(files, "/data", list->front()).error()), "anchor_damaged");
  CHECK_EQ(logged.open()->anchors(1, newest).at(0).size, newest.size);
}
