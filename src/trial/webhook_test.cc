// Standard Webhooks: shared secrets and Ed25519.

#include <algorithm>

#include "crypto/mac.h"
#include "trial/signing_for_tests.h"
#include "wire/webhook_signature.h"

#include <doctest/doctest.h>

namespace trial {
namespace {

using namespace signing;

const base::Bytes secret(32, 0x5A);
const std::string body = R"({"type": "transfer.settled"})";

Case webhook(const std::string& signature) {
  Case one;
  one.convention = Convention::standard_webhook;
  one.secret = wire::to_webhook_key(wire::WebhookKeyKind::secret, secret);
  one.message.headers = {
      {"webhook-id", "msg_1"}, {"webhook-timestamp", "1770000000"}, {"webhook-signature", signature}};
  one.message.body = body;
  return one;
}
std::string mac(base::ByteView key, const std::string& text) {
  return "v1," + base::to_base64(crypto::hmac_sha256(key, base::as_bytes(text)));
}
const std::string agreed = "msg_1.1770000000." + body;

}  // namespace

TEST_CASE("webhooks as agreed, with one good signature of several") {
  CHECK_EQ(code(try_it(webhook(mac(secret, agreed)))), "verified");
  CHECK_EQ(code(try_it(webhook("v1,AAAA " + mac(secret, agreed)))), "verified");
  const KeyPair pair = KeyPair::ed25519();
  Case one = webhook("v1,AAAA v1a," + base::to_base64(pair.sign(*scheme_of_name("ed25519"), agreed)));
  one.secret.reset();
  const Bytes spki = pair.spki();
  one.keys.push_back(material(wire::to_webhook_key(wire::WebhookKeyKind::public_key, base::ByteView(spki).last(32))));
  CHECK_EQ(code(try_it(one)), "verified");
}

TEST_CASE("the secret was read as text, with its prefix or without") {
  const std::string text = wire::to_webhook_key(wire::WebhookKeyKind::secret, secret);
  const Answer with_prefix = try_it(webhook(mac(base::as_bytes(text), agreed)));
  CHECK_EQ(code(with_prefix), "signature_secret_is_read_otherwise");
  CHECK_EQ(with_prefix.deviations.at(0), "with the secret read as text with its prefix");
  CHECK_EQ(try_it(webhook(mac(base::as_bytes(text.substr(6)), agreed))).deviations.at(0),
           "with the secret read as text without its prefix");
}

TEST_CASE("older protocols, changed bodies, and no word of the right MAC") {
  CHECK_EQ(code(try_it(webhook(mac(secret, body)))), "protocol_version_differs");
  CHECK_EQ(code(try_it(webhook(mac(secret, "1770000000." + body)))), "protocol_version_differs");
  CHECK_EQ(code(try_it(webhook(mac(secret, "msg_1." + body)))), "protocol_version_differs");
  CHECK_EQ(code(try_it(webhook(mac(secret, "msg_1.1770000000000." + body)))), "signature_time_is_in_milliseconds");
  CHECK_EQ(code(try_it(webhook(mac(secret, agreed + "\n")))), "signature_line_ends_differ");
  const Answer answer = try_it(webhook(mac(secret, "something else")));
  CHECK_EQ(code(answer), "signature_cause_is_unknown");
  const auto right = crypto::hmac_sha256(secret, base::as_bytes(agreed));
  for (const std::string& said : {to_json(answer), to_text(answer)}) {
    CHECK_EQ(said.find(base::to_base64(right)), std::string::npos);
    CHECK_EQ(said.find(base::to_hex(right)), std::string::npos);
    CHECK_EQ(said.find(base::to_base64(secret)), std::string::npos);
  }
}

TEST_CASE("webhooks that cannot be tried") {
  Case one = webhook("v1a,AAAA");
  CHECK_EQ(code(try_it(one)), "protocol_version_differs");
  one = webhook(mac(secret, agreed));
  one.message.headers[1].second = "1770000000000";
  CHECK_EQ(code(try_it(one)), "signature_time_is_in_milliseconds");
  one.message.headers[1].second = "soon";
  CHECK_EQ(code(try_it(one)), "signature_text_is_malformed");
  one.message.headers.erase(one.message.headers.begin() + 1);
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  one = webhook(mac(secret, agreed));
  one.message.body.reset();
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  one = webhook("v1,A\nB");
  CHECK_FALSE(try_it(one).verified);
}

}  // namespace trial
