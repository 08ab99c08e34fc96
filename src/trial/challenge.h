#pragma once
// Possession of a key, shown: a text that is fresh, says what it is for, and is signed once. Pure: nonce and time are drawn
// and read by the caller, and the caller remembers which nonces were answered (docs/trial.md).

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"

namespace trial {

/// What a signature over a challenge means, and nothing else.
struct Challenge {
  std::string origin;      ///< who asks: `https://pay.example.com`
  std::string partner;     ///< whose key it is
  std::string slot;        ///< what the key is for: `callbacks`
  std::string thumbprint;  ///< RFC 7638, of the key that has to sign
  base::Digest nonce{};    ///< 32 random bytes, for this challenge alone
  base::Instant expires;   ///< whole seconds count
  bool operator==(const Challenge&) const = default;
};

/// The text to sign: seven lines of ASCII with a line feed behind each, first `holdfast-key-challenge-v1`. One challenge has one
/// text. Errors: `challenge_malformed` (origin, partner, slot or thumbprint is empty, above 200 bytes, or holds anything but
/// visible ASCII; `expires` before 1970 or beyond 2261).
base::Result<std::string> make_challenge_text(const Challenge& challenge);
/// The inverse; error `challenge_malformed` for any text that make_challenge_text does not write.
base::Result<Challenge> parse_challenge_text(std::string_view text);

/// What came back, and for which import it came.
struct ChallengeAnswer {
  std::string_view text;          ///< as the partner signed it
  base::ByteView signature;       ///< octets
  std::string_view scheme = {};   ///< scheme_of_name; empty: usual for the key (ECDSA as r||s or DER, told by length)
  std::string_view user_id = {};  ///< SM2; empty: the default
};

/// Checks an answer against the challenge that was given out and the imported key (`spki` in DER). Good means that whoever
/// holds the private key signed this challenge before it expired; that it is the first answer to it is the caller's to know.
/// Errors: `challenge_differs` (another text than the one given out), `challenge_expired`, `challenge_key_differs` (the thumbprint is
/// of another key), `challenge_scheme_unknown`, `challenge_signature_wrong`, and those of crypto::PublicVerifier::of_spki and
/// make_challenge_text.
base::Status verify_challenge(const Challenge& given_out, const ChallengeAnswer& answer, base::ByteView spki,
                              base::Instant now);

}  // namespace trial
