// OpenSSH keys: lines (RFC 4253 section 6.6), wire blobs, RFC 4716 bodies, and openssh-key-v1 private files.
#include <algorithm>

#include "base/text.h"
#include "intake/layers.h"
#include "intake/opening.h"
#include "intake/pem.h"
#include "intake/ssh_wire.h"

namespace intake {
namespace {

using base::ByteView;

struct SshCipher {
  std::string_view name;
  Cipher cipher;
  std::size_t iv;
};
constexpr SshCipher ciphers[] = {
    {"aes256-ctr", Cipher::aes256_ctr, 16}, {"aes192-ctr", Cipher::aes192_ctr, 16}, {"aes128-ctr", Cipher::aes128_ctr, 16},
    {"aes256-cbc", Cipher::aes256_cbc, 16}, {"aes192-cbc", Cipher::aes192_cbc, 16}, {"aes128-cbc", Cipher::aes128_cbc, 16},
    {"3des-cbc", Cipher::des3_cbc, 8},      {"aes256-gcm@openssh.com", Cipher::aes256_gcm, 12},
    {"aes128-gcm@openssh.com", Cipher::aes128_gcm, 12},
};

const Curve* ssh_curve(std::string_view type) {
  if (type == "ecdsa-sha2-nistp256") return curve_of_name("P-256");
  if (type == "ecdsa-sha2-nistp384") return curve_of_name("P-384");
  if (type == "ecdsa-sha2-nistp521") return curve_of_name("P-521");
  return nullptr;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 128));
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return base::is_utf8(out) ? out : std::string();
}

// One private key of an openssh-key-v1 file.
std::optional<Key> read_private(SshCursor& cursor, const Desk& desk) {
  const std::string_view type = cursor.text();
  Key key;
  key.is_private = true;
  const auto damaged = [&]() -> std::optional<Key> {
    desk.add(Cause::der_is_malformed, "the private part of the OpenSSH key cannot be read");
    return std::nullopt;
  };
  if (type == "ssh-rsa") {
    key.type = KeyType::rsa;
    auto n = cursor.mpint(), e = cursor.mpint(), d = cursor.mpint(), qi = cursor.mpint(), p = cursor.mpint(), q = cursor.mpint();
    if (!n || !e || !d || !qi || !p || !q) return damaged();
    key.n = to_secret(*n), key.e = to_secret(*e), key.d = to_secret(*d), key.qi = to_secret(*qi);
    key.p = to_secret(*p), key.q = to_secret(*q);
    complete_rsa(key);
    return key;
  }
  if (const Curve* curve = ssh_curve(type)) {
    key.type = KeyType::ec;
    key.curve = curve;
    cursor.string();
    auto point = cursor.string();
    auto scalar = cursor.mpint();
    if (!point || !scalar || scalar->size() > curve->field_bytes()) return damaged();
    if (!read_point(*point, *curve, 0, desk, key)) return std::nullopt;
    key.scalar.assign(curve->field_bytes() - scalar->size(), 0);
    key.scalar.insert(key.scalar.end(), scalar->begin(), scalar->end());
    if (!scalar_in_range(*curve, key.scalar)) {
      desk.add(Cause::ec_scalar_is_out_of_range);
      return std::nullopt;
    }
    return key;
  }
  if (type == "ssh-ed25519") {
    key.type = KeyType::ed25519;
    auto pub = cursor.string();
    auto both = cursor.string();
    if (!pub || !both || pub->size() != 32 || both->size() != 64) return damaged();
    key.seed = to_secret(both->first(32));
    key.pub = okp_public(key.type, key.seed);
    if (to_secret(*pub) != key.pub || to_secret(both->subspan(32)) != key.pub) {
      desk.add(Cause::eddsa_public_part_differs);
      return std::nullopt;
    }
    return key;
  }
  desk.add(type == "ssh-dss" ? Cause::dsa_key_is_obsolete : Cause::algorithm_is_not_supported, printable(type));
  return std::nullopt;
}

// Both check numbers equal: the password, if any, was right.
bool starts_with_checks(ByteView block) {
  return block.size() >= 8 && std::equal(block.begin(), block.begin() + 4, block.begin() + 4);
}

}  // namespace

std::optional<std::uint32_t> SshCursor::number() {
  if (bytes_.size() - at_ < 4) {
    at_ = bytes_.size();
    return std::nullopt;
  }
  std::uint32_t out = 0;
  for (int i = 0; i < 4; ++i) out = out << 8 | bytes_[at_++];
  return out;
}

std::optional<ByteView> SshCursor::string() {
  auto size = number();
  if (!size || *size > bytes_.size() - at_) {
    at_ = bytes_.size();
    return std::nullopt;
  }
  at_ += *size;
  return bytes_.subspan(at_ - *size, *size);
}

std::optional<ByteView> SshCursor::mpint() {
  auto value = string();
  if (!value || (!value->empty() && ((*value)[0] & 0x80) != 0)) return std::nullopt;
  while (!value->empty() && (*value)[0] == 0) value = value->subspan(1);
  return value;
}

std::string_view SshCursor::text() {
  auto value = string();
  return value ? base::as_text(*value) : std::string_view();
}

void complete_rsa(Key& key) {
  const Number p(key.p), q(key.q), d(key.d);
  if (p.bits() < 2 || q.bits() < 2) return;
  const Number dp = d % (p - Number(1));
  const Number dq = d % (q - Number(1));
  key.dp = dp.bytes((dp.bits() + 7) / 8);
  key.dq = dq.bytes((dq.bits() + 7) / 8);
}

std::optional<Key> read_ssh_public(SshCursor& cursor, std::string_view type, const Desk& desk) {
  Key key;
  if (type == "ssh-rsa") {
    key.type = KeyType::rsa;
    auto e = cursor.mpint();
    auto n = cursor.mpint();
    if (!e || !n || n->empty()) {
      desk.add(Cause::der_is_malformed, cursor.position(), "the RSA numbers cannot be read");
      return std::nullopt;
    }
    key.e = to_secret(*e);
    key.n = to_secret(*n);
    return key;
  }
  if (const Curve* curve = ssh_curve(type)) {
    key.type = KeyType::ec;
    key.curve = curve;
    cursor.string();
    auto point = cursor.string();
    if (!point) {
      desk.add(Cause::der_is_malformed, cursor.position(), "the point cannot be read");
      return std::nullopt;
    }
    if (!read_point(*point, *curve, cursor.position() - point->size(), desk, key)) return std::nullopt;
    return key;
  }
  if (type == "ssh-ed25519") {
    key.type = KeyType::ed25519;
    auto pub = cursor.string();
    if (!pub || pub->size() != 32) {
      desk.add(Cause::der_is_malformed, cursor.position(), "the public key cannot be read");
      return std::nullopt;
    }
    key.pub = to_secret(*pub);
    return key;
  }
  desk.add(type == "ssh-dss" ? Cause::dsa_key_is_obsolete : Cause::algorithm_is_not_supported, 0, "SSH key type " + printable(type));
  return std::nullopt;
}

void examine_ssh_wire(Examination& run, const Content& content, std::string comment, std::string_view format) {
  const Desk desk{content, run.notes};
  SshCursor cursor(content.bytes);
  const std::string_view type = cursor.text();
  if (type.empty()) {
    desk.add(Cause::content_is_truncated, content.bytes.empty() ? 0 : content.bytes.size() - 1, "the SSH key ends inside its type");
    return;
  }
  auto key = read_ssh_public(cursor, type, desk);
  if (!key) return;
  if (!cursor.at_end()) {
    run.notes.add(Cause::trailing_data_after_content, content.place_at(cursor.position(), cursor.rest().size()),
                  std::to_string(cursor.rest().size()) + " bytes");
  }
  desk.add(Cause::openssh_public_key_given, 0);
  run.add_key(std::move(*key), std::string(format), printable(comment), desk);
}

bool examine_ssh_line(Examination& run, const Traced& text) {
  static constexpr std::string_view types[] = {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-dss",
                                               "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-ed25519-cert-v01@openssh.com",
                                               "ssh-rsa-cert-v01@openssh.com", "ecdsa-sha2-nistp256-cert-v01@openssh.com"};
  const std::string_view view = text.view();
  std::size_t found = 0;
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t end = std::min(view.find('\n', at), view.size());
    const std::string_view line = view.substr(at, end - at);
    for (std::string_view type : types) {
      const std::size_t begin = line.find(type);
      if (begin == std::string_view::npos || (begin != 0 && line[begin - 1] != ' ')) continue;
      const std::size_t after = begin + type.size();
      if (after >= line.size() || line[after] != ' ') continue;
      std::size_t blob = line.find_first_not_of(' ', after);
      if (blob == std::string_view::npos) continue;
      std::size_t blob_end = std::min(line.find(' ', blob), line.size());
      // A line broken by an editor goes on in the next one.
      std::size_t stop = at + blob_end;
      if (blob_end == line.size() && found == 0) {
        while (stop < view.size() && view[stop] == '\n' && stop + 1 < view.size() && view.substr(stop + 1, 4) != "ssh-" && view.substr(stop + 1, 6) != "ecdsa-" && view[stop + 1] != '#') {
          stop = std::min(view.find_first_of("\n ", stop + 1), view.size());
          if (stop < view.size() && view[stop] == ' ') break;
        }
      }
      ++found;
      const Base64Scan scan = scan_base64(text, at + blob, stop);
      const std::size_t comment_end = std::min(view.find('\n', stop), view.size());
      std::string_view comment = view.substr(stop, comment_end - stop);
      while (!comment.empty() && comment.front() == ' ') comment.remove_prefix(1);
      if (scan.bad_at != std::string_view::npos) {
        run.notes.add(Cause::base64_has_invalid_character, text.place(scan.bad_at, scan.bad_at + 1), "in the SSH key");
      } else if (scan.digits < 24 || scan.lone_digit) {
        run.notes.add(Cause::content_is_truncated, text.place(stop - 1, stop), "the SSH key ends too early");
      } else {
        if (stop > end) run.notes.add(Cause::text_is_indented, text.place(end, end + 1), "the line is broken");
        SshCursor probe(scan.content.bytes);
        std::size_t used = 0;
        std::size_t strings = 0;
        bool whole = true;
        while (!probe.at_end() && whole) {
          whole = probe.string().has_value();
          if (whole) used = probe.position();
          ++strings;
        }
        if (!whole || used != scan.content.bytes.size() || strings < 2) {
          run.notes.add(Cause::content_is_truncated, text.place(stop - 1, stop), "the SSH key ends inside a field");
        } else {
          examine_ssh_wire(run, scan.content, std::string(comment), "openssh");
        }
      }
      at = comment_end;
      break;
    }
    at = std::max(end, at) + 1;
    if (found >= run.expected.policy.blocks_max) break;
  }
  return found != 0;
}

void examine_openssh_private(Examination& run, const Content& content) {
  using namespace std::string_view_literals;
  const Desk desk{content, run.notes};
  run.seems_private = true;
  constexpr std::string_view magic = "openssh-key-v1\0"sv;
  const ByteView bytes = content.bytes;
  if (base::as_text(bytes).substr(0, magic.size()) != magic) {
    if (!bytes.empty() && bytes[0] == tag::sequence) return examine_der(run, content, "OPENSSH PRIVATE KEY");
    desk.add(Cause::der_is_malformed, 0, "no OpenSSH private key starts this way");
    return;
  }
  SshCursor cursor(bytes.subspan(magic.size()));
  const std::string_view cipher_name = cursor.text();
  const std::string_view kdf_name = cursor.text();
  const auto kdf_options = cursor.string();
  const auto count = cursor.number();
  const auto pub = cursor.string();
  auto block = cursor.string();
  if (!kdf_options || count != 1u || !pub || !block) {
    desk.add(count && *count != 1 ? Cause::several_secrets_ambiguous : Cause::content_is_truncated, bytes.size() - 1, "the OpenSSH key file ends too early");
    return;
  }
  desk.add(Cause::openssh_private_key_given, 0);
  Secret opened;
  if (cipher_name != "none") {
    const auto known = std::find_if(std::begin(ciphers), std::end(ciphers), [&](const SshCipher& c) { return c.name == cipher_name; });
    SshCursor options(*kdf_options);
    const auto salt = options.string();
    const auto rounds = options.number();
    Item item;
    item.kind = Kind::encrypted_private_key;
    item.format = "openssh";
    item.place = content.place_at(0, bytes.size());
    if (known == std::end(ciphers) || kdf_name != "bcrypt" || !salt || salt->empty() || !rounds) {
      run.add(std::move(item));
      desk.add(Cause::cipher_is_not_supported, 0, printable(cipher_name));
      return;
    }
    if (!run.expected.password) {
      run.add(std::move(item));
      desk.add(Cause::password_is_missing, 0);
      return;
    }
    // One round of bcrypt_pbkdf is about 4,000 rounds of PBKDF2 (two times 64 key schedules of 521 blocks).
    if (!is_affordable(run.expected.policy, std::uint64_t{*rounds} * 8000, 0)) {
      run.add(std::move(item));
      desk.add(Cause::key_derivation_is_too_expensive, 0, std::to_string(*rounds) + " rounds of bcrypt");
      return;
    }
    run.password_used = true;
    const std::size_t key_size = cipher_key_bytes(known->cipher);
    const Secret derived = bcrypt_pbkdf(base::as_bytes(*run.expected.password), *salt, *rounds, key_size + known->iv);
    Secret sealed = to_secret(*block);
    if (known->iv == 12) {
      const ByteView tag = cursor.rest();
      sealed.insert(sealed.end(), tag.begin(), tag.end());
    }
    auto plain = decrypt(known->cipher, ByteView(derived).first(key_size), ByteView(derived).subspan(key_size), sealed, false);
    if (!plain || !starts_with_checks(*plain)) {
      run.add(std::move(item));
      desk.add(Cause::password_is_wrong, 0);
      return;
    }
    opened = std::move(*plain);
    block = ByteView(opened);
  }
  if (!starts_with_checks(*block)) {
    desk.add(Cause::der_is_malformed, "the check numbers of the OpenSSH key differ: it was altered");
    return;
  }
  SshCursor inside(block->subspan(8));
  auto key = read_private(inside, desk);
  if (!key) return;
  const std::string comment = printable(inside.text());
  // Padding 1, 2, 3, ... up to the block size.
  const ByteView padding = inside.rest();
  for (std::size_t i = 0; i < padding.size(); ++i) {
    if (padding[i] != i + 1) {
      desk.add(Cause::der_is_malformed, "the padding of the OpenSSH key is altered");
      return;
    }
  }
  // The public half outside must be that of the private one.
  SshCursor outside(*pub);
  const std::string_view type = outside.text();
  auto shown = read_ssh_public(outside, type, desk);
  if (!shown) return;
  Key own = *key;
  own.is_private = false;
  if (to_spki(*shown) != to_spki(own)) {
    desk.add(Cause::key_pair_is_inconsistent, "the public half outside of the encrypted part is another one");
    return;
  }
  run.add_key(std::move(*key), "openssh", comment, desk);
}

}  // namespace intake
