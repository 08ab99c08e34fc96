#include "intake/keystore.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "intake/layers.h"
#include "intake/opening.h"

namespace intake {
namespace {

using base::ByteView;
using namespace std::string_view_literals;

// Java's DataInput: big-endian numbers, strings with a 16-bit length.
class JavaCursor {
 public:
  explicit JavaCursor(ByteView bytes) : bytes_(bytes) {}
  std::uint32_t number() {
    const ByteView part = take(4);
    std::uint32_t out = 0;
    for (std::uint8_t byte : part) out = out << 8 | byte;
    return out;
  }
  std::string_view text() {
    const ByteView size = take(2);
    return size.empty() ? std::string_view() : base::as_text(take(static_cast<std::size_t>(size[0] << 8 | size[1])));
  }
  ByteView block() { return take(number()); }
  ByteView take(std::size_t size) {
    if (failed_ || bytes_.size() - at_ < size) {
      failed_ = true;
      return {};
    }
    at_ += size;
    return bytes_.subspan(at_ - size, size);
  }
  bool failed() const { return failed_; }
  std::size_t position() const { return at_; }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

Secret utf16(std::string_view password) {
  Secret out = bmp_password(password);
  out.resize(out.size() - 2);
  return out;
}

// Sun's own protection of keys: SHA-1 in a chain as a key stream, and a digest as check (JKS, OID 1.3.6.1.4.1.42.2.17.1.1).
std::optional<Secret> open_jks_key(ByteView sealed, const Secret& password) {
  if (sealed.size() <= 40) return std::nullopt;
  Secret chain = to_secret(sealed.first(20));
  const ByteView text = sealed.subspan(20, sealed.size() - 40);
  Secret plain(text.size());
  for (std::size_t at = 0; at < text.size(); at += 20) {
    Secret message = password;
    message.insert(message.end(), chain.begin(), chain.end());
    chain = digest(Hash::sha1, message);
    for (std::size_t i = at; i < std::min(at + 20, text.size()); ++i) plain[i] = text[i] ^ chain[i - at];
  }
  Secret message = password;
  message.insert(message.end(), plain.begin(), plain.end());
  if (!base::equal_constant_time(digest(Hash::sha1, message), sealed.last(20))) return std::nullopt;
  return plain;
}

// JCEKS: MD5 and triple DES (1.3.6.1.4.1.42.2.19.1). The two halves of the salt give the two halves of key and vector.
std::optional<Secret> open_jceks_key(const Element& algorithm, ByteView text, std::string_view password, const Policy& policy, bool& expensive) {
  DerCursor cursor(algorithm);
  cursor.next(tag::oid);
  auto parameters = cursor.next(tag::sequence);
  if (!parameters) return std::nullopt;
  DerCursor values(*parameters);
  auto salt = values.next(tag::octet_string);
  auto rounds = values.next(tag::integer);
  const std::uint32_t count = rounds ? small_integer(*rounds).value_or(0) : 0;
  if (!salt || salt->body.size() != 8) return std::nullopt;
  expensive = !is_affordable(policy, count, 0);
  if (expensive) return std::nullopt;
  Secret halves[2] = {to_secret(salt->body.first(4)), to_secret(salt->body.subspan(4))};
  if (halves[0] == halves[1]) std::swap(halves[0][0], halves[0][3]);  // as the original does, quirk included
  Secret material;
  for (Secret& half : halves) {
    for (std::uint32_t i = 0; i < count; ++i) {
      half.insert(half.end(), password.begin(), password.end());
      half = digest(Hash::md5, half);
    }
    material.insert(material.end(), half.begin(), half.end());
  }
  return decrypt(Cipher::des3_cbc, ByteView(material).first(24), ByteView(material).subspan(24, 8), text);
}

struct JavaStore {
  Examination& run;
  const Content& content;
  std::string_view password;
  bool jceks;
};

// One private-key entry. False when the password does not open it.
std::optional<Cause> open_entry(JavaStore& store, ByteView entry, std::string_view alias) {
  DerCursor outer(entry);
  auto info = outer.next(tag::sequence);
  if (!info) return Cause::container_is_damaged;
  DerCursor parts(*info);
  auto algorithm = parts.next(tag::sequence);
  auto octets = parts.next(tag::octet_string);
  if (!algorithm || !octets) return Cause::container_is_damaged;
  DerCursor in_algorithm(*algorithm);
  auto id = in_algorithm.next(tag::oid);
  std::optional<Secret> plain;
  bool expensive = false;
  constexpr Oid jks_protection{"1.3.6.1.4.1.42.2.17.1.1"};
  constexpr Oid jceks_protection{"1.3.6.1.4.1.42.2.19.1"};
  if (id && jks_protection == id->body) {
    plain = open_jks_key(octets->body, utf16(store.password));
  } else if (id && jceks_protection == id->body) {
    plain = open_jceks_key(*algorithm, octets->body, store.password, store.run.expected.policy, expensive);
  } else {
    return Cause::cipher_is_not_supported;
  }
  if (expensive) return Cause::key_derivation_is_too_expensive;
  if (!plain || first_der_fault(*plain)) return Cause::password_is_wrong;
  Content inner;
  inner.bytes = std::move(*plain);
  DerCursor key{ByteView(inner.bytes)};
  auto body = key.next(tag::sequence);
  if (!body) return Cause::container_is_damaged;
  const std::size_t before = store.run.items.size();
  examine_element(store.run, *body, inner, {}, store.jceks ? "jceks" : "jks");
  if (store.run.items.size() > before && base::is_utf8(alias)) store.run.items.back().name = std::string(alias.substr(0, 128));
  return std::nullopt;
}

void read_certificate_entry(JavaStore& store, JavaCursor& cursor, std::uint32_t version) {
  if (version == 2) cursor.text();
  Content inner;
  inner.bytes = to_secret(cursor.block());
  DerCursor outer{ByteView(inner.bytes)};
  if (auto body = outer.next(tag::sequence)) examine_certificate(store.run, *body, inner, store.jceks ? "jceks" : "jks");
}

}  // namespace

bool looks_like_bks(ByteView bytes) {
  if (bytes.size() < 40) return false;
  JavaCursor cursor(bytes);
  const std::uint32_t version = cursor.number();
  const std::uint32_t salt = cursor.number();
  if ((version != 1 && version != 2) || salt < 8 || salt > 64) return false;
  cursor.take(salt);
  const std::uint32_t rounds = cursor.number();
  return !cursor.failed() && rounds >= 1 && rounds < 10'000'000;
}

void examine_java_keystore(Examination& run, const Content& content) {
  const Desk desk{content, run.notes};
  const ByteView bytes = content.bytes;
  run.seems_private = true;
  Item sealed;
  sealed.kind = Kind::keystore;
  sealed.place = content.place_at(0, bytes.size());
  const bool jks = base::as_text(bytes).starts_with("\xFE\xED\xFE\xED"sv);
  const bool jceks = base::as_text(bytes).starts_with("\xCE\xCE\xCE\xCE"sv);
  sealed.format = jks ? "jks" : jceks ? "jceks" : "bks";
  desk.add(Cause::keystore_given, 0, jks ? "JKS" : jceks ? "JCEKS" : "BKS; export it with keytool -importkeystore to PKCS#12");
  if (!jks && !jceks) {
    run.add(std::move(sealed));
    desk.add(Cause::cipher_is_not_supported, 0, "Bouncy Castle's keystore");
    return;
  }
  if (bytes.size() < 12 + 20) {
    desk.add(Cause::content_is_truncated, bytes.size() - 1, "the keystore ends inside its header");
    return;
  }
  if (!run.expected.password) {
    run.add(std::move(sealed));
    desk.add(Cause::password_is_missing, 0);
    return;
  }
  run.password_used = true;
  const std::string_view password = *run.expected.password;
  // The check over the whole file: SHA-1 of password, a greeting, and everything before the digest.
  Secret message = utf16(password);
  const ByteView greeting = base::as_bytes("Mighty Aphrodite");
  message.insert(message.end(), greeting.begin(), greeting.end());
  const ByteView body = bytes.first(bytes.size() - 20);
  message.insert(message.end(), body.begin(), body.end());
  if (!base::equal_constant_time(digest(Hash::sha1, message), bytes.last(20))) {
    run.add(std::move(sealed));
    desk.add(Cause::password_is_wrong, 0);
    return;
  }
  desk.add(Cause::cipher_is_legacy, 0, jks ? "SHA-1 key stream of JKS" : "MD5 and triple DES of JCEKS");
  JavaStore store{run, content, password, jceks};
  JavaCursor cursor(body);
  cursor.number();
  const std::uint32_t version = cursor.number();
  const std::uint32_t entries = cursor.number();
  for (std::uint32_t i = 0; i < entries && !cursor.failed() && i < 100; ++i) {
    const std::uint32_t kind = cursor.number();
    const std::string_view alias = cursor.text();
    cursor.take(8);
    if (kind == 1) {
      const ByteView key = cursor.block();
      const std::uint32_t chain = cursor.number();
      if (cursor.failed()) break;
      if (const auto cause = open_entry(store, key, alias)) {
        sealed.name = base::is_utf8(alias) ? std::string(alias.substr(0, 128)) : std::string();
        run.add(sealed);
        desk.add(*cause, cursor.position(), *cause == Cause::password_is_wrong ? "the entry has a password of its own" : "");
      }
      for (std::uint32_t k = 0; k < chain && !cursor.failed() && k < 100; ++k) read_certificate_entry(store, cursor, version);
    } else if (kind == 2) {
      read_certificate_entry(store, cursor, version);
    } else {
      run.add(sealed);
      desk.add(Cause::cipher_is_not_supported, cursor.position(), "a serialised secret key of Java");
      return;
    }
  }
  if (cursor.failed()) desk.add(Cause::content_is_truncated, cursor.position(), "the keystore ends inside an entry");
}

}  // namespace intake
