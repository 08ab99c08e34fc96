#include "node/evm_anchoring.h"

#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "effects/rails/evm/inclusion_fetch.h"

namespace node {

namespace {

constexpr std::string_view reference_prefix = "anchor-";   // payments' begin with tr_ (model/epochs.h)
constexpr std::size_t reference_hash_bytes = 8;

}  // namespace

std::string evm_anchor_reference(const EvmAnchorRequest& request) {
  return std::string(reference_prefix) + std::to_string(request.size) + "-" + base::to_hex(base::ByteView(request.calldata).first(reference_hash_bytes));
}

std::optional<EvmAnchorRequest> evm_anchor_in(const effects::OutboxEntry& entry) {
  const base::Bytes& data = entry.versions.front().transaction.data;
  const std::string_view reference = entry.reference;
  EvmAnchorRequest request;
  if (!entry.anchors || data.size() != request.calldata.size() || !reference.starts_with(reference_prefix)) return std::nullopt;
  std::ranges::copy(data, request.calldata.begin());
  const std::string_view rest = reference.substr(reference_prefix.size());
  static_cast<void>(std::from_chars(rest.data(), rest.data() + rest.size(), request.size));
  return evm_anchor_reference(request) == reference ? std::optional(request) : std::nullopt;
}

EvmAnchoring::EvmAnchoring(io::FileSystem& files, io::Clock& clock, io::Loop& loop, effects::EvmAccount& account, effects::EvmRail& rail,
                           EvmAnchoringOptions options)
    : files_(files), clock_(clock), account_(account), rail_(rail), options_(std::move(options)), timer_(loop, [this] { look(); }) {}

void EvmAnchoring::start() { rest(options_.look_pause); }

EvmAnchoringStats EvmAnchoring::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void EvmAnchoring::fail(std::string_view reason) {
  const std::lock_guard lock(mutex_);
  ++stats_.failures[reason];
}

// From here or from an answer that comes of it the timer is armed again, always.
void EvmAnchoring::look() {
  const effects::OutboxEntry* const newest = account_.outbox().newest_anchor();
  const auto asked = newest == nullptr ? std::nullopt : evm_anchor_in(*newest);
  if (!asked) return begin(0);
  if (recalled_ != newest->nonce) {
    const base::Status recalled = recall(newest->nonce, *asked);
    if (!recalled.ok()) {
      fail(recalled.error().code);
      return rest(options_.retry_pause);
    }
  }
  if (ended_ != newest->nonce) return follow(*newest, *asked);
  const base::Duration left = until_due();
  // Not for all of it at once: the wall clock may be set meanwhile.
  if (left.ns > 0) return rest(std::min(left, options_.retry_pause));
  begin(asked->size);
}

// By the block's time: a service that is started often does not anchor more often for it. A block of the future is one of now,
// because its maker says its time and nobody has to believe it.
base::Duration EvmAnchoring::until_due() const {
  if (!ended_at_) return {};
  const base::Duration passed = clock_.wall() - *ended_at_;
  return {options_.every.ns - std::clamp<std::int64_t>(passed.ns, 0, options_.every.ns)};
}

void EvmAnchoring::begin(std::uint64_t size_before) {
  const auto request = published_evm_request(files_, options_.directory);
  if (!request.ok()) {
    fail(request.error().code);
    return rest(options_.retry_pause);
  }
  if (request->size <= size_before) return rest(options_.look_pause);
  looks_in_vain_ = 0;
  rail_.anchor(evm_anchor_reference(*request), request->calldata, [this](effects::RailAnswer&& answer) {
    const bool sent = answer.result == model::RailResult::accepted;
    if (!sent) fail(model::row_of(answer.reason).name);
    rest(sent ? options_.look_pause : options_.retry_pause);
  });
}

// Asking moves it along: it is sent again, and more is offered when it has waited for long. That its block was forgotten by the chain
// is nothing but one more answer that it waits.
void EvmAnchoring::follow(const effects::OutboxEntry& entry, const EvmAnchorRequest& asked) {
  const auto done = [this, nonce = entry.nonce, asked](effects::RailAnswer&& answer) { followed(nonce, asked, answer); };
  if (entry.renounced || looks_in_vain_ >= options_.looks_in_vain_max) rail_.void_payment(entry.reference, {}, done);
  else rail_.inquire(entry.reference, {}, done);
}

void EvmAnchoring::followed(std::uint64_t nonce, const EvmAnchorRequest& asked, const effects::RailAnswer& answer) {
  if (answer.result == model::RailResult::settled) return prove(nonce, asked, answer.rail_reference);
  const bool waits = answer.result == model::RailResult::accepted;
  if (waits) looks_in_vain_ = 0;
  else fail(model::row_of(answer.reason).name);
  if (answer.reason == model::RailReason::not_found_at_rail) ++looks_in_vain_;
  if (answer.result == model::RailResult::not_sent) end(nonce, clock_.wall());
  rest(options_.look_pause);
}

void EvmAnchoring::prove(std::uint64_t nonce, const EvmAnchorRequest& asked, std::string_view transaction) {
  const auto hash = effects::parse_hex_word(transaction);
  CHECK_THAT(hash.has_value(), "the driver names the version that was mined");
  effects::fetch_evm_inclusion(account_.block_node(), *hash, [this, nonce, asked](base::Result<base::Bytes> token) {
    const auto stored = token.ok() ? store_evm_anchor(files_, options_.directory, *token, asked) : token.error();
    rest(options_.look_pause);
    if (!stored.ok()) return fail(stored.error().code);
    end_stored(nonce, *stored);
    const std::lock_guard lock(mutex_);
    stats_.stored += 1;
  });
}

// Once for each: what a process before this one, or somebody by command, has stored is not followed up.
base::Status EvmAnchoring::recall(std::uint64_t nonce, const EvmAnchorRequest& asked) {
  TRY_ASSIGN(const auto stored, find_evm_anchor(files_, options_.directory, asked, account_.chain_id()));
  recalled_ = nonce;
  if (stored) end_stored(nonce, *stored);
  return base::ok();
}

void EvmAnchoring::end(std::uint64_t nonce, base::Instant at) {
  ended_ = nonce;
  ended_at_ = at;
}

void EvmAnchoring::end_stored(std::uint64_t nonce, const EvmAnchorStored& stored) {
  constexpr std::uint64_t seconds_max = INT64_MAX / base::seconds(1).ns;
  end(nonce, {base::seconds(static_cast<std::int64_t>(std::min(stored.seconds, seconds_max))).ns});
  const std::lock_guard lock(mutex_);
  stats_.newest = stored;
}

}  // namespace node
