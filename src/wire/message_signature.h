#pragma once
// HTTP Message Signatures (RFC 9421): the text a signature is made over, and the two fields that carry it. Pure: keys, clock
// and the memory of nonces come in from outside.
//
// Covered components: any header field by its plain name, and of the derived ones (section 2.2) @method, @target-uri,
// @authority, @scheme, @path, @query, @query-param;name="..." and @status. Components with the parameters sf, key, bs, req and
// tr are refused by name: nobody here needs them, and each is another way to read one message.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "wire/http_message.h"
#include "wire/structured_dictionary.h"

namespace wire {

/// A message as a signature sees it. Views: the message outlives it.
struct SignableMessage {
  const Request* request = nullptr;     ///< exactly one of the two is set
  const Response* response = nullptr;
  std::string_view scheme = "https";    ///< of a request

  static SignableMessage of(const Request& request, std::string_view scheme = "https") { return {&request, nullptr, scheme}; }
  static SignableMessage of(const Response& response) { return {nullptr, &response, {}}; }
  const Headers& headers() const { return request != nullptr ? request->headers : response->headers; }
};

/// The text that is signed (section 2.5), from the covered components and the parameters in the order in which they stand in
/// Signature-Input. Errors: `signature_component_missing` (covered, and the message has none), `signature_component_malformed`
/// (not a string, named twice, or not of this kind of message), `signature_component_not_supported`.
base::Result<std::string> signature_base(const SignableMessage& message, const std::vector<StructuredItem>& components,
                                         const StructuredParameters& parameters);

// --- signing --------------------------------------------------------------------------------------------------------------

/// What a signature says about itself (section 2.3).
struct SignatureTerms {
  std::string_view label = "sig1";               ///< a structured-field key
  std::vector<std::string_view> components;      ///< plain names: `@method`, `content-digest`
  base::Instant created;                         ///< whole seconds are kept
  std::optional<base::Instant> expires;
  std::string_view nonce;                        ///< left out if empty
  std::string_view key_id;
  std::string_view algorithm;                    ///< left out if empty; `ed25519`, `hmac-sha256` (section 6.2.2)
  std::string_view tag;                          ///< left out if empty
};

/// Raw signature of a text. Errors are those of whoever holds the key.
using SignText = std::function<base::Result<base::Bytes>(base::ByteView text)>;

/// The values of the two fields; `signature_input` and `signature` are to be added to the message as they are.
struct SignatureFields {
  std::string signature_input;
  std::string signature;
};
/// Errors: those of signature_base and of `sign`.
base::Result<SignatureFields> sign_message(const SignableMessage& message, const SignatureTerms& terms, const SignText& sign);

// --- verifying ------------------------------------------------------------------------------------------------------------

/// What a verifier insists on. The defaults are strict; a required component must be covered, not only be there.
struct SignaturePolicy {
  std::vector<std::string_view> required;                  ///< plain names
  std::string_view tag;                                    ///< only signatures with this tag are looked at; empty: without regard to tags
  base::Duration age_max = base::seconds(300);             ///< since `created`
  base::Duration skew_max = base::seconds(60);             ///< how far `created` may lie ahead of us
  bool nonce_required = true;
  std::size_t nonce_bytes_max = 128;
  std::size_t field_bytes_max = 4096;                      ///< of each of the two fields
};

/// A signature whose policy was kept, before its key was asked for.
struct SignatureClaim {
  std::string label;
  std::string key_id;
  std::string algorithm;                ///< empty if it names none
  std::string nonce;                    ///< empty if it has none
  base::Instant created;
  std::optional<base::Instant> expires;
  std::string text;                     ///< the signature base
  base::Bytes signature;
};

enum class KeyVerdict : std::uint8_t {
  good,
  wrong,                    ///< the key is known and the signature is not its own
  key_unknown,
  algorithm_not_allowed,    ///< the signature names another algorithm than its key has
};
using VerifySignature = std::function<KeyVerdict(const SignatureClaim& claim)>;

/// Reads the one signature of a message that is for us, and judges everything but the key. Errors: `signature_missing`,
/// `signature_malformed`, `signature_ambiguous` (several that could be meant), `signature_component_not_covered`,
/// `signature_created_missing`, `signature_too_old`, `signature_from_the_future`, `signature_expired`,
/// `signature_nonce_missing`, `signature_key_not_named`, and those of signature_base.
base::Result<SignatureClaim> read_signature(const SignableMessage& message, const SignaturePolicy& policy, base::Instant now);

/// read_signature, then the key's word. Further errors: `signature_key_unknown`, `signature_algorithm_not_allowed`,
/// `signature_wrong`. A nonce is the caller's to remember, and only after this: whoever cannot sign cannot burn nonces.
base::Result<SignatureClaim> verify_message(const SignableMessage& message, const SignaturePolicy& policy, base::Instant now,
                                            const VerifySignature& verify);

}  // namespace wire
