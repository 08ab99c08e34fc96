#include "effects/key_sets/fetch_failure.h"

#include <algorithm>

namespace effects {
namespace {

constexpr FetchParty ours = FetchParty::operator_of_ours, partner = FetchParty::partner, network = FetchParty::network;

constexpr FetchAdvice rows[] = {
    {"fetch_address_malformed", FetchStep::address, ours, "Write it as https://HOST[:PORT]/PATH, without user, fragment or blanks."},
    {"fetch_scheme_not_allowed", FetchStep::address, ours, "Key sets are fetched over https only."},
    {"fetch_host_not_allowed", FetchStep::address, ours,
     "The host is not on this partner's list. If a discovery document led there, ask the partner whether that is meant before adding it."},
    {"fetch_host_breaker_open", FetchStep::address, partner, "The host failed several times in a row and is left alone for a while; the last failure says why."},
    {"fetch_host_not_found", FetchStep::dns, ours, "Check the spelling, then whether this machine's name servers answer for other names."},
    {"fetch_dns_timed_out", FetchStep::dns, ours, "This machine's name servers do not answer, or the partner's do not answer them."},
    {"fetch_host_has_no_address", FetchStep::dns, partner, "The name exists and has no address: ask the partner."},
    {"fetch_target_is_forbidden", FetchStep::dns, partner,
     "The name leads into a private network, which no partner's set should. If it is your own host, name its network in the configuration."},
    {"fetch_connect_failed", FetchStep::connect, network, "Nobody listens there, or a firewall refuses: is port 443 outbound open from this machine?"},
    {"fetch_connect_timed_out", FetchStep::connect, network, "Packets vanish: usually a firewall on the way, seldom a host that is down."},
    {"fetch_ca_file_unusable", FetchStep::tls, ours, "The file of trust anchors cannot be read or holds no certificate."},
    {"fetch_tls_failed", FetchStep::tls, partner, "No agreement on TLS 1.2 or newer; something that is not the partner may answer in between."},
    {"fetch_tls_timed_out", FetchStep::tls, network, "The connection stands and nothing is said: a proxy or firewall that swallows TLS, or an overloaded host."},
    {"fetch_certificate_expired", FetchStep::tls, partner, "The partner has to renew the certificate. If others expired as well, look at this machine's clock."},
    {"fetch_certificate_not_yet_valid", FetchStep::tls, ours, "Look at this machine's clock; if it is right, the certificate begins in the future."},
    {"fetch_certificate_chain_incomplete", FetchStep::tls, partner,
     "The server does not send its intermediate certificate, or its authority is not trusted here: the partner mends the first, a CA file the second."},
    {"fetch_certificate_not_trusted", FetchStep::tls, partner, "The authority is not one we trust. For a private one give its certificate as CA file; never turn checking off."},
    {"fetch_certificate_name_differs", FetchStep::tls, partner, "The certificate is for another name: wrong host, or a proxy in between."},
    {"fetch_connection_lost", FetchStep::http, network, "The connection ended in the middle of the answer; the next refresh tries again."},
    {"fetch_reply_timed_out", FetchStep::http, partner, "The answer was not complete in time."},
    {"fetch_reply_malformed", FetchStep::http, partner, "What came is not HTTP: is the port right?"},
    {"fetch_reply_too_large", FetchStep::http, partner, "The answer is larger than a key set may be, and was not read to its end."},
    {"fetch_redirected", FetchStep::http, partner, "Redirects are not followed: give the final address, after asking the partner whether it is his."},
    {"fetch_http_status", FetchStep::http, partner, "The server answered with an error; 401 and 403 mean it wants a login or knows our address not."},
    {"discovery_malformed", FetchStep::json, partner, "This is no OpenID provider configuration: is the address right?"},
    {"discovery_names_another_issuer", FetchStep::json, partner,
     "The document speaks for another issuer. Compare letter by letter, a slash at the end included; never take its keys for this one."},
    {"discovery_has_no_key_set_address", FetchStep::json, partner, "The document does not say where the keys are (jwks_uri)."},
};

}  // namespace

std::string_view name_of(FetchStep step) {
  switch (step) {
    case FetchStep::address: return "address";
    case FetchStep::dns: return "dns";
    case FetchStep::connect: return "connect";
    case FetchStep::tls: return "tls";
    case FetchStep::http: return "http";
    case FetchStep::json: return "json";
    case FetchStep::keys: return "keys";
  }
  return "";
}

std::string_view name_of(FetchParty party) {
  switch (party) {
    case FetchParty::operator_of_ours: return "operator";
    case FetchParty::partner: return "partner";
    case FetchParty::network: return "network";
  }
  return "";
}

std::span<const FetchAdvice> fetch_advice() { return rows; }

const FetchAdvice* advice_on(std::string_view code) {
  const auto row = std::ranges::find(rows, code, &FetchAdvice::code);
  return row == std::end(rows) ? nullptr : &*row;
}

FetchFailure fetch_failure(const char* code, std::string message) {
  const FetchAdvice* const row = advice_on(code);
  CHECK(row != nullptr);
  return {row->step, {code, std::move(message)}};
}

}  // namespace effects
