#include "effects/rails/http_rail.h"

#include <utility>

#include "crypto/hash.h"
#include "crypto/wipe.h"
#include "effects/rails/failure_reason.h"
#include "wire/json_writer.h"

namespace effects {

using model::RailReason;
using model::RailResult;

namespace {

void wipe_text(std::string& text) { crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}); }

HttpClientOptions with(HttpClientOptions options, std::uint32_t calls_max, std::uint64_t body_bytes_max) {
  options.calls_max = calls_max;
  options.body_bytes_max = body_bytes_max;
  return options;
}

RailAnswer not_sent(RailReason reason, std::string detail) {
  RailAnswer answer;
  answer.result = RailResult::not_sent;
  answer.reason = reason;
  answer.detail = std::move(detail);
  return answer;
}

/// The body of a send, in one piece of memory that is never moved while it grows.
std::string payment_body(const SendOrder& order) {
  std::string body;
  body.reserve(order.beneficiary.size() + order.reference.size() + order.original.size() + 512);
  wire::JsonWriter json(body);
  json.begin_object();
  json.member("reference", std::string_view(order.reference));
  json.member("kind", to_text(order.kind));
  json.member("amount", std::string_view(base::to_decimal(order.amount)));
  json.member("asset", std::string_view(order.asset));
  if (!order.original.empty()) json.member("original", std::string_view(order.original));
  json.member("valid_until", std::string_view(base::to_rfc3339(order.valid_until)));
  if (!order.beneficiary.empty()) {
    json.key(order.kind == model::TransferKind::collect ? "payer" : "beneficiary");
    json.raw(std::string_view(order.beneficiary));
  }
  json.end_object();
  return body;
}

bool is_json_object(std::string_view text) {
  const auto document = wire::parse_json(base::as_bytes(text));
  return document.ok() && document->root().is_object();
}

}  // namespace

/// One open question. The request is kept, unsigned, as long as it may have to go out a second time: under the same reference,
/// with a nonce of its own.
struct HttpRail::Asked {
  RailQuestion question = RailQuestion::send;
  std::string reference;
  Expected expected;
  wire::Request request;
  base::Duration timeout{};
  std::int64_t send_not_after_boot_ns = INT64_MAX;
  bool may_repeat = false;
  bool went_out = false;      ///< once already
  RailAnswered done;
  ~Asked() { wipe_text(request.body); }
};

base::Result<std::unique_ptr<HttpRail>> HttpRail::open(io::Loop& loop, io::Clock& clock, io::Random& random, io::Resolver* resolver,
                                                       std::shared_ptr<const io::TlsOutgoingContext> tls, custody::Signer& signer,
                                                       HttpRailOptions options) {
  TRY_ASSIGN(HttpOrigin origin, parse_origin(options.url));
  return std::unique_ptr<HttpRail>(
      new HttpRail(loop, clock, random, resolver, std::move(tls), signer, std::move(options), std::move(origin)));
}

HttpRail::HttpRail(io::Loop& loop, io::Clock& clock, io::Random& random, io::Resolver* resolver,
                   std::shared_ptr<const io::TlsOutgoingContext> tls, custody::Signer& signer, HttpRailOptions options, HttpOrigin origin)
    : loop_(loop),
      clock_(clock),
      random_(random),
      signer_(signer),
      options_(std::move(options)),
      scheme_(origin.scheme()),
      prefix_(origin.path),
      client_(loop, clock, resolver, origin, tls, with(options_.http, options_.in_flight_max, options_.http.body_bytes_max)),
      statements_(loop, clock, resolver, origin, tls, with(options_.http, 4, options_.statement_bytes_max)) {}

void HttpRail::send(SendOrder&& order, RailAnswered done) {
  auto asked = std::make_shared<Asked>();
  asked->question = RailQuestion::send;
  asked->reference = order.reference;
  asked->expected = {.kind = order.kind, .amount = order.amount, .asset = order.asset};
  asked->timeout = options_.reply_timeout;
  asked->send_not_after_boot_ns = order.send_not_after_boot_ns;
  asked->may_repeat = order.may_repeat;
  asked->done = std::move(done);
  if (!order.beneficiary.empty() && !is_json_object(std::string_view(order.beneficiary))) {
    return answer_later(std::move(asked), not_sent(RailReason::request_not_understood, "what the rail needs to know of the other side is not a JSON object"));
  }
  asked->request.method = "POST";
  asked->request.path = prefix_ + "/v1/payments";
  asked->request.headers.add("content-type", "application/json");
  asked->request.body = payment_body(order);
  ask(std::move(asked));
}

void HttpRail::inquire(const std::string& reference, const Expected& expected, RailAnswered done) {
  auto asked = std::make_shared<Asked>();
  asked->question = RailQuestion::inquire;
  asked->reference = reference;
  asked->expected = expected;
  asked->timeout = options_.inquiry_timeout;
  asked->may_repeat = true;
  asked->done = std::move(done);
  asked->request.method = "GET";
  asked->request.path = prefix_ + "/v1/payments/" + wire::encode_segment(reference);
  ask(std::move(asked));
}

void HttpRail::void_payment(const std::string& reference, const Expected& expected, RailAnswered done) {
  auto asked = std::make_shared<Asked>();
  asked->question = RailQuestion::void_payment;
  asked->reference = reference;
  asked->expected = expected;
  asked->timeout = options_.inquiry_timeout;
  asked->may_repeat = true;
  asked->done = std::move(done);
  asked->request.method = "POST";
  asked->request.path = prefix_ + "/v1/payments/" + wire::encode_segment(reference) + "/void";
  ask(std::move(asked));
}

void HttpRail::ask(std::shared_ptr<Asked> asked) {
  const bool sending = asked->question == RailQuestion::send;
  const auto refuse = [&](RailReason reason, std::string detail) {
    RailAnswer answer = not_sent(reason, std::move(detail));
    if (!sending) answer.result = RailResult::unknown;
    answer_later(std::move(asked), std::move(answer));
  };
  if (in_flight_ >= options_.in_flight_max) return refuse(RailReason::rail_busy, "as many requests to this rail are open as may be");
  asked->request.authority = client_.origin().authority;
  ++in_flight_;
  const base::Status put_out = put(asked);
  if (put_out.ok()) return;
  --in_flight_;
  refuse(RailReason::other, std::string("the request could not be signed: ") + put_out.error().code);
}

// Signs a copy and hands it over. Errors: those of the signer.
base::Status HttpRail::put(const std::shared_ptr<Asked>& asked) {
  HttpCall call;
  call.request = asked->request;
  call.wiped = asked->question == RailQuestion::send;
  const base::Status is_signed = sign_request(call.request, scheme_, signer_, {options_.key_id, std::string(rail_signature_tag)}, clock_.wall(), random_);
  if (!is_signed.ok()) {
    wipe_text(call.request.body);
    return is_signed;
  }
  call.reply_timeout = asked->timeout;
  call.wait_max = options_.connection_wait;
  call.send_not_after_boot_ns = asked->send_not_after_boot_ns;
  call.done = [this, asked](HttpReply&& reply) { replied(asked, std::move(reply)); };
  client_.call(std::move(call));
  return base::ok();
}

void HttpRail::replied(const std::shared_ptr<Asked>& asked, HttpReply&& reply) {
  const bool sending = asked->question == RailQuestion::send;
  if (reply.failure == HttpFailure::connection_lost && !reply.fresh && !reply.reply_begun && asked->may_repeat &&
      clock_.boot_ns() < asked->send_not_after_boot_ns) {
    // Once; and what went out may have arrived.
    asked->may_repeat = false;
    asked->went_out = true;
    if (put(asked).ok()) return;
  }
  const bool sent = reply.sent || asked->went_out;
  RailAnswer answer;
  if (reply.failure == HttpFailure::none) {
    answer = judge_reply(asked->question, asked->reference, asked->expected, reply.response);
    // A refusal of the second copy may have nothing to do with the first: only what the rail says of the payment, or that it
    // keeps a tombstone, ends it.
    const bool refusal = reply.response.status >= 400 && answer.reason != RailReason::tombstoned;
    if (asked->went_out && refusal) answer.result = RailResult::unknown;
  } else {
    answer = not_sent(reason_of(reply.failure), std::move(reply.detail));
    if (sent || !sending) answer.result = RailResult::unknown;
    if (sent && !reply.sent) answer.reason = RailReason::reply_lost;
  }
  answer.latency = reply.latency;
  --in_flight_;
  finish(asked, std::move(answer));
}

void HttpRail::answer_later(std::shared_ptr<Asked> asked, RailAnswer&& answer) {
  auto kept = std::make_shared<RailAnswer>(std::move(answer));
  loop_.post([this, alive = std::weak_ptr<bool>(alive_), asked = std::move(asked), kept] {
    if (!alive.expired()) finish(asked, std::move(*kept));
  });
}

void HttpRail::finish(const std::shared_ptr<Asked>& asked, RailAnswer&& answer) {
  const RailAnswered done = std::move(asked->done);
  done(std::move(answer));
}

void HttpRail::statement(base::Instant from, base::Instant until, StatementFetched done) {
  HttpCall call;
  call.request.method = "GET";
  call.request.path = prefix_ + "/v1/statements";
  call.request.query = "from=" + base::to_rfc3339(from) + "&to=" + base::to_rfc3339(until);
  call.request.authority = statements_.origin().authority;
  call.reply_timeout = base::seconds(60);
  const base::Status is_signed = sign_request(call.request, scheme_, signer_, {options_.key_id, std::string(rail_signature_tag)}, clock_.wall(), random_);
  if (!is_signed.ok()) {
    loop_.post([done = std::move(done), error = is_signed.error()] { done(base::Error{"statement_not_available", error.code}); });
    return;
  }
  call.done = [done = std::move(done)](HttpReply&& reply) {
    if (reply.failure != HttpFailure::none) return done(base::Error{"statement_not_available", std::move(reply.detail)});
    if (reply.response.status != 200) {
      return done(base::Error{"statement_not_available", "the rail answered " + std::to_string(reply.response.status)});
    }
    const auto type = reply.response.headers.find("content-type");
    if (!type || !type->starts_with("text/csv")) return done(base::Error{"statement_not_available", "the rail answered with something that is not CSV"});
    done(base::to_bytes(base::as_bytes(reply.response.body)));
  };
  statements_.call(std::move(call));
}

}  // namespace effects
