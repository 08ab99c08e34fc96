#pragma once
// The rail driver for the JSON-over-HTTPS protocol of docs/rail-protocol.md: signed requests (RFC 9421) over pooled TLS
// connections, with a client certificate where the rail wants one.

#include <memory>
#include <string>

#include "custody/signer.h"
#include "effects/http/http_client.h"
#include "effects/rails/rail.h"
#include "effects/rails/rail_reply.h"
#include "effects/signing/message_keys.h"
#include "io/random.h"

namespace effects {

/// The tag of signatures of this protocol.
constexpr std::string_view rail_signature_tag = "holdfast-rail";

struct HttpRailOptions {
  std::string url = {};                                 ///< of the rail; `https://bank.example/rail`
  std::string key_id = {};                              ///< under which the rail knows our key
  base::Duration reply_timeout = base::seconds(10);     ///< of a send, from its first byte
  base::Duration inquiry_timeout = base::seconds(10);   ///< of everything else
  base::Duration connection_wait = base::seconds(2);    ///< for a connection that is free; then a send is `not_sent`
  std::uint32_t in_flight_max = 256;                    ///< bulkhead: sends beyond it are `not_sent` at once, questions too
  std::uint64_t statement_bytes_max = std::uint64_t{64} << 20;
  HttpClientOptions http = {};
};

/// Belongs to one loop's thread. To be destroyed outside of its own callbacks; what is open then is never answered.
class HttpRail final : public Rail {
 public:
  /// All references outlive the rail. `tls` may be null for an http URL, `resolver` for a numeric host. Errors: those of
  /// parse_origin.
  static base::Result<std::unique_ptr<HttpRail>> open(io::Loop& loop, io::Clock& clock, io::Random& random, io::Resolver* resolver,
                                                      std::shared_ptr<const io::TlsOutgoingContext> tls, custody::Signer& signer,
                                                      HttpRailOptions options);

  /// The protocol has words for all of them; which ones a rail keeps to is said where it is registered.
  model::RailCapabilities capabilities() const override { return model::all_rail_capabilities; }
  /// Nothing written: `not_sent`. Anything written and no final answer that is understood: `unknown`.
  ///
  /// A kept-alive connection may be found dead just as it is used. Where the order may be repeated, and the time for sending has not passed, the same order goes out once more on another connection.
  void send(SendOrder&& order, RailAnswered done) override;
  void inquire(const std::string& reference, const Expected& expected, RailAnswered done) override;
  void void_payment(const std::string& reference, const Expected& expected, RailAnswered done) override;
  void statement(base::Instant from, base::Instant until, StatementFetched done) override;

  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Asked;
  HttpRail(io::Loop& loop, io::Clock& clock, io::Random& random, io::Resolver* resolver, std::shared_ptr<const io::TlsOutgoingContext> tls,
           custody::Signer& signer, HttpRailOptions options, HttpOrigin origin);
  void ask(std::shared_ptr<Asked> asked);
  base::Status put(const std::shared_ptr<Asked>& asked);
  void replied(const std::shared_ptr<Asked>& asked, HttpReply&& reply);
  void answer_later(std::shared_ptr<Asked> asked, RailAnswer&& answer);
  void finish(const std::shared_ptr<Asked>& asked, RailAnswer&& answer);

  io::Loop& loop_;
  io::Clock& clock_;
  io::Random& random_;
  custody::Signer& signer_;
  const HttpRailOptions options_;
  const std::string scheme_, prefix_;
  std::size_t in_flight_ = 0;
  HttpClient client_, statements_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace effects
