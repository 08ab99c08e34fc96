#include "effects/key_sets/https_fetch.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "crypto/chain/address.h"
#include "crypto/chain/general_name.h"

namespace effects {
namespace {

using base::Duration;
using crypto::chain::address_text;
using intake::Address;

constexpr std::size_t addresses_max = 8;

struct EasyEnd {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyEnd>;
using List = std::unique_ptr<curl_slist, ListEnd>;

void append(List& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  CHECK(longer != nullptr);
  static_cast<void>(list.release());
  list.reset(longer);
}

// What one transfer shares with libcurl's callbacks.
struct Transfer {
  const FetchOrder& order;
  bool tls;
  const std::vector<Address>& judged;
  Fetched& result;
  io::Clock& clock;
  std::int64_t began_ns = clock.boot_ns();
  Duration reached{};              ///< when TLS began; 0: nobody took the connection
  std::size_t header_bytes = 0;
  bool too_large = false;
};

Address address_of(const curl_sockaddr& peer) {
  Address address;
  if (peer.family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&peer.addr);
    address.size = 4;
    std::memcpy(address.bytes.data(), &v4->sin_addr, 4);
  } else if (peer.family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&peer.addr);
    address.size = 16;
    std::memcpy(address.bytes.data(), &v6->sin6_addr, 16);
  }
  return address;
}

// The last lock: whatever libcurl believes, no socket is opened to an address that was not judged.
curl_socket_t open_socket(void* context, curlsocktype purpose, curl_sockaddr* peer) {
  const auto& transfer = *static_cast<Transfer*>(context);
  const Address address = address_of(*peer);
  const bool judged = std::ranges::any_of(transfer.judged, [&](const Address& one) { return one.size == address.size && one.bytes == address.bytes; });
  if (purpose != CURLSOCKTYPE_IPCXN || !judged) return CURL_SOCKET_BAD;
  return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

// Called when TLS is about to begin: somebody took the connection.
CURLcode begin_tls(CURL*, void*, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.reached = {transfer.clock.boot_ns() - transfer.began_ns};
  return CURLE_OK;
}

std::size_t take_body(char* data, std::size_t one, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t size = one * count;
  if (transfer.result.body.size() + size > transfer.order.bytes_max) {
    transfer.too_large = true;
    return 0;
  }
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(data);
  transfer.result.body.insert(transfer.result.body.end(), bytes, bytes + size);
  return size;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// The first of repeated headers counts; Cache-Control is a list, so there all do (RFC 9110 section 5.3).
void note_header(FetchedHeaders& headers, std::string_view name, std::string_view value) {
  const std::pair<std::string_view, std::string*> wanted[] = {
      {"content-type", &headers.content_type}, {"age", &headers.age},   {"expires", &headers.expires},
      {"date", &headers.date},                 {"etag", &headers.etag}, {"location", &headers.location}};
  for (const auto& [wanted_name, place] : wanted) {
    if (crypto::chain::same_text(name, wanted_name) && place->empty()) *place = value;
  }
  if (crypto::chain::same_text(name, "cache-control")) headers.cache_control += (headers.cache_control.empty() ? "" : ", ") + std::string(value);
}

std::size_t take_header(char* data, std::size_t one, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line(data, one * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > transfer.order.header_bytes_max) {
    transfer.too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) transfer.result.headers = {};  // also after an interim answer
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) note_header(transfer.result.headers, line.substr(0, colon), trimmed(line.substr(colon + 1)));
  return line.size();
}

// Without what only we may say to people: control characters and length.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out.push_back(c >= 0x20 && c < 0x7F ? c : '?');
  return out;
}

std::string authority_of(const intake::FetchTarget& target) {
  const bool v6 = target.host.find(':') != std::string::npos;
  return (v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

void set_limits(CURL* easy, const FetchOrder& order, Duration left) {
  const auto milliseconds = [](Duration span) { return static_cast<long>(std::max<std::int64_t>(span.ns / 1'000'000, 1)); };
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(std::min(order.connect_max, left)));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(left));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

// One request on one connection: no second host, protocol, proxy, login, cookie or decompression.
void set_confinement(CURL* easy, bool tls) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void set_tls(CURL* easy, const FetchOrder& order) {
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
  if (order.ca_file.empty()) return;
  curl_easy_setopt(easy, CURLOPT_CAINFO, order.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

void set_posted(CURL* easy, const FetchOrder& order) {
  if (order.posted.empty()) return;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, order.posted.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(order.posted.size()));
}

// Asked by libcurl about once a second, and whenever something moves.
int has_to_stop(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(context)->load(std::memory_order_relaxed) ? 1 : 0;
}

void set_stopping(CURL* easy, const FetchOrder& order) {
  if (order.stopping == nullptr) return;
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, has_to_stop);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(order.stopping));
}

void set_callbacks(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, begin_tls);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
}

List request_headers(const FetchOrder& order) {
  List headers;
  append(headers, "Accept: " + order.accept);
  append(headers, "User-Agent: holdfast");
  if (!order.posted.empty()) append(headers, "Content-Type: " + order.posted_type);
  if (!order.entity_tag.empty()) append(headers, "If-None-Match: " + order.entity_tag);
  return headers;
}

// `HOST:PORT:ADDRESS,...`: libcurl's own answer to the name, which keeps it from asking anybody.
List pinned(const intake::FetchTarget& target, const std::vector<Address>& judged) {
  std::string line = authority_of(target) + ":";
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const std::string text = address_text(judged[i].view());
    line += (i == 0 ? "" : ",") + (judged[i].size == 16 ? "[" + text + "]" : text);
  }
  List list;
  append(list, line);
  return list;
}

struct Times {
  Duration connected{}, secured{}, total{};   ///< since the transfer began; 0 for what did not happen
};
Times times_of(CURL* easy, const Transfer& transfer) {
  const auto read = [&](CURLINFO what) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, what, &microseconds);
    return Duration{static_cast<std::int64_t>(microseconds) * 1'000};
  };
  // libcurl forgets when it was connected if TLS fails.
  const Duration connected = read(CURLINFO_CONNECT_TIME_T);
  // Without TLS a connection is all there is to have before the request.
  const Duration secured = transfer.tls ? read(CURLINFO_APPCONNECT_TIME_T) : connected;
  return {connected.ns > 0 ? connected : transfer.reached, secured, read(CURLINFO_TOTAL_TIME_T)};
}

// `certificate of CN = ..., by CN = ..., until ...`, from libcurl's list for the server's own certificate.
std::string certificate_text(CURL* easy) {
  curl_certinfo* info = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == nullptr || info->num_of_certs == 0) return "verified";
  std::string text;
  const auto add = [&](std::string_view line, std::string_view name, std::string_view lead) {
    if (line.starts_with(name)) text += std::string(lead) + shown(line.substr(name.size()));
  };
  for (const curl_slist* line = info->certinfo[0]; line != nullptr; line = line->next) {
    add(line->data, "Subject:", "certificate of ");
    add(line->data, "Issuer:", ", by ");
    add(line->data, "Expire date:", ", until ");
  }
  return text;
}

const char* certificate_code(CURL* easy) {
  long verdict = 0;
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  switch (verdict) {
    case X509_V_ERR_UNSPECIFIED:   // the chain was good; libcurl notes that only after it has looked at the name
    case X509_V_OK: return "fetch_certificate_name_differs";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "fetch_certificate_expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "fetch_certificate_not_yet_valid";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return "fetch_certificate_chain_incomplete";
    default: return "fetch_certificate_not_trusted";
  }
}

const char* timeout_code(const Times& times) {
  if (times.connected.ns == 0) return "fetch_connect_timed_out";
  return times.secured.ns == 0 ? "fetch_tls_timed_out" : "fetch_reply_timed_out";
}

const char* code_of(CURLcode code, const Times& times, CURL* easy) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return timeout_code(times);
    case CURLE_PEER_FAILED_VERIFICATION: return certificate_code(easy);
    case CURLE_SSL_CACERT_BADFILE: return "fetch_ca_file_unusable";
    case CURLE_FILESIZE_EXCEEDED: return "fetch_reply_too_large";
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return times.secured.ns == 0 ? "fetch_tls_failed" : "fetch_connection_lost";
    default: break;
  }
  if (times.connected.ns == 0) return "fetch_connect_failed";
  return times.secured.ns == 0 ? "fetch_tls_failed" : "fetch_reply_malformed";
}

// A proxy's word for "no" is as much an answer as the server's own.
std::optional<FetchFailure> judge_status(long status, const FetchOrder& order, const Fetched& result) {
  if (status == 200 || (status == 304 && !order.entity_tag.empty())) return std::nullopt;
  if (status >= 300 && status < 400 && status != 304) {
    return fetch_failure("fetch_redirected", std::to_string(status) + " to " + shown(result.headers.location));
  }
  return fetch_failure("fetch_http_status", "status " + std::to_string(status));
}

void note_steps(CURL* easy, const Times& times, const Transfer& transfer) {
  Fetched& result = transfer.result;
  if (times.connected.ns == 0) return;
  const char* peer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &peer);
  result.steps.push_back({FetchStep::connect, times.connected, "to " + std::string(peer == nullptr ? "" : peer)});
  if (times.secured.ns == 0 || !transfer.tls) return;
  result.steps.push_back({FetchStep::tls, {times.secured.ns - times.connected.ns}, certificate_text(easy)});
}

void finish(CURL* easy, CURLcode code, const char* detail, const Transfer& transfer) {
  Fetched& result = transfer.result;
  const Times times = times_of(easy, transfer);
  note_steps(easy, times, transfer);
  result.failed_after = {times.total.ns - std::max(times.connected.ns, times.secured.ns)};
  if (code != CURLE_OK) {
    const std::string reason = *detail != '\0' ? detail : curl_easy_strerror(code);
    result.failure = transfer.too_large ? fetch_failure("fetch_reply_too_large", "more than " + std::to_string(transfer.order.bytes_max) + " bytes of body, or " +
                                                                                   std::to_string(transfer.order.header_bytes_max) + " of headers")
                                        : fetch_failure(code_of(code, times, easy), shown(reason));
    return;
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  result.failure = judge_status(status, transfer.order, result);
  if (result.failure) return;
  result.not_modified = status == 304;
  result.steps.push_back({FetchStep::http, result.failed_after,
                          std::to_string(status) + (result.headers.content_type.empty() ? "" : ", " + shown(result.headers.content_type)) + ", " +
                              std::to_string(result.body.size()) + " bytes"});
}

std::string listed(const std::vector<Address>& addresses) {
  std::string text;
  for (const Address& address : addresses) text += (text.empty() ? "" : ", ") + address_text(address.view());
  return text;
}

void transfer_pinned(const FetchOrder& order, const intake::FetchTarget& target, const std::vector<Address>& judged, Duration left, io::Clock& clock,
                     Fetched& result) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const Easy easy(curl_easy_init());
  CHECK(ready == CURLE_OK && easy != nullptr);
  Transfer transfer{order, target.tls, judged, result, clock};
  const List headers = request_headers(order), addresses = pinned(target, judged);
  const std::string url = (target.tls ? "https://" : "http://") + authority_of(target) + target.path;
  char detail[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_RESOLVE, addresses.get());
  curl_easy_setopt(easy.get(), CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(order.bytes_max));
  set_confinement(easy.get(), target.tls);
  set_posted(easy.get(), order);
  set_stopping(easy.get(), order);
  set_limits(easy.get(), order, left);
  set_tls(easy.get(), order);
  set_callbacks(easy.get(), transfer);
  const CURLcode code = curl_easy_perform(easy.get());
  finish(easy.get(), code, detail, transfer);
}

}  // namespace

Fetched HttpsFetch::get(const FetchOrder& order) const {
  Fetched result;
  const auto refuse = [&](const base::Error& error) { result.failure = fetch_failure(error.code, error.message); };
  const auto target = intake::check_fetch_url(order.url, order.rules);
  if (!target.ok()) {
    refuse(target.error());
    return result;
  }
  result.steps.push_back({FetchStep::address, {}, (target->tls ? "https, " : "http, ") + target->host + " is on the list"});
  const std::int64_t began = clock_.boot_ns();
  auto addresses = names_.resolve(target->host, std::min(order.connect_max, order.total_max));
  const Duration resolved_after{clock_.boot_ns() - began};
  result.failed_after = resolved_after;
  const auto judged = addresses.ok() ? intake::pin_address(*addresses, order.rules) : base::Result<Address>(addresses.error());
  if (!judged.ok()) {
    refuse(judged.error());
    return result;
  }
  if (addresses->size() > addresses_max) addresses->resize(addresses_max);
  result.steps.push_back({FetchStep::dns, resolved_after, listed(*addresses)});
  const Duration left{order.total_max.ns - resolved_after.ns};
  transfer_pinned(order, *target, *addresses, left, clock_, result);
  return result;
}

}  // namespace effects
