#include "node/witness_client.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "io/socket.h"
#include "io/tls_client.h"
#include "wire/http_client.h"

namespace node {

namespace {

constexpr base::Duration patience = base::seconds(5);         // with connecting, and with every piece of an answer
constexpr std::chrono::seconds answer_patience(15);           // with a whole answer, however small its pieces are
constexpr std::uint64_t reply_bytes_max = 64 * 1024;

constexpr const char* larger_log = "witness_knows_a_larger_log";
constexpr const char* another_log = "witness_knows_another_log";

struct Target {
  bool secure = true;
  std::string host, path;
  std::uint16_t port = 0;
};

// `https://w.example/prefix` in parts.
base::Result<Target> parse_target(std::string_view url) {
  const base::Error malformed{"witness_url_malformed", "\"" + std::string(url) + "\" is neither https://HOST[:PORT]/... nor http:// with a loopback address"};
  Target target;
  target.secure = url.starts_with("https://");
  if (!target.secure && !url.starts_with("http://")) return malformed;
  url.remove_prefix(target.secure ? 8 : 7);
  const std::size_t slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  target.path = url.substr(slash);
  while (target.path.ends_with('/')) target.path.pop_back();
  target.port = target.secure ? 443 : 80;
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && !authority.ends_with(']')) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), target.port);
    if (error != std::errc() || end != digits.data() + digits.size() || target.port == 0) return malformed;
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  target.host = authority;
  if (target.host.empty()) return malformed;
  if (!target.secure && !io::Endpoint{target.host, target.port}.is_loopback()) return malformed;
  return target;
}

// Hands bytes of the peer to the machine until it has a reply: Read gives a number of bytes, 0 at the end.
template <typename Read>
base::Result<WitnessReply> receive(wire::HttpClientMachine& machine, Read read) {
  std::array<std::uint8_t, 16 * 1024> buffer;
  const auto give_up = std::chrono::steady_clock::now() + answer_patience;
  while (true) {
    if (std::chrono::steady_clock::now() >= give_up) return base::Error{"connection_broken", "the witness takes too long to answer"};
    if (auto received = machine.take_response()) return WitnessReply{received->response.status, std::move(received->response.body)};
    TRY_ASSIGN(const std::size_t n, read(std::span(buffer)));
    if (n != 0) {
      TRY(machine.receive(std::span(buffer).first(n)));
      continue;
    }
    TRY(machine.end_of_input());
    if (auto last = machine.take_response()) return WitnessReply{last->response.status, std::move(last->response.body)};
    return base::Error{"connection_broken", "the witness closed the connection"};
  }
}

base::Result<WitnessReply> post_plain(const Target& target, const std::string& bytes, wire::HttpClientMachine& machine) {
  TRY_ASSIGN(io::Descriptor fd, io::connect_blocking(target.host, target.port, patience));
  io::PlainStream stream(std::move(fd));
  const base::Error broken{"connection_broken", "the witness does not answer"};
  const auto wait = [&](short what) {
    pollfd ready{.fd = stream.fd(), .events = what, .revents = 0};
    return ::poll(&ready, 1, static_cast<int>(patience.ns / 1'000'000)) > 0;
  };
  base::ByteView left = base::as_bytes(bytes);
  while (!left.empty()) {
    const io::StreamResult sent = stream.write(left);
    if (sent.state == io::StreamState::failed || sent.state == io::StreamState::closed) return broken;
    left = left.subspan(sent.bytes);
    if (sent.state != io::StreamState::done && !wait(POLLOUT)) return broken;
  }
  return receive(machine, [&](std::span<std::uint8_t> into) -> base::Result<std::size_t> {
    while (true) {
      const io::StreamResult got = stream.read(into);
      if (got.state == io::StreamState::done) return got.bytes;
      if (got.state == io::StreamState::closed) return std::size_t{0};
      if (got.state == io::StreamState::failed || !wait(POLLIN)) return broken;
    }
  });
}

}  // namespace

WitnessPost post_over_network(io::FileSystem& files, std::string ca_file) {
  return [&files, ca = std::move(ca_file)](const std::string& url, const std::string& body) -> base::Result<WitnessReply> {
    TRY_ASSIGN(const Target target, parse_target(url));
    wire::Request request;
    request.method = "POST";
    request.path = target.path + "/add-checkpoint";
    request.authority = target.host + ":" + std::to_string(target.port);
    request.headers.add("content-type", "text/plain; charset=utf-8");
    request.headers.add("connection", "close");
    request.body = body;
    std::string bytes;
    wire::write_request(request, bytes);
    wire::HttpClientMachine machine({.body_bytes_max = reply_bytes_max});
    machine.expect_reply_to(request.method);
    if (!target.secure) return post_plain(target, bytes, machine);
    io::TlsClientOptions options;
    options.host = target.host;
    options.port = target.port;
    options.ca_file = ca;
    options.protocols = {"http/1.1"};
    options.connect_timeout = patience;
    options.transfer_timeout = patience;
    TRY_ASSIGN(const auto connection, io::TlsClient::connect(files, options));
    TRY(connection->write_all(base::as_bytes(bytes)));
    return receive(machine, [&](std::span<std::uint8_t> into) { return connection->read(into); });
  };
}

WitnessClient::WitnessClient(AuditLog& log, audit::Policy policy, WitnessPost post, base::Duration interval)
    : log_(log), policy_(std::move(policy)), post_(std::move(post)), interval_(interval) {
  for (const audit::PolicyWitness& witness : policy_.witnesses) stats_.witnesses += witness.url.empty() ? 0 : 1;
  if (policy_.quorum != "none") log_.want_witnesses();
}

WitnessClient::~WitnessClient() { stop(); }

void WitnessClient::start() {
  started_ = true;
  thread_ = std::thread([this] { run(); });
}

void WitnessClient::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!started_) return;
    started_ = false;
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void WitnessClient::run() {
  while (true) {
    ask_all();
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::nanoseconds(interval_.ns), [this] { return stopping_; })) return;
  }
}

// The witness's line, or why there is none.
base::Result<std::string> WitnessClient::ask(const audit::PolicyWitness& witness, const Published& published) {
  const std::uint64_t size = published.checkpoint.size;
  // The log's own line only: others are no business of this witness.
  TRY_ASSIGN(const audit::Note note, audit::parse_note(published.note));
  std::string bare;
  for (const audit::NoteSignature& line : note.signatures) {
    if (line.name == log_.key().name && line.key_id == log_.key().id()) {
      bare = audit::make_note(note.text, audit::signature_line(line.name, line.key_id, line.signature));
    }
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    audit::AddCheckpoint request{.old_size = sizes_[witness.name], .proof = {}, .note = bare};
    if (request.old_size != 0) {
      TRY_ASSIGN(request.proof, log_.prove_consistency(request.old_size, published.checkpoint));
    }
    TRY_ASSIGN(const WitnessReply reply, post_(witness.url, audit::add_checkpoint_text(request)));
    if (reply.status == 200) {
      const auto answered = audit::parse_note(bare + reply.body);
      const audit::NoteKey keys[] = {witness.key};
      if (!answered.ok() || !audit::verify_note(*answered, keys).ok()) {
        return base::Error{"witness_answer_malformed", "its answer holds no good cosignature"};
      }
      sizes_[witness.name] = size;
      for (const audit::NoteSignature& line : answered->signatures) {
        if (line.name == witness.key.name && line.key_id == witness.key.id()) return audit::signature_line(line.name, line.key_id, line.signature);
      }
    }
    if (reply.status == 409) {
      std::uint64_t known = 0;
      const auto [end, error] = std::from_chars(reply.body.data(), reply.body.data() + reply.body.size(), known);
      if (error != std::errc() || std::string_view(end, static_cast<std::size_t>(reply.body.data() + reply.body.size() - end)) != "\n") {
        return base::Error{"witness_answer_malformed", "its answer says no size"};
      }
      if (known > size) {
        return base::Error{larger_log, witness.name + " saw " + std::to_string(known) + " leaves of " + log_.origin() + ", and this log has " +
                                           std::to_string(size) + ": it is an older copy"};
      }
      sizes_[witness.name] = known;
      continue;
    }
    if (reply.status == 422 && request.old_size != 0) {
      // The proof is right for our tree, so the witness saw another one.
      return base::Error{another_log, witness.name + " saw another tree of " + std::to_string(request.old_size) + " leaves of " + log_.origin() +
                                          ": this log is a fork"};
    }
    return base::Error{"witness_refused", "it answered with status " + std::to_string(reply.status)};
  }
  return base::Error{"witness_refused", "it names another size every time"};
}

void WitnessClient::ask_all() {
  const auto published = log_.published();
  if (published == nullptr) return;
  if (!(collected_for_ == published->checkpoint)) {
    collected_for_ = published->checkpoint;
    lines_.clear();
  }
  std::size_t failing = 0;
  std::string failure;
  std::optional<base::Error> contradiction;
  std::vector<std::size_t> not_contradicting;
  const std::size_t before = lines_.size();
  for (std::size_t i = 0; i < policy_.witnesses.size(); ++i) {
    const audit::PolicyWitness& witness = policy_.witnesses[i];
    if (witness.url.empty() || lines_.contains(i)) {
      not_contradicting.push_back(i);
      continue;
    }
    auto line = ask(witness, *published);
    if (line.ok()) {
      lines_[i] = std::move(*line);
      not_contradicting.push_back(i);
    } else {
      ++failing;
      failure = witness.name + ": " + line.error().message + " [" + line.error().code + "]";
      const bool contradicts = line.error().code == std::string_view(larger_log) || line.error().code == std::string_view(another_log);
      if (contradicts) contradiction = line.error();
      else not_contradicting.push_back(i);
    }
  }
  // The answer of a single witness is its word, not a proof: it stops the log only where the quorum cannot do without it.
  const bool all_contradict = std::ranges::none_of(not_contradicting, [this](std::size_t i) { return !policy_.witnesses[i].url.empty(); });
  if (contradiction && (policy_.quorum == "none" ? all_contradict : !policy_.satisfied_by(not_contradicting))) {
    log_.refuse_to_go_on(contradiction->code, contradiction->message);
  }
  std::vector<std::size_t> cosigners;
  std::string note = published->note;
  for (const auto& [index, line] : lines_) {
    cosigners.push_back(index);
    if (note.find(line) == std::string::npos) note += line;
  }
  const bool enough = policy_.satisfied_by(cosigners);
  if (lines_.size() > before) log_.cosigned(published->checkpoint, note, lines_.size(), enough);
  const std::lock_guard lock(mutex_);
  stats_.failing = failing;
  stats_.last_failure = failure;
  stats_.published_size = published->checkpoint.size;
  if (enough) stats_.witnessed_size = published->checkpoint.size;
}

WitnessStats WitnessClient::stats() const {
  const std::lock_guard lock(mutex_);
  WitnessStats stats = stats_;
  if (const auto newest = log_.published()) stats.published_size = newest->checkpoint.size;
  return stats;
}

}  // namespace node
