#pragma once
// An authority with a responder and lists on loopback, whose every answer a test says, and a certificate that names them. For tests
// only.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/instant.h"
#include "base/text.h"
#include "crypto/chain/maker_for_tests.h"
#include "effects/http/scripted_server_for_tests.h"

namespace node {

namespace making = crypto::chain::making;
namespace oid = crypto::chain::oid;

/// `20261123052800Z`, some seconds from now.
inline std::string general_time_in(base::Instant now, std::int64_t seconds) {
  std::string text;
  for (const char c : base::to_rfc3339({now.ns + base::seconds(seconds).ns}).substr(0, 19)) {
    if (c >= '0' && c <= '9') text.push_back(c);
  }
  return text + "Z";
}

inline std::string pem_of(const base::Bytes& der) {
  return "-----BEGIN CERTIFICATE-----\n" + base::to_base64(der) + "\n-----END CERTIFICATE-----\n";
}

inline effects::ScriptedReply found(base::ByteView body) {
  return {.bytes = effects::http_reply(200, "application/octet-stream", base::as_text(body)), .end = effects::ScriptedReply::End::close};
}

class AuthorityForTests {
 public:
  static constexpr std::string_view responder = "/ocsp", list = "/list", delta = "/delta";

  explicit AuthorityForTests(base::Instant now) : now_(now) {
    leaf = making::leaf_spec(leaf_key, root);
  }

  /// What is answered at a path from here on; until then it is 404.
  void say(std::string_view path, effects::ScriptedReply reply) {
    const std::lock_guard lock(mutex_);
    replies_.insert_or_assign(std::string(path), std::move(reply));
  }
  void say(std::string_view path, const base::Bytes& body) { say(path, found(body)); }

  /// Has the certificate name what the authority offers.
  void name_responder() {
    leaf.with(oid::authority_information_access, false, making::sequence({making::sequence({making::id(oid::access_ocsp), making::uri(url(responder))})}));
  }
  void name_list() { leaf.with(oid::crl_distribution_points, false, points(list)); }
  void name_delta() { leaf.with(oid::freshest_crl, false, points(delta)); }
  std::string url(std::string_view path) const { return server.url() + std::string(path); }

  /// A good response, and a list without anybody, both of now.
  making::OcspSpec response() const {
    making::OcspSpec spec;
    spec.issuer_name = root.subject;
    spec.issuer_key_bits = root_key.public_bits();
    spec.this_update = general_time_in(now_, -60);
    spec.next_update = general_time_in(now_, 3'600);
    spec.signer = root_key;
    return spec;
  }
  making::ListSpec complete_list() const {
    making::ListSpec spec;
    spec.issuer = root.subject;
    spec.this_update = general_time_in(now_, -60);
    spec.next_update = general_time_in(now_, 3'600);
    spec.signer = root_key;
    return spec;
  }
  making::ListSpec delta_list() const {
    making::ListSpec spec = complete_list();
    spec.extensions = {making::extension(oid::crl_number, false, making::small(6)), making::extension(oid::delta_crl_indicator, true, making::small(5))};
    return spec;
  }
  /// The certificate with its issuer's behind it.
  std::string pem() const { return pem_of(leaf.der()) + pem_of(root.der()); }

  making::Key root_key = making::Key::ec(), leaf_key = making::Key::ec();
  making::Spec root = making::root_spec(root_key, "test authority");
  making::Spec leaf;

 private:
  base::Bytes points(std::string_view path) const {
    return making::sequence({making::sequence({making::tlv(crypto::chain::tag::constructed(0), {making::tlv(crypto::chain::tag::constructed(0), {making::uri(url(path))})})})});
  }
  effects::ScriptedReply answer(const std::string& request) {
    const std::size_t begin = request.find(' ') + 1;
    const std::lock_guard lock(mutex_);
    const auto found = replies_.find(request.substr(begin, request.find(' ', begin) - begin));
    if (found != replies_.end()) return found->second;
    return {.bytes = effects::http_reply(404, "text/plain", "no"), .end = effects::ScriptedReply::End::close};
  }

  const base::Instant now_;
  std::mutex mutex_;
  std::map<std::string, effects::ScriptedReply> replies_;   // under mutex_

 public:
  effects::ScriptedServer server{[this](const std::string& request) { return answer(request); }, effects::ScriptedServer::Plain{}};
};

}  // namespace node
