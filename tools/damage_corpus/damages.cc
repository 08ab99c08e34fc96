#include "damages.h"

#include <algorithm>

#include "base/text.h"
#include "intake/extended_key.h"
#include "intake/key_check.h"
#include "intake/mnemonic.h"
#include "intake/wallet_codes.h"

namespace corpus {
namespace {

using base::Bytes;
using base::ByteView;
using intake::Cause;
using intake::Key;
using intake::KeyType;
using intake::Kind;
using intake::Number;
using intake::Secret;
namespace tag = intake::tag;
using Made = std::optional<Damaged>;
using Others = const std::vector<Clean>&;

std::string raw(ByteView bytes) { return std::string(base::as_text(bytes)); }
std::string raw(const intake::Text& text) { return std::string(text.begin(), text.end()); }
Damaged just(std::string bytes) { return {std::move(bytes), {}}; }
Damaged wanting(Kind kind, std::string bytes) {
  Damaged out{std::move(bytes), {}};
  out.expected.kind = kind;
  return out;
}

const Clean& pick(Dice& dice, Others others, const std::function<bool(const Clean&)>& fits) {
  while (true) {
    const Clean& clean = dice.one_of(others);
    if (fits(clean)) return clean;
  }
}
bool is_key(const Clean& clean) { return clean.kind == Kind::public_key || clean.kind == Kind::private_key; }
bool is_spki(const Clean& clean) { return clean.label == "PUBLIC KEY"; }
bool is_pkcs8(const Clean& clean) { return clean.label == "PRIVATE KEY"; }
bool is_certificate(const Clean& clean) { return clean.kind == Kind::certificate; }
bool is_ec(const Clean& clean) { return is_key(clean) && clean.key.type == KeyType::ec; }
bool is_ed25519(const Clean& clean) { return is_key(clean) && clean.key.type == KeyType::ed25519; }

std::string spki_with_point(const Key& key, ByteView point) {
  const Secret der = intake::der(tag::sequence, {intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::ec.view()}), intake::der(tag::oid, {key.curve->oid.view()})}), intake::der_bits(point)});
  return pem_text("PUBLIC KEY", der);
}

Secret explicit_curve(const Key& key, bool altered) {
  const intake::CurveNumbers& v = numbers_of(*key.curve);
  const std::size_t width = key.curve->field_bytes();
  const std::uint8_t one = 1;
  const Secret gx = v.gx.bytes(width), gy = v.gy.bytes(width);
  const Number b = altered ? v.b + Number(1) : v.b;
  return intake::der(tag::sequence,
                     {intake::der_integer({&one, 1}), intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::prime_field.view()}), intake::der_integer(v.p.bytes(width))}),
                      intake::der(tag::sequence, {intake::der(tag::octet_string, {v.a.bytes(width)}), intake::der(tag::octet_string, {b.bytes(width)})}),
                      intake::der(tag::octet_string, {intake::uncompressed({gx, gy})}), intake::der_integer(v.n.bytes(width)), intake::der_integer({&one, 1})});
}

Key altered_rsa(const Clean& clean, const std::function<void(Key&)>& change) {
  Key key = clean.key;
  key.is_private = false;
  change(key);
  return key;
}

Secret shortest(const Number& number) { return number.bytes((number.bits() + 7) / 8); }

// One digit of the base64 body replaced by another.
std::string flip_digit(Dice& dice, std::string pem) {
  const std::size_t begin = pem.find('\n') + 1;
  const std::size_t end = pem.find("-----END") - 1;
  std::size_t at = 0;
  do at = begin + dice.below(end - begin - 4);
  while (std::isalnum(static_cast<unsigned char>(pem[at])) == 0);
  const char old = pem[at];
  do pem[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[dice.below(62)];
  while (pem[at] == old);
  return pem;
}

std::string relabelled(const Clean& clean, const std::string& label) { return pem_text(label, clean.der); }

std::string mnemonic_of(Dice& dice, std::size_t list, std::size_t entropy_bytes) {
  // The checksum word is searched rather than computed, so that the check here is not the code under test run backwards.
  const auto& words = intake::word_lists()[list].words;
  std::vector<int> indices(entropy_bytes * 8 / 32 * 3);
  for (int& index : indices) index = static_cast<int>(dice.below(words.size()));
  for (int last = 0; last < 2048; ++last) {
    indices.back() = last;
    if (intake::mnemonic_entropy(indices)) break;
  }
  std::string out;
  for (int index : indices) out += (out.empty() ? "" : " ") + std::string(words[static_cast<std::size_t>(index)]);
  return out;
}

void add_text_damages(std::vector<Damage>& out) {
  for (const TextDamage& damage : text_damages()) {
    out.push_back({damage.cause, damage.name, Fate::repaired, true, [&damage](Dice& dice, const Clean& clean, Others) -> Made {
                     auto text = damage.make(dice, clean.pem());
                     if (!text) return std::nullopt;
                     return just(std::move(*text));
                   }});
  }
}

void add_container_damages(std::vector<Damage>& out) {
  const auto add = [&](Cause cause, std::string name, Fate fate, bool transport, auto make) { out.push_back({cause, std::move(name), fate, transport, make}); };
  add(Cause::base64_is_double, "base64 of the PEM text or of its base64", Fate::repaired, true, [](Dice& dice, const Clean& clean, Others) -> Made {
    const std::string inner = dice.below(2) == 0 ? clean.pem() : base::to_base64(clean.der);
    std::string text = base::to_base64(base::as_bytes(inner));
    if (dice.below(2) == 0) return just(pem_text(clean.label, base::as_bytes(inner)));
    return just(text + "\n");
  });
  add(Cause::content_is_hex, "hex digits", Fate::repaired, true, [](Dice& dice, const Clean& clean, Others) -> Made {
    std::string hex = base::to_hex(clean.der);
    if (dice.below(2) == 0) std::transform(hex.begin(), hex.end(), hex.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (dice.below(3) == 0) {
      std::string colons;
      for (std::size_t i = 0; i < hex.size(); i += 2) colons += (i == 0 ? "" : ":") + hex.substr(i, 2);
      return just(colons);
    }
    return just((dice.below(2) == 0 ? "0x" : "") + hex);
  });
  add(Cause::text_is_a_hex_dump, "xxd or hexdump -C", Fate::repaired, true, [](Dice& dice, const Clean& clean, Others) -> Made {
    const bool xxd = dice.below(2) == 0;
    std::string text;
    for (std::size_t at = 0; at < clean.der.size(); at += 16) {
      char offset[24];
      std::snprintf(offset, sizeof offset, "%08zx", at);
      text += offset + std::string(xxd ? ": " : "  ");
      std::string shown;
      for (std::size_t i = at; i < at + 16; ++i) {
        const bool in = i < clean.der.size();
        text += in ? base::to_hex({&clean.der[i], 1}) : "  ";
        if (xxd ? i % 2 == 1 : true) text += " ";
        if (!xxd && i % 16 == 7) text += " ";
        if (in) shown += clean.der[i] >= 0x20 && clean.der[i] < 0x7F ? static_cast<char>(clean.der[i]) : '.';
      }
      text += xxd ? " " + shown + "\n" : " |" + shown + "|\n";
    }
    return just(text);
  });
  add(Cause::content_is_binary_der, "binary DER", Fate::accepted, true, [](Dice&, const Clean& clean, Others) -> Made { return just(raw(clean.der)); });
  add(Cause::trailing_data_after_content, "bytes behind the DER or the END line", Fate::repaired, true, [](Dice& dice, const Clean& clean, Others) -> Made {
    switch (dice.below(3)) {
      case 0: return just(raw(clean.der) + raw(dice.bytes(1 + dice.below(20))));
      case 1: return just(clean.pem() + "garbage here");
      default: {
        Bytes longer = clean.der;
        longer.insert(longer.end(), 1 + dice.below(12), 0);
        return just(pem_text(clean.label, longer));
      }
    }
  });
  add(Cause::content_is_wrapped_in_json, "inside of a JSON object", Fate::repaired, true, [](Dice& dice, const Clean& clean, Others) -> Made {
    std::string value;
    for (char c : clean.pem()) value += c == '\n' ? std::string("\\n") : std::string(1, c);
    const std::string name = dice.one_of(std::vector<std::string>{"private_key", "public_key", "certificate", "data"});
    return just("{\"type\": \"service_account\", \"" + name + "\": \"" + value + "\", \"id\": 7}");
  });
  add(Cause::pem_labels_disagree, "two different labels", Fate::repaired, true, [](Dice&, const Clean& clean, Others) -> Made {
    std::string text = clean.pem();
    const std::size_t at = text.rfind(clean.label);
    const std::string other = clean.label == "PUBLIC KEY" ? "RSA PUBLIC KEY" : clean.label == "PRIVATE KEY" ? "RSA PRIVATE KEY" : clean.label == "CERTIFICATE" ? "X509 CRL" : "";
    if (other.empty()) return std::nullopt;
    return just(text.replace(at, clean.label.size(), other));
  });
  add(Cause::text_is_not_utf8, "Windows-1252", Fate::repaired, true, [](Dice&, const Clean& clean, Others) -> Made { return just("# cl\xE9 du partenaire\n" + clean.pem()); });
  add(Cause::base64_has_invalid_character, "a character that is none", Fate::refused, false, [](Dice& dice, const Clean& clean, Others) -> Made {
    std::string text = clean.pem();
    const std::size_t begin = text.find('\n') + 1;
    const std::size_t at = begin + dice.below(text.find("-----END") - begin - 8);
    if (text[at] == '\n') return std::nullopt;
    text[at] = "!#$@~;?^()"[dice.below(10)];
    if (text[at] == '$') text[at] = '@';
    return just(text);
  });
  add(Cause::content_is_truncated, "cut off", Fate::refused, false, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (dice.below(2) == 0) return just(raw(ByteView(clean.der).first(clean.der.size() - 1 - dice.below(clean.der.size() / 2))));
    std::string text = clean.pem();
    const std::size_t begin = text.find('\n') + 1;
    const std::size_t end = text.find("-----END");
    if (dice.below(2) == 0) return just(text.substr(0, begin + 40 + dice.below(end - begin - 44)));
    // A lost character in the middle.
    std::size_t at = begin + 30 + dice.below(end - begin - 36);
    if (text[at] == '\n') ++at;
    return just(text.erase(at, 1));
  });
  add(Cause::text_line_is_repeated, "a line twice", Fate::refused, false, [](Dice& dice, const Clean& clean, Others) -> Made {
    std::string text = clean.pem();
    std::vector<std::size_t> starts;
    for (std::size_t at = text.find('\n') + 1; at < text.find("-----END"); at = text.find('\n', at) + 1) {
      if (text.find('\n', at) - at == 64) starts.push_back(at);
    }
    if (starts.size() < 2) return std::nullopt;
    const std::size_t at = starts[1 + dice.below(starts.size() - 1)];
    return just(text.insert(at, text.substr(at, 65)));
  });
  add(Cause::content_is_an_error_page, "an error page", Fate::refused, false, [](Dice& dice, const Clean&, Others) -> Made {
    return just(dice.one_of(std::vector<std::string>{
        "<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body>no</body></html>", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body></html>",
        "{\"error\":\"invalid_client\",\"error_description\":\"unknown\"}", "{\"code\":40004,\"msg\":\"Business Failed\",\"sub_code\":\"ACQ.INVALID\"}",
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "{\"status\":404,\"title\":\"Not Found\"}"}));
  });
  add(Cause::input_is_empty, "nothing", Fate::refused, false, [](Dice& dice, const Clean&, Others) -> Made { return just(dice.one_of(std::vector<std::string>{"", " ", "\n\n", "\t \r\n", "\xEF\xBB\xBF", "\"\""})); });
  add(Cause::input_is_a_placeholder, "a placeholder", Fate::refused, false, [](Dice& dice, const Clean&, Others) -> Made {
    return just(dice.one_of(std::vector<std::string>{"${PARTNER_PUBLIC_KEY}", "<your key here>", "changeme", "{{ .Values.publicKey }}", "REPLACE_ME_WITH_KEY", "undefined", "null", "[object Object]", "TODO",
                                                     "-----BEGIN PUBLIC KEY-----\n<paste key here>\n-----END PUBLIC KEY-----\n", "%PARTNER_KEY%", "********", "请填写支付宝公钥", "PUBLIC_KEY=", "$PUBLIC_KEY"}));
  });
  add(Cause::text_has_elided_part, "a part left out", Fate::refused, false, [](Dice& dice, const Clean& clean, Others) -> Made {
    std::string text = clean.pem();
    const std::size_t at = text.find('\n') + 20;
    const std::size_t end = text.find("-----END") - 12;
    return just(text.replace(at, end - at, dice.one_of(std::vector<std::string>{"...", "\n...\n", "\xE2\x80\xA6", "********"})));
  });
  add(Cause::content_is_a_path_or_address, "a path or address", Fate::refused, false, [](Dice& dice, const Clean&, Others) -> Made {
    return just(dice.one_of(std::vector<std::string>{"/etc/holdfast/keys/partner.pem", "C:\\keys\\partner.pem", "./partner.pub", "https://partner.example/jwks.json", "~/.ssh/id_ed25519.pub", "file:///run/secrets/key", "partner_public.pem"}));
  });
  add(Cause::content_is_a_fingerprint, "a fingerprint", Fate::refused, false, [](Dice& dice, const Clean& clean, Others) -> Made {
    const std::string hex = base::to_hex(clean.der).substr(0, 64);
    if (dice.below(2) == 0) return just("SHA256:" + base::to_base64(ByteView(clean.der).first(32)).substr(0, 43));
    std::string colons;
    for (std::size_t i = 0; i < 64; i += 2) colons += (i == 0 ? "" : ":") + hex.substr(i, 2);
    return just((dice.below(2) == 0 ? "SHA256 Fingerprint=" : "") + colons);
  });
  add(Cause::content_is_a_token, "a token", Fate::refused, false, [](Dice& dice, const Clean&, Others) -> Made {
    return just("eyJ" + base::to_base64url(dice.bytes(20)) + ".eyJ" + base::to_base64url(dice.bytes(40)) + "." + base::to_base64url(dice.bytes(64)));
  });
  add(Cause::content_is_an_archive, "an archive", Fate::refused, false, [](Dice& dice, const Clean&, Others) -> Made {
    return just(dice.one_of(std::vector<std::string>{std::string("PK\x03\x04", 4), std::string("\x1F\x8B\x08\x00", 4), std::string("7z\xBC\xAF\x27\x1C", 6)}) + raw(dice.bytes(60)));
  });
  add(Cause::several_blocks_found, "several blocks", Fate::accepted, false, [](Dice& dice, const Clean& clean, Others others) -> Made {
    if (clean.label != "CERTIFICATE") return std::nullopt;
    const Clean& other = pick(dice, others, is_certificate);
    if (&other == &clean) return std::nullopt;
    Damaged out = just(clean.pem() + other.pem());
    return out;
  });
}

void add_wrong_objects(std::vector<Damage>& out) {
  const auto add = [&](Cause cause, std::string name, Fate fate, auto make) { out.push_back({cause, std::move(name), fate, false, make}); };
  add(Cause::private_key_given_where_public_expected, "a private key in a public field", Fate::refused,
      [](Dice& dice, const Clean& clean, Others) -> Made { return clean.is_private() ? Made(wanting(dice.below(2) == 0 ? Kind::public_key : Kind::certificate, clean.pem())) : std::nullopt; });
  add(Cause::public_key_given_where_private_expected, "a public key in a private field", Fate::refused,
      [](Dice&, const Clean& clean, Others) -> Made { return clean.kind == Kind::public_key ? Made(wanting(Kind::private_key, clean.pem())) : std::nullopt; });
  add(Cause::certificate_given_where_key_expected, "a certificate for a key", Fate::accepted,
      [](Dice&, const Clean& clean, Others) -> Made { return is_certificate(clean) && clean.name == "certificate P-256" ? Made(wanting(Kind::public_key, clean.pem())) : std::nullopt; });
  add(Cause::certificate_given_where_private_expected, "a certificate for a private key", Fate::refused,
      [](Dice&, const Clean& clean, Others) -> Made { return is_certificate(clean) ? Made(wanting(Kind::private_key, clean.pem())) : std::nullopt; });
  add(Cause::request_given_where_certificate_expected, "a request for a certificate", Fate::refused,
      [](Dice&, const Clean& clean, Others) -> Made { return clean.kind == Kind::certificate_request ? Made(wanting(Kind::certificate, clean.pem())) : std::nullopt; });
  add(Cause::revocation_list_given_where_certificate_expected, "a revocation list for a certificate", Fate::refused,
      [](Dice&, const Clean& clean, Others) -> Made { return clean.kind == Kind::revocation_list ? Made(wanting(Kind::certificate, clean.pem())) : std::nullopt; });
  add(Cause::trusted_certificate_label, "TRUSTED CERTIFICATE", Fate::repaired,
      [](Dice&, const Clean& clean, Others) -> Made { return clean.name == "certificate P-256" ? Made(just(relabelled(clean, "TRUSTED CERTIFICATE"))) : std::nullopt; });
  add(Cause::bundle_given_where_certificate_expected, "a PKCS#7 bundle", Fate::repaired, [](Dice&, const Clean& clean, Others) -> Made {
    if (clean.name != "certificate P-256") return std::nullopt;
    const std::uint8_t one = 1;
    const Secret empty_set = intake::der(tag::set, {});
    const Secret data = intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::cms_data.view()})});
    const Secret body = intake::der(tag::sequence, {intake::der_integer({&one, 1}), empty_set, data, intake::der(tag::explicit_tag(0), {clean.der}), empty_set});
    return just(pem_text("PKCS7", intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::cms_signed.view()}), intake::der(tag::explicit_tag(0), {body})})));
  });
  add(Cause::openssh_public_key_given, "an OpenSSH line", Fate::accepted, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ed25519(clean) || clean.is_private()) return std::nullopt;
    Bytes blob = {0, 0, 0, 11};
    base::append(blob, base::as_bytes("ssh-ed25519"));
    base::append(blob, Bytes{0, 0, 0, 32});
    base::append(blob, clean.key.pub);
    return just("ssh-ed25519 " + base::to_base64(blob) + " someone@host\n");
  });
  add(Cause::pgp_key_given, "a PGP block", Fate::refused,
      [](Dice& dice, const Clean&, Others) -> Made { return just("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + base::to_base64(dice.bytes(90)) + "\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"); });
  add(Cause::jwk_given, "a JWK", Fate::accepted, [](Dice&, const Clean& clean, Others) -> Made { return is_spki(clean) ? Made(just(jwk(clean.key, "k1", false))) : std::nullopt; });
  add(Cause::jwk_set_given, "a JWK Set", Fate::accepted, [](Dice& dice, const Clean& clean, Others others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    return just("{\"keys\":[" + jwk(clean.key, "k1", false) + "," + jwk(pick(dice, others, is_spki).key, "k2", false) + "]}");
  });
  add(Cause::symmetric_secret_given_where_key_pair_expected, "a shared secret", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    switch (dice.below(3)) {
      case 0: return wanting(Kind::public_key, "whsec_" + base::to_base64(dice.bytes(24)));
      case 1: return wanting(Kind::public_key, "sk_live_" + base::to_base64url(dice.bytes(24)));
      default: return wanting(Kind::private_key, "aB3" + base::to_hex(dice.bytes(10)) + "Zq9x");
    }
  });
  add(Cause::card_number_given, "a card number", Fate::refused,
      [](Dice& dice, const Clean&, Others) -> Made { return just(dice.one_of(std::vector<std::string>{"4111 1111 1111 1111", "5500005555555559", "378282246310005", "6011-1111-1111-1117"})); });
  add(Cause::parameters_given_without_key, "parameters alone", Fate::refused,
      [](Dice&, const Clean& clean, Others) -> Made { return is_ec(clean) ? Made(just(pem_text("EC PARAMETERS", intake::der(tag::oid, {clean.key.curve->oid.view()})))) : std::nullopt; });
  add(Cause::certificate_and_key_do_not_match, "certificate and key of two pairs", Fate::refused, [](Dice& dice, const Clean& clean, Others others) -> Made {
    if (!is_certificate(clean)) return std::nullopt;
    const Clean& key = pick(dice, others, is_pkcs8);
    if (key.key.type == clean.key.type) return std::nullopt;
    return just(key.pem() + clean.pem());
  });
  add(Cause::signature_given, "a signature", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    return just(base::to_base64(intake::der(tag::sequence, {intake::der_integer(dice.bytes(32)), intake::der_integer(dice.bytes(32))})));
  });
}

void add_labels(std::vector<Damage>& out) {
  const auto add = [&](Cause cause, std::string name, auto make) { out.push_back({cause, std::move(name), Fate::repaired, false, make}); };
  add(Cause::label_says_pkcs1_body_is_pkcs8, "PKCS#1 label, PKCS#8 body", [](Dice&, const Clean& clean, Others) -> Made {
    if (is_key(clean) && clean.key.is_rsa() && is_spki(clean)) return just(relabelled(clean, "RSA PUBLIC KEY"));
    if (is_key(clean) && clean.key.is_rsa() && is_pkcs8(clean)) return just(relabelled(clean, "RSA PRIVATE KEY"));
    if (is_ec(clean) && is_pkcs8(clean)) return just(relabelled(clean, "EC PRIVATE KEY"));
    return std::nullopt;
  });
  add(Cause::label_says_pkcs8_body_is_traditional, "PKCS#8 label, traditional body", [](Dice&, const Clean& clean, Others) -> Made {
    if (clean.label == "RSA PUBLIC KEY") return just(relabelled(clean, "PUBLIC KEY"));
    if (clean.label == "RSA PRIVATE KEY" || clean.label == "EC PRIVATE KEY") return just(relabelled(clean, "PRIVATE KEY"));
    return std::nullopt;
  });
  add(Cause::label_names_another_algorithm, "label of another algorithm", [](Dice&, const Clean& clean, Others) -> Made {
    if (clean.label == "RSA PRIVATE KEY") return just(relabelled(clean, "EC PRIVATE KEY"));
    if (clean.label == "EC PRIVATE KEY") return just(relabelled(clean, "RSA PRIVATE KEY"));
    if (is_ec(clean) && is_pkcs8(clean)) return just(relabelled(clean, "RSA PRIVATE KEY"));
    if (is_ec(clean) && is_spki(clean)) return just(relabelled(clean, "RSA PUBLIC KEY"));
    return std::nullopt;
  });
  add(Cause::label_names_another_object, "label of another object", [](Dice&, const Clean& clean, Others) -> Made {
    if (is_spki(clean)) return just(relabelled(clean, "CERTIFICATE"));
    if (is_certificate(clean)) return just(relabelled(clean, "PUBLIC KEY"));
    if (clean.kind == Kind::certificate_request) return just(relabelled(clean, "CERTIFICATE"));
    return std::nullopt;
  });
  add(Cause::pkcs8_is_version_2, "OneAsymmetricKey", [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ed25519(clean) || !is_pkcs8(clean)) return std::nullopt;
    const std::uint8_t one = 1, unused = 0;
    return just(pem_text("PRIVATE KEY", intake::der(tag::sequence, {intake::der_integer({&one, 1}), intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::ed25519.view()})}),
                                                                    intake::der(tag::octet_string, {intake::der(tag::octet_string, {clean.key.seed})}),
                                                                    intake::der(tag::implicit_tag(1), {ByteView(&unused, 1), clean.key.pub})})));
  });
  add(Cause::eddsa_key_has_unusual_form, "bare or doubled seed", [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_ed25519(clean) || !is_pkcs8(clean)) return std::nullopt;
    Secret both = clean.key.seed;
    if (dice.below(2) == 0) both.insert(both.end(), clean.key.pub.begin(), clean.key.pub.end());
    const std::uint8_t zero = 0;
    return just(pem_text("PRIVATE KEY", intake::der(tag::sequence, {intake::der_integer({&zero, 1}), intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::ed25519.view()})}), intake::der(tag::octet_string, {both})})));
  });
  add(Cause::algorithm_parameters_are_missing, "NULL left out", [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_key(clean) || !clean.key.is_rsa() || !is_spki(clean)) return std::nullopt;
    return just(pem_text("PUBLIC KEY", intake::der(tag::sequence, {intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::rsa.view()})}), intake::der_bits(pkcs1_public(clean.key))})));
  });
  add(Cause::ec_parameters_are_explicit, "explicit parameters", [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    return just(pem_text("PUBLIC KEY", intake::der(tag::sequence, {intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::ec.view()}), explicit_curve(clean.key, false)}),
                                                                   intake::der_bits(intake::uncompressed({clean.key.x, clean.key.y}))})));
  });
  add(Cause::ec_point_is_compressed, "compressed point", [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    Secret point(1, (clean.key.y.back() & 1) != 0 ? 3 : 2);
    point.insert(point.end(), clean.key.x.begin(), clean.key.x.end());
    return just(spki_with_point(clean.key, point));
  });
  add(Cause::ec_point_is_hybrid, "hybrid point", [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    Secret point = intake::uncompressed({clean.key.x, clean.key.y});
    point[0] = (clean.key.y.back() & 1) != 0 ? 7 : 6;
    return just(spki_with_point(clean.key, point));
  });
}

void add_algorithm_damages(std::vector<Damage>& out) {
  const auto add = [&](Cause cause, std::string name, Fate fate, auto make) { out.push_back({cause, std::move(name), fate, false, make}); };
  const auto rsa_public = [](const Clean& clean) { return is_spki(clean) && clean.key.is_rsa(); };
  add(Cause::rsa_key_is_too_small, "a short RSA key", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_spki(clean) || !clean.key.is_rsa()) return std::nullopt;
    Key key = make_rsa(dice, 512);
    key.is_private = dice.below(2) == 0;
    return just(key.is_private ? pem_text("PRIVATE KEY", to_pkcs8(key)) : pem_text("PUBLIC KEY", to_spki(key)));
  });
  add(Cause::rsa_exponent_is_bad, "a bad exponent", Fate::refused, [rsa_public](Dice& dice, const Clean& clean, Others) -> Made {
    if (!rsa_public(clean)) return std::nullopt;
    return just(pem_text("PUBLIC KEY", to_spki(altered_rsa(clean, [&](Key& key) { key.e = shortest(Number(dice.one_of(std::vector<std::uint64_t>{1, 2, 3, 65536}))); }))));
  });
  add(Cause::rsa_exponent_is_unusual, "an unusual exponent", Fate::accepted, [rsa_public](Dice& dice, const Clean& clean, Others) -> Made {
    if (!rsa_public(clean)) return std::nullopt;
    return just(pem_text("PUBLIC KEY", to_spki(altered_rsa(clean, [&](Key& key) { key.e = shortest(Number(dice.one_of(std::vector<std::uint64_t>{5, 17, 257, 65539}))); }))));
  });
  add(Cause::rsa_modulus_is_damaged, "an even modulus", Fate::refused, [rsa_public](Dice&, const Clean& clean, Others) -> Made {
    if (!rsa_public(clean)) return std::nullopt;
    return just(pem_text("PUBLIC KEY", to_spki(altered_rsa(clean, [](Key& key) { key.n.back() ^= 1; }))));
  });
  add(Cause::rsa_modulus_is_weak, "close primes", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_spki(clean) || !clean.key.is_rsa()) return std::nullopt;
    Key key = make_rsa(dice, 2048, 65537, true);
    key.is_private = false;
    return just(pem_text("PUBLIC KEY", to_spki(key)));
  });
  add(Cause::key_pair_is_inconsistent, "private and public part of two pairs", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_pkcs8(clean)) return std::nullopt;
    Key key = clean.key;
    if (key.is_rsa()) {
      key.d = shortest(Number(key.d) + Number(2));
    } else if (key.type == KeyType::ec) {
      const Key other = make_ec(dice, key.curve->name);
      key.x = other.x;
      key.y = other.y;
    } else {
      return std::nullopt;
    }
    return just(pem_text("PRIVATE KEY", to_pkcs8(key)));
  });
  add(Cause::ec_point_is_not_on_curve, "a point beside the curve", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    Secret point = intake::uncompressed({clean.key.x, clean.key.y});
    point[1 + dice.below(point.size() - 1)] ^= static_cast<std::uint8_t>(1 + dice.below(255));
    return just(spki_with_point(clean.key, point));
  });
  add(Cause::ec_point_length_is_wrong, "a point of another length", Fate::refused, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    Secret point = intake::uncompressed({clean.key.x, clean.key.y});
    point.pop_back();
    return just(spki_with_point(clean.key, point));
  });
  add(Cause::ec_point_is_infinity, "the point at infinity", Fate::refused, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    return just(spki_with_point(clean.key, Secret(1, 0)));
  });
  add(Cause::ec_scalar_is_out_of_range, "a private number out of range", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (clean.label != "EC PRIVATE KEY") return std::nullopt;
    Key key = clean.key;
    if (dice.below(2) == 0) std::fill(key.scalar.begin(), key.scalar.end(), std::uint8_t{0});
    else key.scalar = numbers_of(*key.curve).n.bytes(key.scalar.size());
    return just(pem_text("EC PRIVATE KEY", sec1(key, true)));
  });
  add(Cause::ec_curve_is_not_supported, "a curve we do not take", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    const Key key = make_ec(dice, dice.one_of(std::vector<std::string>{"brainpoolP256r1", "secp160r1", "P-224", "P-192"}));
    return just(pem_text("PUBLIC KEY", to_spki(key)));
  });
  add(Cause::ec_parameters_are_unknown, "a curve made to order", Fate::refused, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean)) return std::nullopt;
    return just(pem_text("PUBLIC KEY", intake::der(tag::sequence, {intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::ec.view()}), explicit_curve(clean.key, true)}),
                                                                   intake::der_bits(intake::uncompressed({clean.key.x, clean.key.y}))})));
  });
  add(Cause::eddsa_public_part_differs, "seed and public part of two pairs", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_ed25519(clean) || !is_pkcs8(clean)) return std::nullopt;
    Secret both = clean.key.seed;
    const Key other = make_okp(dice, KeyType::ed25519);
    both.insert(both.end(), other.pub.begin(), other.pub.end());
    const std::uint8_t zero = 0;
    return just(pem_text("PRIVATE KEY", intake::der(tag::sequence, {intake::der_integer({&zero, 1}), intake::der(tag::sequence, {intake::der(tag::oid, {intake::oid::ed25519.view()})}), intake::der(tag::octet_string, {intake::der(tag::octet_string, {both})})})));
  });
  add(Cause::eddsa_point_is_invalid, "no point of the curve", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_ed25519(clean) || clean.is_private()) return std::nullopt;
    Key key = clean.key;
    do key.pub = dice.bytes(32);
    while (intake::okp_point_is_valid(KeyType::ed25519, key.pub));
    return just(pem_text("PUBLIC KEY", to_spki(key)));
  });
  add(Cause::certificate_signature_is_invalid, "an altered certificate", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (clean.name != "certificate RSA") return std::nullopt;
    Bytes der = clean.der;
    der[der.size() - 1 - dice.below(200)] ^= static_cast<std::uint8_t>(1 + dice.below(255));
    return just(pem_text("CERTIFICATE", der));
  });
  add(Cause::certificate_is_self_signed, "a self-signed certificate", Fate::accepted,
      [](Dice&, const Clean& clean, Others) -> Made { return clean.name == "certificate RSA" ? Made(just(clean.pem())) : std::nullopt; });
  add(Cause::certificate_is_expired, "an expired certificate", Fate::refused, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_certificate(clean)) return std::nullopt;
    Damaged out = just(clean.pem());
    out.expected.now = base::Instant{2'100'000'000'000'000'000};
    return out;
  });
  add(Cause::certificate_is_not_yet_valid, "a certificate of the future", Fate::refused, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_certificate(clean)) return std::nullopt;
    Damaged out = just(clean.pem());
    out.expected.now = base::Instant{1'700'000'000'000'000'000};
    return out;
  });
}

void add_jwk_damages(std::vector<Damage>& out) {
  const auto add = [&](Cause cause, std::string name, Fate fate, auto make) { out.push_back({cause, std::move(name), fate, false, make}); };
  const auto without = [](std::string text, const std::string& name) {
    const std::size_t at = text.find(",\"" + name + "\":\"");
    if (at == std::string::npos) return std::string();
    const std::size_t end = text.find('"', at + name.size() + 5);
    return text.erase(at, end + 1 - at);
  };
  add(Cause::jwk_member_is_missing, "a member missing", Fate::refused, [without](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    const std::string text = without(jwk(clean.key, "k", false), dice.one_of(std::vector<std::string>{"e", "n", "crv", "x", "y"}));
    return text.empty() ? std::nullopt : Made(just(text));
  });
  add(Cause::jwk_value_has_wrong_encoding, "padding or a leading zero", Fate::repaired, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    std::string text = jwk(clean.key, "k", false);
    Key key = clean.key;
    if (key.is_rsa()) {
      if (dice.below(2) == 0) {
        key.n.insert(key.n.begin(), 0);
        return just(jwk(key, "k", false));
      }
      const std::string n = base::to_base64url(key.n);
      return just(text.replace(text.find(n), n.size(), base::to_base64(key.n)));
    }
    const Secret& value = key.type == KeyType::ec ? key.x : key.pub;
    const std::string right = base::to_base64url(value);
    const std::string wrong = base::to_base64(value);
    if (right == wrong) return std::nullopt;
    return just(text.replace(text.find(right), right.size(), wrong));
  });
  add(Cause::jwk_coordinate_is_short, "a short coordinate", Fate::repaired, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_ec(clean) || !is_spki(clean) || clean.key.curve->bits != 256) return std::nullopt;
    Key key = make_ec(dice, clean.key.curve->name);
    while (key.x[0] != 0 || key.x[1] == 0) key = make_ec(dice, clean.key.curve->name);
    key.x.erase(key.x.begin());
    Damaged out = just(jwk(key, "k", false));
    return out;
  });
  add(Cause::jwk_exposes_private_key, "a private key in a key set", Fate::refused,
      [](Dice&, const Clean& clean, Others) -> Made { return is_pkcs8(clean) ? Made(just("{\"keys\":[" + jwk(clean.key, "k", true) + "]}")) : std::nullopt; });
  add(Cause::jwk_algorithm_does_not_fit, "alg of another type", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    std::string text = jwk(clean.key, "k", false);
    const std::string alg = clean.key.is_rsa() ? dice.one_of(std::vector<std::string>{"ES256", "HS256", "none"}) : dice.one_of(std::vector<std::string>{"RS256", "PS512", "none"});
    text.pop_back();
    return just(text + ",\"alg\":\"" + alg + "\"}");
  });
  add(Cause::jwk_use_does_not_fit, "use against key_ops", Fate::refused, [](Dice&, const Clean& clean, Others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    std::string text = jwk(clean.key, "k", false);
    text.pop_back();
    return just(text + ",\"use\":\"sig\",\"key_ops\":[\"encrypt\"]}");
  });
  add(Cause::jwk_id_is_repeated, "one kid twice", Fate::refused, [](Dice& dice, const Clean& clean, Others others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    return just("{\"keys\":[" + jwk(clean.key, "k", false) + "," + jwk(pick(dice, others, is_spki).key, "k", false) + "]}");
  });
  add(Cause::key_set_is_empty, "an empty set", Fate::refused, [](Dice&, const Clean&, Others) -> Made { return just("{\"keys\":[]}"); });
  add(Cause::json_is_malformed, "broken JSON", Fate::refused, [](Dice& dice, const Clean& clean, Others) -> Made {
    if (!is_spki(clean)) return std::nullopt;
    std::string text = jwk(clean.key, "k", false);
    return just(dice.below(2) == 0 ? text.substr(0, text.size() - 1 - dice.below(20)) : text + "}");
  });
}

void add_wallet_damages(std::vector<Damage>& out) {
  const auto add = [&](Cause cause, std::string name, Fate fate, auto make) { out.push_back({cause, std::move(name), fate, false, make}); };
  add(Cause::mnemonic_word_is_unknown, "a misspelt word", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    std::string phrase = mnemonic_of(dice, 0, 16);
    const std::size_t at = phrase.find(' ') + 1;
    return just(phrase.insert(at + 1, "q"));
  });
  add(Cause::mnemonic_checksum_is_wrong, "one word exchanged", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    const std::size_t list = dice.below(10);
    const auto& words = intake::word_lists()[list];
    std::string phrase = mnemonic_of(dice, list, 16);
    std::vector<int> indices;
    do {
      const std::size_t last = phrase.rfind(' ') + 1;
      phrase = phrase.substr(0, last) + std::string(words.words[dice.below(2048)]);
      indices.clear();
      for (std::size_t at = 0; at < phrase.size();) {
        const std::size_t end = std::min(phrase.find(' ', at), phrase.size());
        indices.push_back(words.index_of(phrase.substr(at, end - at)));
        at = end + 1;
      }
    } while (intake::mnemonic_entropy(indices));
    if (intake::is_electrum_seed(phrase)) return std::nullopt;
    return just(phrase);
  });
  add(Cause::mnemonic_word_count_is_wrong, "a word missing", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    const std::string phrase = mnemonic_of(dice, dice.below(10), 16);
    return just(phrase.substr(0, phrase.rfind(' ')));
  });
  add(Cause::extended_key_is_damaged, "an xpub with a typing error", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    std::string text = raw(to_text(neutered(*intake::master_key(dice.bytes(32)))));
    text[20 + dice.below(60)] = text[50] == 'a' ? 'b' : 'a';
    return intake::from_base58check(text) ? std::nullopt : Made(just(text));
  });
  add(Cause::extended_key_is_master, "a master xpub", Fate::accepted, [](Dice& dice, const Clean&, Others) -> Made { return just(raw(to_text(neutered(*intake::master_key(dice.bytes(32)))))); });
  add(Cause::extended_key_has_slip132_prefix, "a zpub", Fate::repaired, [](Dice& dice, const Clean&, Others) -> Made {
    const auto child = derive_child(*intake::master_key(dice.bytes(32)), 0x80000000u);
    Secret bytes = *intake::from_base58check(raw(to_text(neutered(*child))));
    const std::uint8_t version[] = {0x04, 0xB2, 0x47, 0x46};
    std::copy(std::begin(version), std::end(version), bytes.begin());
    return just(raw(intake::to_base58check(bytes)));
  });
  add(Cause::xprv_given_where_xpub_expected, "an xprv in a public field", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made { return wanting(Kind::extended_public_key, raw(to_text(*intake::master_key(dice.bytes(32))))); });
  add(Cause::wallet_secret_given_where_public_expected, "a phrase in a public field", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made { return wanting(Kind::public_key, mnemonic_of(dice, dice.below(10), 32)); });
  add(Cause::wif_is_damaged, "a WIF key with a typing error", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    Secret bytes = dice.bytes(34);
    bytes[0] = 0x80;
    bytes[33] = 1;
    std::string text = raw(intake::to_base58check(bytes));
    text[20] = text[20] == 'a' ? 'b' : 'a';
    return intake::from_base58check(text) ? std::nullopt : Made(just(text));
  });
  add(Cause::address_checksum_is_wrong, "an address with a typing error", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made {
    std::string address = intake::eip55(base::to_hex(dice.bytes(20)));
    for (char& c : address) {
      if (std::isalpha(static_cast<unsigned char>(c)) == 0) continue;
      c = static_cast<char>(c ^ 0x20);
      break;
    }
    const bool mixed = std::any_of(address.begin(), address.end(), [](unsigned char c) { return std::isupper(c) != 0; }) && std::any_of(address.begin(), address.end(), [](unsigned char c) { return std::islower(c) != 0; });
    return mixed ? Made(just("0x" + address)) : std::nullopt;
  });
  add(Cause::address_has_no_checksum, "an address in lower case", Fate::accepted, [](Dice& dice, const Clean&, Others) -> Made {
    const std::string hex = base::to_hex(dice.bytes(20));
    return std::any_of(hex.begin(), hex.end(), [](unsigned char c) { return std::isalpha(c) != 0; }) ? Made(just("0x" + hex)) : std::nullopt;
  });
  add(Cause::wallet_key_is_out_of_range, "a private key of the wrong length", Fate::refused, [](Dice& dice, const Clean&, Others) -> Made { return just("0x" + base::to_hex(dice.bytes(32)).substr(dice.below(3) + 1)); });
}

}  // namespace

const std::vector<Damage>& all_damages() {
  static const std::vector<Damage> damages = [] {
    std::vector<Damage> out;
    add_text_damages(out);
    add_container_damages(out);
    add_wrong_objects(out);
    add_labels(out);
    add_algorithm_damages(out);
    add_jwk_damages(out);
    add_wallet_damages(out);
    return out;
  }();
  return damages;
}

std::string flipped(Dice& dice, const Clean& clean) { return flip_digit(dice, clean.pem()); }

}  // namespace corpus
