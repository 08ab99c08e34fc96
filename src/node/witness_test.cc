#include "node/witness_client.h"
#include "node/witness_server.h"

#include <chrono>
#include <thread>

#include "custody/soft/keyring.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/random.h"
#include "node/world_test.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

struct Keys {
  Keys(io::FileSystem& files, io::Random& random, const std::string& name)
      : master(std::move(*custody::MasterKey::create(files, random, {.path = "/" + name + ".key", .data_directory = "/" + name}))),
        ring(std::move(*custody::Keyring::create(files, random, master, "/" + name + "-keys"))) {}
  audit::NoteKey note_key(std::string name, audit::NoteKeyKind kind) const {
    audit::NoteKey key{.name = std::move(name), .kind = kind, .public_key = {}};
    std::ranges::copy(ring.log_signer(1)->public_key(), key.public_key.begin());
    return key;
  }
  custody::MasterKey master;
  custody::Keyring ring;
};

// A log in a world of its own and a witness on another disk.
struct Watched {
  Watched() : log_keys(world.files, world.random, "log"), witness_keys(witness_disk, world.random, "witness") {
    witness_key = witness_keys.note_key("w.example/1", audit::NoteKeyKind::cosignature_v1);
    world.open_accounts({"a"});
    open_witness();
  }
  void open_witness() {
    auto opened = node::WitnessServer::open(witness_disk, world.clock, *witness_keys.ring.log_signer(1), witness_key,
                                            {log_keys.note_key("log.example/one", audit::NoteKeyKind::ed25519)}, "/witness");
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    witness = std::move(*opened);
  }
  std::unique_ptr<node::AuditLog> open_log(node::World& of, const std::string& directory = "/data") {
    node::AuditLogOptions options;
    options.directory = directory;
    options.published_file = directory + ".published";
    options.origin = "log.example/one";
    auto opened = node::AuditLog::open(of.files, *of.partition->reader, of.blinding, log_keys.ring, options);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    return std::move(*opened);
  }
  audit::Policy policy() const {
    audit::Policy policy;
    policy.witnesses.push_back({"one", witness_key, "http://127.0.0.1:1"});
    policy.quorum = "one";
    return policy;
  }
  node::WitnessPost post() {
    return [this](const std::string&, const std::string& body) -> base::Result<node::WitnessReply> {
      ++asked;
      if (away) return base::Error{"connect_failed", "nobody there"};
      wire::Request request;
      request.method = "POST";
      request.path = "/add-checkpoint";
      request.body = body;
      const wire::Response response = witness->answer(request);
      return node::WitnessReply{response.status, response.body};
    };
  }
  void move_money(node::World& in, int times, const std::string& name) {
    for (int i = 0; i < times; ++i) in.now(name + std::to_string(++keys), in.transfer("world/USD", "a", 5));
  }
  node::World world;
  io::SimulatedFileSystem witness_disk{5};
  Keys log_keys, witness_keys;
  audit::NoteKey witness_key;
  std::unique_ptr<node::WitnessServer> witness;
  int asked = 0, keys = 0;
  bool away = false;
};

std::string code_of(const std::optional<base::Error>& error) { return error ? error->code : "none"; }

}  // namespace

TEST_CASE("a witness follows the log, over its own restart too, and the quorum decides what counts as witnessed") {
  Watched w;
  auto log = w.open_log(w.world);
  node::WitnessClient client(*log, w.policy(), w.post(), base::seconds(1));
  CHECK(log->witnessed() == nullptr);
  w.away = true;
  client.ask_all();
  CHECK_EQ(client.stats().failing, 1);
  CHECK(client.stats().last_failure.starts_with("one: nobody there"));
  w.away = false;
  client.ask_all();
  REQUIRE(log->witnessed() != nullptr);
  CHECK_EQ(client.stats().witnessed_size, log->published()->checkpoint.size);
  const audit::NoteKey keys[] = {log->key()};
  const audit::NoteKey witnesses[] = {w.witness_key};
  const auto verified = audit::verify_checkpoint_note(log->published()->note, "log.example/one", keys, witnesses);
  REQUIRE(verified.ok());
  CHECK_EQ(verified->cosignatures.size(), 1);
  const int before = w.asked;
  client.ask_all();
  CHECK_EQ(w.asked, before);   // nothing new, nobody is asked

  w.move_money(w.world, 20, "x");
  w.open_witness();
  log = w.open_log(w.world);
  node::WitnessClient again(*log, w.policy(), w.post(), base::seconds(1));
  again.ask_all();   // learns the size, proves, is cosigned
  REQUIRE(log->witnessed() != nullptr);
  CHECK_EQ(log->witnessed()->checkpoint.size, log->size());
  CHECK(!log->trouble());
}

TEST_CASE("a restored older copy is told by a witness, and publishes no more") {
  Watched w;
  const auto old_log = w.open_log(w.world);
  w.move_money(w.world, 10, "x");
  REQUIRE(w.world.files.make_dir("/data2dir").ok());
  const auto log = w.open_log(w.world, "/data2dir");
  node::WitnessClient client(*log, w.policy(), w.post(), base::seconds(1));
  client.ask_all();
  REQUIRE(log->witnessed() != nullptr);
  // The copy knows nothing of what was published later.
  node::WitnessClient of_copy(*old_log, w.policy(), w.post(), base::seconds(1));
  of_copy.ask_all();
  CHECK_EQ(code_of(old_log->trouble()), "witness_knows_a_larger_log");
  CHECK(old_log->witnessed() == nullptr);
}

TEST_CASE("one witness among several cannot stop the log by its word alone") {
  Watched w;
  const auto log = w.open_log(w.world);
  audit::Policy policy = w.policy();
  policy.witnesses.push_back({"two", w.log_keys.note_key("w.example/2", audit::NoteKeyKind::cosignature_v1), "http://127.0.0.1:2"});
  policy.groups.push_back({"either", 1, {"one", "two"}});
  policy.quorum = "either";
  const auto honest = w.post();
  std::string lie = "999999\n";
  const node::WitnessPost post = [&](const std::string& url, const std::string& body) -> base::Result<node::WitnessReply> {
    return url.ends_with(":2") ? node::WitnessReply{409, lie} : honest(url, body);
  };
  node::WitnessClient client(*log, policy, post, base::seconds(1));
  client.ask_all();
  CHECK(!log->trouble());
  REQUIRE(log->witnessed() != nullptr);
  CHECK_EQ(client.stats().failing, 1);
  CHECK(client.stats().last_failure.find("[witness_knows_a_larger_log]") != std::string::npos);
  // With nobody else to turn to, it counts.
  policy.quorum = "two";
  node::WitnessClient needy(*log, policy, post, base::seconds(1));
  needy.ask_all();
  CHECK_EQ(code_of(log->trouble()), "witness_knows_a_larger_log");
}

TEST_CASE("a forked copy that has overtaken the log is caught by a witness") {
  Watched w;
  w.move_money(w.world, 10, "x");
  const auto log = w.open_log(w.world);
  node::WitnessClient client(*log, w.policy(), w.post(), base::seconds(1));
  client.ask_all();
  REQUIRE(log->witnessed() != nullptr);
  // Another history under the same keys and name.
  node::World fork;
  fork.open_accounts({"a"});
  w.move_money(fork, 30, "other");
  const auto forked = w.open_log(fork);
  REQUIRE(forked->size() > log->size());
  node::WitnessClient of_fork(*forked, w.policy(), w.post(), base::seconds(1));
  of_fork.ask_all();
  CHECK_EQ(code_of(forked->trouble()), "witness_knows_another_log");
}

TEST_CASE("a witness remembers before it answers, and does not start with a damaged memory") {
  Watched w;
  const auto log = w.open_log(w.world);
  node::WitnessClient client(*log, w.policy(), w.post(), base::seconds(1));
  client.ask_all();
  const auto names = w.witness_disk.list("/witness");
  REQUIRE_EQ(names->size(), 1);
  wire::Request request;
  request.method = "GET";
  request.path = "/" + names->front() + "/checkpoint";
  CHECK_EQ(w.witness->answer(request).body, log->published()->note);
  request.path = "/" + std::string(64, '0') + "/checkpoint";
  CHECK_EQ(w.witness->answer(request).status, 404);
  request.path = "/add-checkpoint";
  CHECK_EQ(w.witness->answer(request).status, 405);
  request.method = "POST";
  request.body = "nonsense";
  CHECK_EQ(w.witness->answer(request).status, 400);

  REQUIRE(io::replace_file(w.witness_disk, "/witness/" + names->front(), base::as_bytes("nonsense")).ok());
  const auto opened = node::WitnessServer::open(w.witness_disk, w.world.clock, *w.witness_keys.ring.log_signer(1), w.witness_key, {}, "/witness");
  REQUIRE(!opened.ok());
  CHECK_EQ(std::string(opened.error().code), "witness_memory_damaged");
}

TEST_CASE("the same over the network: a cosignature, and the sizes that statuses carry") {
  io::ignore_broken_pipes();
  Watched w;
  w.move_money(w.world, 10, "x");
  const auto log = w.open_log(w.world);
  const auto clock = std::move(*io::RealClock::open());
  const auto loop = std::move(*io::Loop::open());
  const auto server = std::move(*edge::Server::open(*loop, *clock, {"127.0.0.1", 0}, nullptr, *w.witness));
  std::thread serving([&loop] { loop->run(); });
  audit::Policy policy = w.policy();
  policy.witnesses[0].url = "http://" + server->endpoint().text() + "/";
  const auto post = node::post_over_network(w.world.files, "");
  node::WitnessClient client(*log, policy, post, base::milliseconds(20));
  client.start();
  for (int i = 0; i < 500 && log->witnessed() == nullptr; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  client.stop();
  CHECK(log->witnessed() != nullptr);
  CHECK_EQ(client.stats().last_failure, "");
  const auto behind = post(policy.witnesses[0].url, audit::add_checkpoint_text({.old_size = 0, .proof = {}, .note = log->published()->note}));
  REQUIRE(behind.ok());
  CHECK_EQ(behind->status, 409);
  CHECK_EQ(behind->body, std::to_string(log->size()) + "\n");
  loop->stop();
  serving.join();
}

TEST_CASE("witnesses are asked over https, or http on this machine only") {
  io::SimulatedFileSystem files(1);
  const auto post = node::post_over_network(files, "");
  for (const char* url : {"ftp://w.example", "http://w.example/", "http://10.0.0.1:80", "https://", "https://w.example:0/", "https://w.example:x"}) {
    CHECK_EQ(std::string(post(url, "").error().code), "witness_url_malformed");
  }
  CHECK(!post("http://127.0.0.1:1/", "").ok());
}
