#pragma once
// What a convention makes of a message: the bytes that were signed, the signature, how it was made, which key is named, and
// the ways in which senders and receivers are known to disagree about it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "intake/finding.h"
#include "trial/case.h"
#include "trial/keys.h"
#include "trial/scheme.h"

namespace trial {

/// Other bytes that may have been signed, and what it would mean if they were.
struct BaseVariant {
  intake::Cause cause{};
  std::string what;  ///< one phrase, `without the last line feed`
  std::string bytes;
  std::optional<Scheme> scheme = {};  ///< where the variant is signed by another scheme too (an older protocol)
};

enum class SignatureText : std::uint8_t { base64, base64url, hex, octets };

/// One moment that the message names.
struct Stamp {
  std::string name;  ///< `created`, `timestamp`, `date`
  std::string text;  ///< as it stands in the message
  std::optional<base::Instant> at = {};
  bool judged = false;  ///< has to lie within the window around `received_at`
};

enum class StampUnit : std::uint8_t { seconds, milliseconds };
/// A stamp that counts since 1970 and is judged. Notes signature_time_is_in_milliseconds where seconds belong.
Stamp stamp_of(std::string name, std::string_view text, StampUnit unit, intake::Notes& notes);

struct Specimen {
  std::string base;                           ///< exactly what the convention signs
  std::string signature;                      ///< as it stands in the message
  std::vector<std::string> other_signatures;  ///< of equal rank, while a sender changes keys; one good one is enough
  SignatureText text = SignatureText::base64;
  Scheme scheme;
  std::string key_name;              ///< kid, serial number; empty: the message names none
  bool key_name_is_serial = false;   ///< it is compared with serial numbers of certificates, not only with given names
  bool key_name_is_decimal = false;  ///< the agreed form of serial numbers
  std::vector<BaseVariant> variants;
  std::vector<Stamp> stamps;
  std::string nonce;
  intake::Notes notes;    ///< what is wrong already, whatever the signature says
  bool hopeless = false;  ///< a note forbids to go on: nothing is signed, or parts are missing
};

/// A note that nothing can be tried.
Specimen without_hope(intake::Cause cause, std::string evidence);
/// A case is UTF-8; where the message declares GBK (`gbk`, `gb2312`, `gb18030`, in any case) base and variants become GBK.
void apply_charset(std::string_view declared, Specimen& specimen);

// One for each convention. Never fails: what is missing is noted.
Specimen read_http_signature(const Case& one, const KeyRing& ring);
Specimen read_jws(const Case& one, const KeyRing& ring);
Specimen read_detached(const Case& one, const KeyRing& ring);
Specimen read_webhook(const Case& one, const KeyRing& ring);
Specimen read_alipay(const Case& one, const KeyRing& ring);
Specimen read_wechat_pay(const Case& one, const KeyRing& ring);
Specimen read_unionpay(const Case& one, const KeyRing& ring);

}  // namespace trial
