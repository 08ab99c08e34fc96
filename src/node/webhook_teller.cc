#include "node/webhook_teller.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "effects/http/http_client.h"
#include "io/secret_memory.h"
#include "io/socket.h"
#include "io/tls_outgoing.h"

namespace node {

namespace {

constexpr base::Duration turn_busy = base::milliseconds(20);
constexpr base::Duration turn_idle = base::milliseconds(200);      // nobody subscribes
constexpr base::Duration turn_failed = base::seconds(1);
constexpr base::Duration progress_written_every = base::seconds(1);
constexpr std::size_t groups_per_turn = 256;
constexpr std::size_t messages_per_turn = 512;
// More than any endpoint is handed: outstanding_max, and what one group of the journal adds to it.
constexpr std::size_t waiting_at_delivery_max = 1'000'000;
// Ends a walk through the journal early; never seen by a caller.
constexpr const char* enough = "enough_for_now";

}  // namespace

std::string webhook_url_problem(std::string_view url, bool private_addresses) {
  const auto origin = effects::parse_origin(url);
  if (!origin.ok()) return origin.error().message;
  const std::string host = origin->host.find(':') != std::string::npos ? "[" + origin->host + "]" : origin->host;
  const bool numeric = io::parse_endpoint(host + ":1").ok();
  if (!private_addresses && numeric && io::is_private_address(origin->host)) return "webhooks are not sent into private networks";
  return {};
}

WebhookTeller::WebhookTeller(io::Clock& clock, Service& service, const gate::GateKeys& keys, store::DeliveryStore store, WebhookOptions options)
    : clock_(clock),
      service_(service),
      keys_(keys),
      options_(std::move(options)),
      gate_(keys, nobody_, [this](std::span<std::uint8_t> out) { random_.fill(out); }),
      store_(std::move(store)),
      messages_(service) {}

base::Result<std::unique_ptr<WebhookTeller>> WebhookTeller::open(io::FileSystem& files, io::Clock& clock, Service& service,
                                                                 const gate::GateKeys& keys, const std::string& path, WebhookOptions options) {
  TRY_ASSIGN(store::DeliveryStore store, store::DeliveryStore::open(path, service.reader().end().journal));
  TRY_ASSIGN(auto tls, io::TlsOutgoingContext::open(files, {.ca_file = options.ca_file}));
  std::unique_ptr<WebhookTeller> teller(new WebhookTeller(clock, service, keys, std::move(store), std::move(options)));
  TRY_ASSIGN(teller->loop_, io::Loop::open());
  WebhookTeller* const raw = teller.get();
  teller->delivery_ = std::make_unique<effects::WebhookDelivery>(*teller->loop_, clock, teller->random_, teller->resolver_,
                                                                 std::shared_ptr<const io::TlsOutgoingContext>(std::move(tls)),
                                                                 [raw](const effects::WebhookAttempt& attempt) { raw->attempted(attempt); });
  teller->timer_ = std::make_unique<io::Timer>(*teller->loop_, [raw] { raw->turn(); });
  return teller;
}

WebhookTeller::~WebhookTeller() { stop(); }

void WebhookTeller::start() {
  CHECK(!started_);
  started_ = true;
  timer_->arm({0});
  thread_ = std::thread([this] {
    loop_->run();
    // What came of the last attempts is kept; where that fails they are made again.
    static_cast<void>(store_.commit().ok());
  });
}

void WebhookTeller::stop() {
  if (!started_) return;
  started_ = false;
  loop_->stop();
  thread_.join();
}

WebhookStats WebhookTeller::stats() const {
  return {.delivered = delivered_.load(std::memory_order_relaxed),
          .failed = failed_.load(std::memory_order_relaxed),
          .given_up = given_up_.load(std::memory_order_relaxed),
          .outstanding = outstanding_.load(std::memory_order_relaxed),
          .failures = failures_.load(std::memory_order_relaxed)};
}

// --- a turn ---------------------------------------------------------------------------------------------------------------------

void WebhookTeller::turn() {
  const base::Status worked = work();
  if (!worked.ok()) return recover_from(worked.error());
  std::uint64_t outstanding = 0;
  bool any = !own_.empty();
  for (const auto& [number, endpoint] : endpoints_) {
    outstanding += endpoint.outstanding.size();
    any = any || endpoint.active;
  }
  outstanding_.store(outstanding, std::memory_order_relaxed);
  timer_->arm(any || reapply_ ? turn_busy : turn_idle);
}

base::Status WebhookTeller::work() {
  TRY(apply_records());
  TRY(follow());
  TRY(write());
  mark();
  submit_own();
  return base::ok();
}

// The store takes nothing, or the journal cannot be read: everything is taken up again from what the store has, later.
void WebhookTeller::recover_from(const base::Error&) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  for (auto& [number, endpoint] : endpoints_) deactivate(endpoint);
  store_.roll_back();
  records_ = nullptr;
  timer_->arm(turn_failed);
}

// Progress is written with the messages it is about; progress alone only now and then: it saves reading, nothing else.
base::Status WebhookTeller::write() {
  const std::int64_t now = clock_.boot_ns();
  if (now - written_boot_ns_ >= progress_written_every.ns) {
    written_boot_ns_ = now;
    for (auto& [number, endpoint] : endpoints_) {
      if (!endpoint.progress_changed) continue;
      if (!store_.in_transaction()) TRY(store_.begin());
      TRY(store_.put_progress(number, endpoint.progress));
      endpoint.progress_changed = false;
    }
  }
  return store_.commit();
}

// --- endpoints ------------------------------------------------------------------------------------------------------------------

base::Status WebhookTeller::apply_records() {
  const auto records = service_.pipeline().webhooks();
  const base::Instant now = clock_.wall();
  bool overlap_ended = false;
  for (const auto& [number, endpoint] : endpoints_) overlap_ended = overlap_ended || (endpoint.with_former && now.ns >= endpoint.record.former_until_ns);
  if (records == nullptr || (records == records_ && !reapply_ && !overlap_ended)) return base::ok();
  reapply_ = false;
  const model::EventNumber durable = service_.reader().end().next_event;
  for (std::size_t i = 0; i < records->size(); ++i) {
    const core::WebhookRecord& record = (*records)[i];
    // Decided, but not durable yet: it does not exist before it is.
    if (record.created >= durable || record.url_event >= durable) {
      reapply_ = true;
      continue;
    }
    Endpoint& endpoint = endpoints_[static_cast<model::WebhookNumber>(i + 1)];
    endpoint.number = static_cast<model::WebhookNumber>(i + 1);
    TRY(apply(endpoint, record));
  }
  records_ = records;
  return base::ok();
}

base::Status WebhookTeller::apply(Endpoint& endpoint, const core::WebhookRecord& record) {
  const core::WebhookRecord before = std::exchange(endpoint.record, record);
  if (!record.enabled()) {
    if (endpoint.active) deactivate(endpoint);
    if (record.removed != 0 && before.removed == 0) TRY(store_.forget(endpoint.number));
    return base::ok();
  }
  const bool with_former = record.former_until_ns > clock_.wall().ns;
  const bool same = endpoint.active && before.url_event == record.url_event && before.flags == record.flags && endpoint.with_former == with_former &&
                    std::memcmp(before.key_name, record.key_name, sizeof record.key_name) == 0;
  if (same) return base::ok();
  if (endpoint.active) deactivate(endpoint);
  endpoint.with_former = with_former;
  return activate(endpoint);
}

base::Result<effects::WebhookSigning> WebhookTeller::signing_of(Endpoint& endpoint) {
  effects::WebhookSigning signing;
  endpoint.signers.clear();
  const auto add = [&](const std::uint8_t (&key_name)[16]) -> base::Status {
    base::Tag128 name;
    std::copy(std::begin(key_name), std::end(key_name), name.begin());
    const gate::WebhookKeys keys(keys_, name);
    TRY_ASSIGN(io::SecretMemory secret, io::SecretMemory::copy_of(keys.secret));
    TRY_ASSIGN(io::SecretMemory seed, io::SecretMemory::copy_of(keys.seed));
    signing.secrets.push_back(std::move(secret));
    endpoint.signers.push_back(std::make_unique<effects::OwnEd25519Signer>(std::move(seed)));
    signing.signers.push_back(endpoint.signers.back().get());
    return base::ok();
  };
  TRY(add(endpoint.record.key_name));
  if (endpoint.with_former) TRY(add(endpoint.record.former_key_name));
  return signing;
}

base::Status WebhookTeller::activate(Endpoint& endpoint) {
  TRY_ASSIGN(const auto url, service_.reader().read_private(endpoint.record.url_event, model::PrivateField::webhook_url));
  if (!url || url->erased) return base::ok();   // nowhere to send anything
  TRY_ASSIGN(endpoint.progress, store_.progress(endpoint.number));
  // Nothing known of it, or less than the journal knows: from the mark.
  endpoint.progress.told_through = std::max(endpoint.progress.told_through, endpoint.record.told_through);
  TRY_ASSIGN(effects::WebhookSigning signing, signing_of(endpoint));
  const base::Status added =
      delivery_->add_endpoint(endpoint.name(), std::move(signing),
                              {.url = std::string(base::as_text(url->value)),
                               .ordered = (endpoint.record.flags & model::webhook_ordered) != 0,
                               .private_addresses = options_.private_addresses,
                               .waiting_max = waiting_at_delivery_max});
  // The configuration forbids now what it once allowed: it waits until it may go there again.
  if (!added.ok()) return base::ok();
  endpoint.active = true;
  endpoint.marked_boot_ns = clock_.boot_ns();
  TRY_ASSIGN(const auto waiting, store_.waiting(endpoint.number, 100'000));
  for (const store::PendingMessage& message : waiting) TRY(tell_again(endpoint, message));
  return base::ok();
}

void WebhookTeller::deactivate(Endpoint& endpoint) {
  if (endpoint.active) delivery_->remove_endpoint(endpoint.name());
  endpoint.active = false;
  endpoint.outstanding.clear();
}

WebhookTeller::Endpoint* WebhookTeller::active(model::WebhookNumber number) {
  const auto found = endpoints_.find(number);
  return found == endpoints_.end() || !found->second.active ? nullptr : &found->second;
}

// --- following the journal --------------------------------------------------------------------------------------------------------

// Endpoints that may be told more.
std::vector<WebhookTeller::Endpoint*> WebhookTeller::listening() {
  std::vector<Endpoint*> found;
  for (auto& [number, endpoint] : endpoints_) {
    if (endpoint.active && endpoint.outstanding.size() < options_.outstanding_max) found.push_back(&endpoint);
  }
  return found;
}

// Reads on for the endpoint whose turn it is, and for all others that are as far; a bounded step. Turn by turn, so that one that is
// a million events behind does not keep the others waiting until it has heard them all.
base::Status WebhookTeller::follow() {
  std::vector<Endpoint*> followers = listening();
  const model::EventNumber end = service_.reader().end().next_event;
  const Endpoint* next = nullptr;
  for (const Endpoint* endpoint : followers) {
    if (endpoint->progress.told_through + 1 >= end) continue;
    const bool after_last = endpoint->number > read_for_;
    if (next == nullptr || (after_last && next->number <= read_for_)) next = endpoint;
  }
  if (next == nullptr) return base::ok();
  read_for_ = next->number;
  const model::EventNumber from = next->progress.told_through + 1;
  std::erase_if(followers, [from](const Endpoint* endpoint) { return endpoint->progress.told_through + 1 < from; });
  std::size_t groups = 0, handed = 0;
  model::EventNumber through = from - 1;
  const base::Status walked = service_.reader().for_each_group(from, {.body_hash = false}, [&](const store::GroupView& group) -> base::Status {
    if (groups >= groups_per_turn || handed >= messages_per_turn) return base::Error{enough, {}};
    ++groups;
    TRY(group.for_each_entry([&](const store::EntryView& view) -> base::Status {
      if (view.first_event + view.event_count <= from) return base::ok();
      TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
      TRY(take_entry(entry, followers, handed));
      through = view.first_event + view.event_count - 1;
      return base::ok();
    }));
    through = std::max(through, group.header.next_event() - 1);
    return base::ok();
  });
  // The core has no time now: a later turn goes on with the entry that it was asked about.
  const bool later = !walked.ok() && (walked.error().code == enough || walked.error().code == core_takes_no_questions);
  if (!walked.ok() && !later) return walked.error();
  for (Endpoint* endpoint : followers) {
    if (endpoint->progress.told_through >= through) continue;
    endpoint->progress.told_through = through;
    endpoint->progress_changed = true;
  }
  // Messages and how far they go become durable together: else one of them could be passed over.
  if (handed != 0) {
    for (Endpoint* endpoint : followers) {
      if (!endpoint->progress_changed) continue;
      if (!store_.in_transaction()) TRY(store_.begin());
      TRY(store_.put_progress(endpoint->number, endpoint->progress));
      endpoint->progress_changed = false;
    }
  }
  return base::ok();
}

// An entry is told as a whole or, where one of its messages cannot be made yet, not at all yet.
base::Status WebhookTeller::take_entry(const model::Entry& entry, const std::vector<Endpoint*>& followers, std::size_t& handed) {
  struct Due {
    Endpoint* endpoint;
    store::PendingMessage message;
    std::string body;
  };
  std::vector<Due> due;
  for (std::size_t i = 0; i < entry.events.size(); ++i) {
    const auto type = webhook_event_of(entry, i);
    if (!type) continue;
    const model::EventNumber number = entry.first_event + i;
    for (Endpoint* endpoint : followers) {
      if (endpoint->progress.told_through >= number || !endpoint->wants(*type)) continue;
      const bool personal = (endpoint->record.flags & model::webhook_personal) != 0;
      TRY_ASSIGN(auto body, messages_.body(entry, i, *type, endpoint->record.tenant, personal));
      if (body) due.push_back({endpoint, {.event = number, .type = *type, .attempts = 0, .next_at = {}}, *std::move(body)});
    }
  }
  for (Due& one : due) {
    if (!store_.in_transaction()) TRY(store_.begin());
    TRY(store_.put_message(one.endpoint->number, one.message));
    TRY(hand_over(*one.endpoint, one.message, std::move(one.body)));
  }
  handed += due.size();
  return base::ok();
}

base::Status WebhookTeller::tell_again(Endpoint& endpoint, const store::PendingMessage& message) {
  TRY_ASSIGN(const store::StoredEntry stored, service_.reader().read_entry(message.event));
  TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event));
  const bool personal = (endpoint.record.flags & model::webhook_personal) != 0;
  TRY_ASSIGN(auto body, messages_.body(entry, message.event - entry.first_event, message.type, endpoint.record.tenant, personal));
  if (!body) return store_.remove_message(endpoint.number, message.event);
  return hand_over(endpoint, message, *std::move(body));
}

base::Status WebhookTeller::hand_over(Endpoint& endpoint, const store::PendingMessage& message, std::string&& body) {
  endpoint.outstanding[message.event] = message;
  endpoint.told_since_mark = true;
  return delivery_->deliver(endpoint.name(),
                            {.id = service_.epochs().message_id(0, message.event), .body = std::move(body), .attempts = message.attempts,
                             .pause = message.next_at - clock_.wall()});
}

}  // namespace node
