#include "node/witness_server.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace node {

namespace {

std::string hash_of(std::string_view origin) { return base::to_hex(crypto::sha256(base::as_bytes(origin))); }

wire::Response text_reply(int status, std::string body, std::string_view type = "text/plain; charset=utf-8") {
  wire::Response response;
  response.status = static_cast<std::uint16_t>(status);
  response.headers.add("content-type", type);
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

}  // namespace

base::Result<std::unique_ptr<WitnessServer>> WitnessServer::open(io::FileSystem& files, io::Clock& clock, custody::Signer& signer,
                                                                 audit::NoteKey key, std::vector<audit::NoteKey> log_keys, std::string directory) {
  std::unique_ptr<WitnessServer> server(new WitnessServer(files, clock, signer, std::move(key), std::move(log_keys), std::move(directory)));
  TRY_ASSIGN(const bool there, files.exists(server->directory_));
  if (!there) {
    TRY(files.make_dir(server->directory_, 0700));
    TRY(files.sync_dir(io::directory_of(server->directory_)));
  }
  TRY_ASSIGN(const std::vector<std::string> names, files.list(server->directory_));
  for (const std::string& name : names) {
    if (!name.ends_with(".new")) TRY(server->load(name));
  }
  return server;
}

// What cannot be read cannot be forgotten either: a witness that lost its memory would cosign a fork.
base::Status WitnessServer::load(const std::string& name) {
  const std::string path = io::join_path(directory_, name);
  TRY_ASSIGN(const base::Bytes bytes, io::read_whole_file(files_, path, audit::note_bytes_max));
  const std::string note(base::as_text(bytes));
  const auto damaged = [&] { return base::Error{"witness_memory_damaged", path + " is not a checkpoint that this witness cosigned"}; };
  const auto parsed = audit::parse_note(note);
  if (!parsed.ok()) return damaged();
  const auto checkpoint = audit::parse_checkpoint_text(parsed->text);
  const audit::NoteKey own[] = {key_};
  if (!checkpoint.ok() || hash_of(checkpoint->origin) != name || !audit::verify_note(*parsed, own).ok()) return damaged();
  known_[name] = {.tree = {checkpoint->size, checkpoint->root}, .note = note};
  return base::ok();
}

void WitnessServer::handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) { server.reply(exchange, answer(request)); }

wire::Response WitnessServer::answer(const wire::Request& request) {
  if (request.path == "/add-checkpoint") {
    if (request.method != "POST") return text_reply(405, "this path takes POST\n");
    return add_checkpoint(request.body);
  }
  constexpr std::string_view suffix = "/checkpoint";
  if (request.method == "GET" && request.path.size() == 1 + 64 + suffix.size() && request.path.ends_with(suffix)) {
    const auto known = known_.find(request.path.substr(1, 64));
    if (known != known_.end()) return text_reply(200, known->second.note);
  }
  return text_reply(404, "not found\n");
}

wire::Response WitnessServer::add_checkpoint(const std::string& body) {
  const auto parsed = audit::parse_add_checkpoint(body);
  if (!parsed.ok()) return text_reply(400, parsed.error().message + "\n");
  const auto claimed = audit::unverified_checkpoint(parsed->note);
  if (!claimed.ok()) return text_reply(400, claimed.error().message + "\n");
  const std::string name = hash_of(claimed->origin);
  const auto found = known_.find(name);
  const audit::WitnessAnswer judged =
      audit::judge_add_checkpoint(*parsed, log_keys_, found == known_.end() ? std::nullopt : std::optional(found->second.tree));
  if (judged.status == 409) return text_reply(409, judged.why, "text/x.tlog.size");
  if (judged.status != 200) return text_reply(judged.status, judged.why + "\n");
  const std::string text = audit::checkpoint_text(*judged.checkpoint);
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(1, clock_.wall().ns / 1'000'000'000));
  const auto signature = signer_.sign(base::as_bytes(audit::cosigned_message(text, seconds)));
  if (!signature.ok()) return text_reply(500, "the key cannot be used\n");
  crypto::Ed25519Signature raw{};
  CHECK(signature->size() == raw.size());
  std::ranges::copy(*signature, raw.begin());
  const std::string line = audit::signature_line(key_.name, key_.id(), audit::cosignature_bytes(seconds, raw));
  const std::string note = audit::make_note(text, judged.log_line) + line;
  const base::Status kept = io::replace_file(files_, io::join_path(directory_, name), base::as_bytes(note));
  if (!kept.ok()) return text_reply(500, "the checkpoint could not be written down\n");
  known_[name] = {.tree = {judged.checkpoint->size, judged.checkpoint->root}, .note = note};
  return text_reply(200, line);
}

}  // namespace node
