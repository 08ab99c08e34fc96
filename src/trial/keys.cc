#include "trial/keys.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/chain/certificate.h"
#include "intake/doctor.h"
#include "wire/webhook_signature.h"

namespace trial {
namespace {

namespace chain = crypto::chain;
using base::ByteView;
using intake::Cause;
using intake::Kind;

constexpr std::size_t items_max = 32;  ///< keys taken out of one input, a key set for instance

std::string to_serial(ByteView number) {
  std::string hex = base::to_hex(number);
  for (char& c : hex) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  hex.erase(0, std::min(hex.find_first_not_of('0'), hex.size()));
  return hex.empty() ? "0" : hex;
}

// Short names as Java and PHP print them; Alipay's serial numbers are made over this text.
std::string alipay_name(ByteView name) {
  static constexpr struct {
    std::string_view type;  // body of the OID
    std::string_view name;
  } known[] = {{"\x55\x04\x03", "CN"}, {"\x55\x04\x06", "C"}, {"\x55\x04\x0a", "O"},
               {"\x55\x04\x0b", "OU"}, {"\x55\x04\x07", "L"}, {"\x55\x04\x08", "ST"}};
  std::string out;
  const auto attributes = chain::attributes_of(name);
  for (auto it = attributes.rbegin(); it != attributes.rend(); ++it) {
    std::string type = base::to_hex(it->type);
    for (const auto& row : known) {
      if (row.type == base::as_text(it->type)) type = row.name;
    }
    out += (out.empty() ? "" : ",") + type + "=" + chain::text_of(it->value).value_or("");
  }
  return out;
}

std::string alipay_serial(const chain::Certificate& certificate) {
  const std::string text = alipay_name(certificate.issuer) + to_decimal(certificate.serial);
  return base::to_hex(crypto::digest(chain::Hash::md5, base::as_bytes(text)));
}

bool is_private_kind(Kind kind) {
  return kind == Kind::private_key || kind == Kind::encrypted_private_key || kind == Kind::extended_private_key ||
         kind == Kind::mnemonic || kind == Kind::wallet_private_key;
}

void read_item(const intake::Item& item, const Material& material, bool own, KeyRing& ring) {
  auto verifier = crypto::PublicVerifier::of_spki(item.spki);
  if (!verifier.ok()) {
    ring.notes.add(std::string_view(verifier.error().code) == "public_key_cannot_verify"
                       ? Cause::key_agreement_key_cannot_sign
                       : Cause::der_is_malformed,
                   {}, verifier.error().message);
    return;
  }
  TrialKey key{.own = own,
               .key_id = material.key_id.empty() && item.format == "jwk" ? item.name : material.key_id,
               .serial = {},
               .alipay_serial = {},
               .thumbprint = item.thumbprint,
               .fingerprint = item.fingerprint_sha256,
               .verifier = std::move(*verifier)};
  if (item.kind == Kind::certificate) {
    if (auto certificate = chain::read_certificate(base::to_bytes(item.canonical)); certificate.ok()) {
      key.serial = to_serial(certificate->serial);
      key.alipay_serial = alipay_serial(*certificate);
    }
  }
  ring.keys.push_back(std::move(key));
}

// `whpk_` of Standard Webhooks is a bare Ed25519 key under a prefix: written as the SPKI the doctor knows (RFC 8410).
intake::Secret plain_form(const Material& material) {
  constexpr std::string_view head("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
  const auto raw = wire::parse_webhook_key(wire::WebhookKeyKind::public_key, base::as_text(material.bytes));
  if (!raw) return material.bytes;
  intake::Secret spki = intake::to_secret(base::as_bytes(head));
  spki.insert(spki.end(), raw->begin(), raw->end());
  return spki;
}

void add_secret(KeyRing& ring, ByteView bytes, std::string reading) {
  if (bytes.empty()) return;
  ring.secrets.push_back(intake::to_secret(bytes));
  ring.secret_readings.push_back(std::move(reading));
}

void read_side(const std::vector<Material>& side, bool own, KeyRing& ring) {
  for (const Material& material : side) {
    const intake::Report report = intake::examine(plain_form(material), {});
    const std::size_t before = ring.keys.size();
    for (const intake::Item& item : report.items) {
      if (is_private_kind(item.kind)) {
        ring.notes.add(Cause::private_key_given_where_public_expected, {}, own ? "under own_key" : "under key");
      } else if (item.kind == Kind::symmetric_secret && item.format == "jwk" && !own) {
        add_secret(ring, item.canonical, "oct JWK");
      } else if (!item.spki.empty() && ring.keys.size() < before + items_max) {
        read_item(item, material, own, ring);
      }
    }
    for (const intake::Finding& finding : report.findings) {
      if (finding.severity >= intake::Severity::error)
        ring.notes.add_as(finding.severity, finding.cause, finding.place, finding.evidence);
    }
  }
}

// Over the certificates that are signed with RSA, in their order; the others of the bundle do not count.
std::string root_serial(const std::vector<Material>& roots, intake::Notes& notes) {
  std::string out;
  for (const Material& material : roots) {
    for (const intake::Item& item : intake::examine(material.bytes, {}).items) {
      if (is_private_kind(item.kind)) notes.add(Cause::private_key_given_where_public_expected, {}, "under root");
      if (item.kind != Kind::certificate) continue;
      const auto certificate = chain::read_certificate(base::to_bytes(item.canonical));
      const auto scheme = certificate.ok() ? chain::scheme_of(certificate->algorithm) : std::nullopt;
      if (scheme && scheme->key == chain::KeyKind::rsa) out += (out.empty() ? "" : "_") + alipay_serial(*certificate);
    }
  }
  return out;
}

// The agreed reading first: base64 behind whsec_ for webhooks and tokens of RFC 7515 keys as they stand elsewhere.
void read_secret(const Case& one, KeyRing& ring) {
  const std::string_view text = *one.secret;
  const bool prefixed = text.starts_with("whsec_");
  const std::string_view rest = prefixed ? text.substr(6) : text;
  auto decoded = base::parse_base64(rest);
  if (!decoded) decoded = base::parse_base64url(rest);
  const bool decoded_first =
      one.convention == Convention::standard_webhook || one.convention == Convention::http_signature;
  if (decoded && decoded_first) add_secret(ring, *decoded, "base64, decoded");
  add_secret(ring, base::as_bytes(text), prefixed ? "text with its prefix" : "text");
  if (prefixed) add_secret(ring, base::as_bytes(rest), "text without its prefix");
  if (decoded && !decoded_first) add_secret(ring, *decoded, "base64, decoded");
  auto hex = base::parse_hex(rest);
  if (hex) add_secret(ring, *hex, "hexadecimal, decoded");
  if (hex) intake::wipe(hex->data(), hex->size());
  if (decoded) intake::wipe(decoded->data(), decoded->size());
}

std::string number_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == ' ') continue;
    out += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (out.starts_with("0x") || out.starts_with("0X")) out.erase(0, 2);
  out.erase(0, std::min(out.find_first_not_of('0'), out.size()));
  return out;
}

}  // namespace

std::string TrialKey::describe() const {
  std::string text = verifier.description() + " key";
  if (!key_id.empty()) text += " `" + key_id + "`";
  if (!serial.empty()) text += " of the certificate " + serial;
  if (!thumbprint.empty()) text += ", thumbprint " + thumbprint;
  return own ? text + ", ours" : text;
}

KeyRing read_keys(const Case& one) {
  KeyRing ring;
  read_side(one.keys, false, ring);
  read_side(one.own_keys, true, ring);
  ring.alipay_root_serial = root_serial(one.roots, ring.notes);
  if (one.secret) read_secret(one, ring);
  return ring;
}

std::string to_decimal(ByteView number) {
  std::string digits = "0";  // least significant first
  for (const std::uint8_t byte : number) {
    unsigned carry = byte;
    for (char& digit : digits) {
      const unsigned value = static_cast<unsigned>(digit - '0') * 256 + carry;
      digit = static_cast<char>('0' + value % 10);
      carry = value / 10;
    }
    for (; carry != 0; carry /= 10) digits += static_cast<char>('0' + carry % 10);
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Naming compare_names(std::string_view in_message, const TrialKey& key) {
  if (in_message == key.key_id || in_message == key.serial ||
      (!key.alipay_serial.empty() && in_message == key.alipay_serial))
    return Naming::same;
  const std::string asked = number_text(in_message);
  if (asked.empty()) return Naming::different;
  if (!key.key_id.empty() && asked == number_text(key.key_id)) return Naming::other_form;
  if (key.serial.empty()) return Naming::different;
  const auto bytes = base::parse_hex(key.serial.size() % 2 == 0 ? key.serial : "0" + key.serial);
  return asked == key.serial || (bytes && asked == to_decimal(*bytes)) ? Naming::other_form : Naming::different;
}

}  // namespace trial
