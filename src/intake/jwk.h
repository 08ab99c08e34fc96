#pragma once
// JSON Web Keys and sets of them (RFC 7517, RFC 7518, RFC 8037, RFC 8812). Inside of the room only.

#include "intake/examination.h"
#include "intake/json.h"

namespace intake {

/// One object with a `kty`.
void examine_jwk(Examination& run, const JsonValue& jwk, const Traced& text);
/// The array of a key set.
void examine_jwk_set(Examination& run, const JsonValue& keys, const Traced& text);
/// Ethereum keystore v3. (ethereum_keystore.cc)
void examine_ethereum_keystore(Examination& run, const JsonValue& keystore, const Traced& text);

/// Fills p, q and the CRT numbers of an RSA key that has only n, e and d. False when they contradict each other.
bool recover_primes(Key& key);

}  // namespace intake
