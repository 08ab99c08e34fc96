// WeChat Pay API version 3: replies and callbacks are signed with the platform's certificate, or with its public key
// (PUB_KEY_ID_...). Signed are time stamp, nonce and body, each with a line feed behind it.

#include "trial/specimen.h"
#include "trial/text_variants.h"

namespace trial {

using intake::Cause;

Specimen read_wechat_pay(const Case& one, const KeyRing&) {
  const Message& message = one.message;
  const auto timestamp = message.header("wechatpay-timestamp"), nonce = message.header("wechatpay-nonce");
  const auto signature = message.header("wechatpay-signature"), serial = message.header("wechatpay-serial");
  for (const auto& [name, value] :
       {std::pair("wechatpay-timestamp", timestamp), std::pair("wechatpay-nonce", nonce),
        std::pair("wechatpay-signature", signature), std::pair("wechatpay-serial", serial)}) {
    if (!value) return without_hope(Cause::signature_part_is_missing, std::string("the header ") + name);
  }
  if (signature->starts_with("WECHATPAY/SIGNTEST/")) {
    return without_hope(Cause::signature_text_is_malformed,
                        "this is a probe: the platform sends wrong signatures on purpose, and refusing them is right");
  }
  const bool sm2 = message.header("wechatpay-signature-type").value_or("") == "WECHATPAY2-SM2-WITH-SM3";
  const std::string head = std::string(*timestamp) + "\n" + std::string(*nonce) + "\n";
  const std::string body = message.body.value_or("");
  Specimen specimen;
  specimen.base = head + body + "\n";
  specimen.signature = *signature;
  specimen.scheme = *scheme_of_name(sm2 ? "sm2-sm3" : "rsa-pkcs1-sha256");
  specimen.key_name = *serial;
  specimen.key_name_is_serial = true;
  specimen.nonce = *nonce;
  specimen.stamps.push_back(stamp_of("wechatpay-timestamp", *timestamp, StampUnit::seconds, specimen.notes));
  specimen.variants = variants_within(head, body, "\n");
  specimen.variants.push_back({Cause::signature_line_ends_differ, "without the last line feed", head + body, {}});
  specimen.variants.push_back({Cause::signature_line_ends_differ,
                               "with CR LF for each line feed",
                               std::string(*timestamp) + "\r\n" + std::string(*nonce) + "\r\n" + body + "\r\n",
                               {}});
  specimen.variants.push_back(
      {Cause::signature_parameter_set_differs,
       "with method and path before, as requests are signed",
       message.method + "\n" + (message.url.empty() ? "/" : message.url) + "\n" + head + body + "\n",
       {}});
  specimen.variants.push_back({Cause::protocol_version_differs, "over the body alone", body, {}});
  return specimen;
}

}  // namespace trial
