#pragma once
// Recognisers of single formats. Each looks at the whole text or content and says whether it was its kind; findings and
// items go to the examination. Inside of the room only.

#include "intake/examination.h"

namespace intake {

// --- texts; true when handled ------------------------------------------------------------------------------------------
/// JSON: JWK, JWK Set, keystore, wrapped PEM, service account, wallet arrays, error pages. (json_doctor.cc)
bool examine_json(Examination& run, const Traced& text);
/// .NET XML keys, HTML pages. (markup_doctor.cc)
bool examine_markup(Examination& run, const Traced& text);
/// Placeholders, paths, addresses of the web, fingerprints, tokens: things in place of a key. (stand_in.cc)
bool examine_stand_in(Examination& run, const Traced& text);
/// `ssh-ed25519 AAAA...`, known_hosts and authorized_keys lines. (ssh_doctor.cc)
bool examine_ssh_line(Examination& run, const Traced& text);
/// PuTTY-User-Key-File. (putty_doctor.cc)
bool examine_putty(Examination& run, const Traced& text);
/// A mnemonic phrase. Looked for early: its words may look like a placeholder ("replace", "insert"). (wallet_doctor.cc)
bool examine_phrase(Examination& run, const Traced& text);
/// Extended keys, WIF, addresses, chain keys. (wallet_doctor.cc)
bool examine_wallet_text(Examination& run, const Traced& text);
/// Webhook secrets, API keys, card numbers, TR-31. (secret_doctor.cc)
bool examine_secret_text(Examination& run, const Traced& text);
/// The output of xxd or hexdump. Looked for early: its right column is full of quotes and escapes. (digits_doctor.cc)
bool examine_hex_dump(Examination& run, const Traced& text);
/// Hex digits, bare base64. (digits_doctor.cc)
bool examine_digits(Examination& run, const Traced& text);

// --- PEM blocks with a format of their own -------------------------------------------------------------------------------
/// Body of OPENSSH PRIVATE KEY. (ssh_doctor.cc)
void examine_openssh_private(Examination& run, const Content& content);
/// One public key in SSH wire form. `comment` becomes the name.
void examine_ssh_wire(Examination& run, const Content& content, std::string comment, std::string_view format);
/// DEK-Info: the old encryption of OpenSSL. (password_doctor.cc)
void examine_traditional_encryption(Examination& run, const Content& content, std::string_view label,
                                    std::string_view dek_info);
/// EncryptedPrivateKeyInfo.
void examine_encrypted_pkcs8(Examination& run, const Element& element, const Content& content, std::string_view format);
/// PKCS#12 (pkcs12_doctor.cc)
void examine_pkcs12(Examination& run, const Element& element, const Content& content);

// --- binary --------------------------------------------------------------------------------------------------------------
/// JKS, JCEKS, BKS, archives, OpenPGP packets, SSH wire. True when handled. (binary_doctor.cc)
bool examine_magic(Examination& run, const Content& content);
/// Bare key bits: points, seeds, scalars. False when the size fits nothing. (raw_doctor.cc)
bool examine_raw_key(Examination& run, const Content& content);

/// Content of a text: places map back to the input.
Content content_of(const Traced& text, std::size_t begin, Secret bytes);

}  // namespace intake
