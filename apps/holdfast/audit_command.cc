// holdfast audit: the log as its readers see it, and what its keeper does with it.

#include <algorithm>
#include <charconv>
#include <chrono>

#include "apps/holdfast/audit_anchor.h"
#include "apps/holdfast/commands.h"
#include "apps/holdfast/offline.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "audit/checkpoint.h"
#include "audit/policy.h"
#include "audit/tile.h"
#include "audit/tlog_proof.h"
#include "base/text.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "model/ids.h"
#include "model/private_field.h"
#include "model/registry.h"
#include "node/audit_keeping.h"
#include "node/deep_verify.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

// --- of a running service: checkpoint and tiles, as any stranger reads them ---------------------------------------------

base::Result<std::string> fetch(ApiClient& client, const std::string& path) {
  TRY_ASSIGN(ApiReply reply, client.call({.path = path}));
  if (!reply.good()) return base::Error{"request_refused", path + ": " + readable_problem(reply.body)};
  return std::move(reply.body);
}

class ServedTiles final : public audit::TileSource {
 public:
  explicit ServedTiles(ApiClient& client) : client_(client) {}
  base::Status read_tile(const audit::TileId& id, std::span<std::uint8_t> out) override {
    TRY_ASSIGN(const std::string bytes, fetch(client_, "/v1/audit/" + audit::tile_path(id)));
    if (bytes.size() != out.size()) return base::Error{"tile_damaged", audit::tile_path(id) + " has another size"};
    std::ranges::copy(base::as_bytes(bytes), out.begin());
    return base::ok();
  }

 private:
  ApiClient& client_;
};

struct Remote {
  io::RealFileSystem files;
  std::unique_ptr<ApiClient> client;
  std::string note;
  audit::Checkpoint checkpoint;

  base::Status open(const Arguments& arguments) {
    TRY_ASSIGN(client, connect(files, arguments));
    TRY_ASSIGN(note, fetch(*client, "/v1/audit/checkpoint"));
    TRY_ASSIGN(const audit::Note parsed, audit::parse_note(note));
    TRY_ASSIGN(checkpoint, audit::parse_checkpoint_text(parsed.text));
    return base::ok();
  }
};

int run_checkpoint(const Arguments& arguments) {
  Remote remote;
  const base::Status opened = remote.open(arguments);
  if (!opened.ok()) return fail(opened.error());
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("origin", std::string_view(remote.checkpoint.origin));
    json.member("size", remote.checkpoint.size);
    json.member("root", std::string_view(base::to_base64(remote.checkpoint.root)));
    json.member("note", std::string_view(remote.note));
    json.end_object();
    print(text);
  } else {
    print(remote.note);
  }
  return exit_done;
}

base::Result<std::uint64_t> event_of(std::string_view word) {
  if (const auto id = model::parse_transfer_id(word)) return id->event;
  if (const auto id = model::parse_import_id(word)) return *id;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number == 0) {
    return base::Error{"options_contradict", "\"" + std::string(word) + "\" is neither the number of an event nor the id of a transfer or an import"};
  }
  return number;
}

int run_proof(const Arguments& arguments) {
  const auto event = event_of(arguments.operands()[0]);
  if (!event.ok()) return fail(event.error());
  Remote remote;
  const base::Status opened = remote.open(arguments);
  if (!opened.ok()) return fail(opened.error());
  ServedTiles tiles(*remote.client);
  audit::TileHashReader reader(tiles, remote.checkpoint.size);
  const std::uint64_t index = *event - 1;
  auto proof = audit::inclusion_proof(reader, index, remote.checkpoint.size);
  if (!proof.ok()) return fail(proof.error());
  const auto leaf = reader.node(0, index);
  if (!leaf.ok()) return fail(leaf.error());
  const base::Status holds = audit::verify_inclusion(*leaf, index, remote.checkpoint.size, *proof, remote.checkpoint.root);
  if (!holds.ok()) return fail(holds.error());
  print(audit::tlog_proof_text({.extra = {}, .index = index, .path = std::move(*proof), .checkpoint = remote.note}));
  return exit_done;
}

int run_consistency(const Arguments& arguments) {
  Remote remote;
  const base::Status opened = remote.open(arguments);
  if (!opened.ok()) return fail(opened.error());
  std::uint64_t sizes[2] = {0, remote.checkpoint.size};
  for (std::size_t i = 0; i < arguments.operands().size(); ++i) {
    const std::string& word = arguments.operands()[i];
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), sizes[i]);
    if (error != std::errc() || end != word.data() + word.size()) return fail({"options_contradict", "\"" + word + "\" is no number of leaves"});
  }
  if (sizes[1] > remote.checkpoint.size) {
    return fail({"options_contradict", "the newest checkpoint has " + std::to_string(remote.checkpoint.size) + " leaves"});
  }
  ServedTiles tiles(*remote.client);
  audit::TileHashReader reader(tiles, remote.checkpoint.size);
  const auto proof = audit::consistency_proof(reader, sizes[0], sizes[1]);
  if (!proof.ok()) return fail(proof.error());
  const auto old_root = audit::root_at(reader, sizes[0]);
  const auto new_root = audit::root_at(reader, sizes[1]);
  if (!old_root.ok() || !new_root.ok()) return fail((old_root.ok() ? new_root : old_root).error());
  const base::Status holds = audit::verify_consistency(sizes[0], *old_root, sizes[1], *new_root, *proof);
  if (!holds.ok()) return fail(holds.error());
  std::string text;
  if (arguments.json()) {
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("old_size", sizes[0]);
    json.member("old_root", std::string_view(base::to_base64(*old_root)));
    json.member("new_size", sizes[1]);
    json.member("new_root", std::string_view(base::to_base64(*new_root)));
    json.key("proof");
    json.begin_array();
    for (const audit::Digest& hash : *proof) json.string(base::to_base64(hash));
    json.end_array();
    json.end_object();
  } else {
    text = "old " + std::to_string(sizes[0]) + " " + base::to_base64(*old_root) + "\nnew " + std::to_string(sizes[1]) + " " + base::to_base64(*new_root) + "\n";
    for (const audit::Digest& hash : *proof) text += base::to_base64(hash) + "\n";
  }
  print(text);
  return exit_done;
}

int run_evidence(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto client = connect(files, arguments);
  if (!client.ok()) return fail(client.error());
  const std::string& id = arguments.operands()[0];
  const auto bundle = fetch(**client, (model::parse_import_id(id) ? "/v1/imports/" : "/v1/transfers/") + wire::encode_segment(id) + "/evidence");
  if (!bundle.ok()) return fail(bundle.error());
  print(*bundle);
  return exit_done;
}

// --- on a data directory without a service --------------------------------------------------------------------------------

int run_verify(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  const auto data = node::DataDirectory::open(files, *place);
  if (!data.ok()) return fail(data.error());
  auto told = std::chrono::steady_clock::now();
  const bool quiet = arguments.has("--quiet");
  const auto report = node::verify_deeply(files, **data, [&](std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (quiet || now - told < std::chrono::seconds(1)) return;
    told = now;
    say("event " + std::to_string(done) + " of " + std::to_string(total));
  });
  if (!report.ok()) return fail(report.error());
  if (arguments.json()) print(node::deep_report_json(*report));
  else if (!quiet || !report->sound()) print(node::deep_report_text(*report));
  return report->sound() ? exit_done : exit_failed;
}

base::Result<std::unique_ptr<node::DataDirectory>> open_data(io::FileSystem& files, const Arguments& arguments) {
  TRY_ASSIGN(const node::DataPlace place, data_place(files, arguments));
  return node::DataDirectory::open(files, place);
}

int run_erase(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto event = event_of(arguments.operands()[0]);
  if (!event.ok()) return fail(event.error());
  const auto field = model::parse_private_field(arguments.operands()[1]);
  if (!field) return fail({"options_contradict", "the fields are " + model::private_field_names()});
  const auto data = open_data(files, arguments);
  if (!data.ok()) return fail(data.error());
  const auto clock = io::RealClock::open();
  if (!clock.ok()) return fail(clock.error());
  const base::Status erased = node::erase_personal(files, **clock, **data, *event, *field);
  if (!erased.ok()) return fail(erased.error());
  print(arguments.json() ? "{\"erased\":true}"
                         : "erased, with its salt: in the journal, in snapshots and in the views. Backups made before still hold it (docs/operations.md).");
  return exit_done;
}

int run_policy(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto data = open_data(files, arguments);
  if (!data.ok()) return fail(data.error());
  const auto policy = node::own_policy(files, **data, arguments.value_or("--origin", ""));
  if (!policy.ok()) return fail(policy.error());
  print("# Give this to whoever has to check evidence, on another way than the evidence itself.\n" + audit::policy_text(*policy));
  return exit_done;
}

int run_rollover(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  const auto clock = io::RealClock::open();
  if (!clock.ok()) return fail(clock.error());
  io::RealRandom random;
  const auto done = node::roll_log_key(files, **clock, random, *place);
  if (!done.ok()) return fail(done.error());
  print(arguments.json() ? "{\"version\":" + std::to_string(done->version) + ",\"event\":" + std::to_string(done->event) + "}"
                         : "version " + std::to_string(done->version) + " of the log's key signs from event " + std::to_string(done->event) +
                               " on. Give out the new policy: holdfast audit policy --data DIR");
  return exit_done;
}

}  // namespace

Command audit_command() {
  static const std::string notes = "FIELD is " + model::private_field_names() + ".\n";
  return {.name = "audit",
          .summary = "the audit log: proofs, checks, erasure, keys",
          .examples = "  holdfast audit checkpoint\n"
                      "  holdfast audit proof tr_0000000000042\n"
                      "  holdfast audit verify --data /var/lib/holdfast\n"
                      "  holdfast audit policy --data /var/lib/holdfast > policy.txt\n"
                      "  holdfast audit anchor --data /var/lib/holdfast --tsa-request ask.tsq\n"
                      "  holdfast audit anchor --data /var/lib/holdfast --evm-ask\n",
          .verbs = {{"checkpoint", "", 0, 0, "the newest signed checkpoint", remote_options(), run_checkpoint},
                    {"proof", "EVENT|ID", 1, 1, "that an event is in the log (C2SP tlog-proof), made from its tiles", remote_options(), run_proof},
                    {"consistency", "OLD [NEW]", 1, 2, "that the log only grew between two sizes", remote_options(), run_consistency},
                    {"evidence", "ID", 1, 1, "all that proves a transfer or an import, for holdfast verify", remote_options(), run_evidence},
                    {"verify", "", 0, 0, "reads everything again from the first byte: journal, tree, state, tiles, views",
                     offline_options({{"--quiet", "", "say nothing if all is sound"}}), run_verify},
                    {"erase", "EVENT|ID FIELD", 2, 2, "removes a personal value and its salt, for good", offline_options(), run_erase},
                    {"policy", "", 0, 0, "the log's keys with their history, for verifiers",
                     offline_options({{"--origin", "NAME", "as audit.origin says; default holdfast/ and the journal's id"}}), run_policy},
                    {"anchor", "", 0, 0, "a time-stamp (RFC 3161) or a transaction on an EVM chain over the newest checkpoint; a service may be at work",
                     anchor_options(), run_anchor},
                    {"rollover", "", 0, 0, "a new key for the log's checkpoints", offline_options(), run_rollover}},
          .notes = notes};
}

}  // namespace holdfast
