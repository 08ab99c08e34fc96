// PuTTY private keys, versions 2 and 3 (PuTTY manual, appendix C).
#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "intake/layers.h"
#include "intake/opening.h"
#include "intake/pem.h"
#include "intake/ssh_wire.h"

namespace intake {
namespace {

using base::ByteView;

struct PuttyFile {
  int version = 0;
  std::string type, encryption, comment, derivation, salt, mac;
  std::uint64_t memory_kib = 0, passes = 0, lanes = 0;
  Content public_part, private_part;
  bool sound = true;
};

std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

PuttyFile read_file(const Traced& text) {
  PuttyFile out;
  const std::string_view view = text.view();
  std::size_t at = 0;
  const auto line_end = [&] { return std::min(view.find('\n', at), view.size()); };
  while (at < view.size()) {
    const std::size_t end = line_end();
    const std::string_view line = view.substr(at, end - at);
    const std::size_t colon = line.find(": ");
    at = end + 1;
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string value(line.substr(colon + 2));
    if (name == "PuTTY-User-Key-File-2" || name == "PuTTY-User-Key-File-3") {
      out.version = name.back() - '0';
      out.type = value;
    } else if (name == "Encryption") {
      out.encryption = value;
    } else if (name == "Comment") {
      out.comment = value;
    } else if (name == "Key-Derivation") {
      out.derivation = value;
    } else if (name == "Argon2-Memory") {
      out.memory_kib = number_of(value);
    } else if (name == "Argon2-Passes") {
      out.passes = number_of(value);
    } else if (name == "Argon2-Parallelism") {
      out.lanes = number_of(value);
    } else if (name == "Argon2-Salt") {
      out.salt = value;
    } else if (name == "Private-MAC") {
      out.mac = value;
    } else if (name == "Public-Lines" || name == "Private-Lines") {
      const std::size_t begin = at;
      for (std::uint64_t i = number_of(value); i > 0 && at < view.size(); --i) at = line_end() + 1;
      Base64Scan scan = scan_base64(text, begin, std::min(at, view.size()));
      out.sound &= scan.bad_at == std::string_view::npos && !scan.lone_digit;
      (name == "Public-Lines" ? out.public_part : out.private_part) = std::move(scan.content);
    }
  }
  return out;
}

// What the MAC covers: each part with its length in front.
Secret mac_input(const PuttyFile& file, ByteView private_part) {
  Secret out;
  const auto put = [&](ByteView part) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(part.size() >> shift));
    out.insert(out.end(), part.begin(), part.end());
  };
  put(base::as_bytes(file.type));
  put(base::as_bytes(file.encryption));
  put(base::as_bytes(file.comment));
  put(file.public_part.bytes);
  put(private_part);
  return out;
}

// cipher key (32), initial vector (16), MAC key: derived from the password as the version says.
std::optional<Secret> derive(const PuttyFile& file, std::string_view password, const Policy& policy, const Desk& desk) {
  Secret out;
  if (file.version == 2) {
    for (std::uint8_t i = 0; i < 2; ++i) {
      Secret message = {0, 0, 0, i};
      message.insert(message.end(), password.begin(), password.end());
      const Secret part = digest(Hash::sha1, message);
      out.insert(out.end(), part.begin(), part.end());
    }
    out.resize(32);
    out.resize(48, 0);
    Secret message = to_secret(base::as_bytes("putty-private-key-file-mac-key"));
    message.insert(message.end(), password.begin(), password.end());
    const Secret mac_key = digest(Hash::sha1, message);
    out.insert(out.end(), mac_key.begin(), mac_key.end());
    return out;
  }
  const auto salt = base::parse_hex(file.salt);
  const int algorithm = file.derivation == "Argon2id" ? crypto_pwhash_ALG_ARGON2ID13 : file.derivation == "Argon2i" ? crypto_pwhash_ALG_ARGON2I13 : 0;
  if (!salt || salt->size() != crypto_pwhash_SALTBYTES || algorithm == 0 || file.lanes != 1) {
    desk.add(Cause::cipher_is_not_supported, file.derivation + " with " + std::to_string(file.lanes) + " lanes and a salt of " + std::to_string(file.salt.size() / 2) + " bytes");
    return std::nullopt;
  }
  if (file.passes > 64 || !is_affordable(policy, file.passes, file.memory_kib * 1024)) {
    desk.add(Cause::key_derivation_is_too_expensive, std::to_string(file.memory_kib) + " KiB, " + std::to_string(file.passes) + " passes");
    return std::nullopt;
  }
  out.resize(80);
  if (crypto_pwhash(out.data(), out.size(), password.data(), password.size(), salt->data(), file.passes, static_cast<std::size_t>(file.memory_kib * 1024), algorithm) != 0) {
    desk.add(Cause::key_derivation_is_too_expensive, "the library refuses the parameters");
    return std::nullopt;
  }
  return out;
}

// The private fields that PuTTY keeps beside the public blob.
std::optional<Key> read_private(Key key, SshCursor cursor) {
  key.is_private = true;
  if (key.is_rsa()) {
    auto d = cursor.mpint(), p = cursor.mpint(), q = cursor.mpint(), qi = cursor.mpint();
    if (!d || !p || !q || !qi) return std::nullopt;
    key.d = to_secret(*d), key.p = to_secret(*p), key.q = to_secret(*q), key.qi = to_secret(*qi);
    complete_rsa(key);
    return key;
  }
  auto value = key.type == KeyType::ec ? cursor.mpint() : cursor.string();
  const std::size_t width = key.type == KeyType::ec ? key.curve->field_bytes() : 32;
  if (!value || value->size() > width) return std::nullopt;
  Secret padded(width - value->size(), 0);
  padded.insert(padded.end(), value->begin(), value->end());
  if (key.type == KeyType::ec) {
    if (!scalar_in_range(*key.curve, padded)) return std::nullopt;
    key.scalar = std::move(padded);
    return key;
  }
  key.seed = std::move(padded);
  if (okp_public(key.type, key.seed) != key.pub) return std::nullopt;
  return key;
}

}  // namespace

bool examine_putty(Examination& run, const Traced& text) {
  const std::size_t begin = text.view().find("PuTTY-User-Key-File-");
  if (begin == std::string_view::npos || begin > 200) return false;
  run.seems_private = true;
  PuttyFile file = read_file(text);
  const Desk desk{file.public_part, run.notes};
  const Place place = text.place(begin, text.size());
  run.notes.add(Cause::putty_key_given, place, file.version == 0 ? "of a version we do not read" : "version " + std::to_string(file.version));
  if (file.version == 0) {
    run.notes.add(Cause::cipher_is_not_supported, place, "PPK of another version than 2 and 3");
    return true;
  }
  if (!file.sound) {
    run.notes.add(Cause::base64_has_invalid_character, place, "in the PuTTY key");
    return true;
  }
  if (file.public_part.bytes.empty() || file.private_part.bytes.empty() || file.mac.empty()) {
    run.notes.add(Cause::content_is_truncated, place, "a part of the PuTTY file is missing");
    return true;
  }
  const bool encrypted = file.encryption == "aes256-cbc";
  Item sealed;
  sealed.kind = Kind::encrypted_private_key;
  sealed.format = "ppk";
  sealed.place = place;
  if (!encrypted && file.encryption != "none") {
    run.add(std::move(sealed));
    run.notes.add(Cause::cipher_is_not_supported, place, file.encryption.substr(0, 32));
    return true;
  }
  if (encrypted && !run.expected.password) {
    run.add(std::move(sealed));
    run.notes.add(Cause::password_is_missing, place);
    return true;
  }
  Secret derived;
  if (encrypted || file.version == 2) {
    if (encrypted) run.password_used = true;
    auto keys = derive(file, encrypted ? *run.expected.password : std::string_view(), run.expected.policy, desk);
    if (!keys) {
      run.add(std::move(sealed));
      return true;
    }
    derived = std::move(*keys);
  } else {
    derived.resize(48);  // version 3 without encryption: an empty MAC key
  }
  Secret plain = file.private_part.bytes;
  if (encrypted) {
    auto opened = decrypt(Cipher::aes256_cbc, ByteView(derived).first(32), ByteView(derived).subspan(32, 16), plain, false);
    plain = opened ? std::move(*opened) : Secret();
  }
  const Secret expected_mac = hmac(file.version == 2 ? Hash::sha1 : Hash::sha256, ByteView(derived).subspan(48), mac_input(file, plain));
  const auto mac = base::parse_hex(file.mac);
  if (!mac || !base::equal_constant_time(*mac, expected_mac)) {
    if (encrypted) run.add(std::move(sealed));
    run.notes.add(encrypted ? Cause::password_is_wrong : Cause::key_pair_is_inconsistent, place, encrypted ? "" : "the file's own check value does not fit");
    return true;
  }
  SshCursor cursor(file.public_part.bytes);
  const std::string_view type = cursor.text();
  auto pub = read_ssh_public(cursor, type, desk);
  if (!pub) return true;
  auto key = read_private(std::move(*pub), SshCursor(plain));
  if (!key) {
    run.notes.add(Cause::key_pair_is_inconsistent, place, "the private part does not belong to the public one");
    return true;
  }
  run.add_key(std::move(*key), "ppk", base::is_utf8(file.comment) ? file.comment.substr(0, 128) : std::string(), desk);
  return true;
}

}  // namespace intake
