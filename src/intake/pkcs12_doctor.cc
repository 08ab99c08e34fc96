// PKCS#12 (RFC 7292, RFC 9579): the MAC first, then the bags. MAC and cipher passwords may differ; a password outside of
// ASCII may have been encoded in more than one way.
#include <algorithm>

#include "base/text.h"
#include "intake/layers.h"
#include "intake/opening.h"
#include "intake/password.h"

namespace intake {
namespace {

using base::ByteView;

struct Pfx {
  Element safe;                 // content of AuthenticatedSafe
  std::optional<Element> mac;   // MacData
};

std::optional<Pfx> read_pfx(const Element& element) {
  DerCursor cursor(element);
  cursor.next(tag::integer);
  auto info = cursor.next(tag::sequence);
  if (!info) return std::nullopt;
  Pfx out;
  out.mac = cursor.next_if(tag::sequence);
  DerCursor inside(*info);
  auto type = inside.next(tag::oid);
  auto wrapper = inside.next(tag::explicit_tag(0));
  if (!type || !wrapper || !(oid::cms_data == type->body)) return std::nullopt;
  DerCursor in_wrapper(*wrapper);
  auto octets = in_wrapper.next(tag::octet_string);
  if (!octets) return std::nullopt;
  out.safe = *octets;
  return out;
}

enum class MacAnswer : std::uint8_t { fits, differs, unsupported, too_expensive };

MacAnswer check_mac(const Element& mac, ByteView content, const Secret& password, std::string_view plain_password, const Policy& policy, bool& legacy) {
  DerCursor cursor(mac);
  auto info = cursor.next(tag::sequence);
  auto salt = cursor.next(tag::octet_string);
  auto rounds = cursor.next_if(tag::integer);
  if (!info || !salt) return MacAnswer::unsupported;
  const std::uint64_t count = rounds ? small_integer(*rounds).value_or(0) : 1;
  DerCursor in_info(*info);
  auto algorithm = in_info.next(tag::sequence);
  auto value = in_info.next(tag::octet_string);
  if (!algorithm || !value) return MacAnswer::unsupported;
  DerCursor in_algorithm(*algorithm);
  auto id = in_algorithm.next(tag::oid);
  if (!id) return MacAnswer::unsupported;
  Secret key;
  std::optional<Hash> hash;
  if (oid::pbmac1 == id->body) {
    // RFC 9579: PBKDF2 over the UTF-8 password.
    auto parameters = in_algorithm.next(tag::sequence);
    if (!parameters) return MacAnswer::unsupported;
    DerCursor parts(*parameters);
    auto derivation = parts.next(tag::sequence);
    auto scheme = parts.next(tag::sequence);
    if (!derivation || !scheme) return MacAnswer::unsupported;
    DerCursor in_scheme(*scheme);
    auto scheme_id = in_scheme.next(tag::oid);
    DerCursor in_derivation(*derivation);
    auto derivation_id = in_derivation.next(tag::oid);
    auto values = in_derivation.next(tag::sequence);
    if (!scheme_id || !derivation_id || !values || !(oid::pbkdf2 == derivation_id->body)) return MacAnswer::unsupported;
    DerCursor options(*values);
    auto own_salt = options.next(tag::octet_string);
    auto own_rounds = options.next(tag::integer);
    auto length = options.next_if(tag::integer);
    auto prf = options.next_if(tag::sequence);
    Hash prf_hash = Hash::sha1;
    bool prf_known = true;
    if (prf) {
      DerCursor in_prf(*prf);
      auto prf_id = in_prf.next(tag::oid);
      const auto named = prf_id ? hmac_hash_of_oid(prf_id->body) : std::nullopt;
      prf_known = named.has_value();
      prf_hash = named.value_or(Hash::sha1);
    }
    hash = hmac_hash_of_oid(scheme_id->body);
    const std::uint64_t own_count = own_rounds ? small_integer(*own_rounds).value_or(0) : 0;
    const std::uint32_t size = length ? small_integer(*length).value_or(0) : 0;
    if (!own_salt || !hash || !prf_known || size < 20 || size > 64) return MacAnswer::unsupported;
    if (!is_affordable(policy, own_count, 0)) return MacAnswer::too_expensive;
    key = pbkdf2(prf_hash, base::as_bytes(plain_password), own_salt->body, own_count, size);
  } else {
    hash = hash_of_oid(id->body);
    if (!hash) return MacAnswer::unsupported;
    if (!is_affordable(policy, count, 0)) return MacAnswer::too_expensive;
    key = pkcs12_derive(*hash, password, salt->body, count, 3, hash_bytes(*hash));
    legacy = *hash == Hash::md5;
  }
  return base::equal_constant_time(hmac(*hash, key, content), value->body) ? MacAnswer::fits : MacAnswer::differs;
}

struct Opening {
  Examination& run;
  const Content& outer;
  std::vector<std::string_view> passwords;
  std::size_t bags = 0;
  bool legacy = false;
  bool refused = false;  // a part did not open
  std::optional<Cause> why;
  std::string evidence;
};

// Tries the passwords in turn on one encrypted part.
std::optional<Secret> unseal_part(Opening& opening, const Element& algorithm, ByteView text) {
  for (std::string_view password : opening.passwords) {
    Unsealed out = unseal(algorithm, text, password, opening.run.expected.policy);
    if (!out.cause && !first_der_fault(out.plain)) {
      opening.legacy |= out.legacy;
      return std::move(out.plain);
    }
    opening.why = out.cause.value_or(Cause::password_is_wrong);
    opening.evidence = std::move(out.evidence);
    if (*opening.why != Cause::password_is_wrong) break;
  }
  opening.refused = true;
  return std::nullopt;
}

void read_bags(Opening& opening, ByteView contents, int depth) {
  Content content;
  content.bytes = to_secret(contents);
  DerCursor outer{ByteView(content.bytes)};
  auto list = outer.next(tag::sequence);
  if (!list || depth == 0) {
    opening.refused = true;
    opening.why = Cause::container_is_damaged;
    return;
  }
  DerCursor bags(*list);
  while (auto bag = bags.next_if(tag::sequence)) {
    if (++opening.bags > 100) {
      opening.why = Cause::nesting_is_too_deep;
      opening.refused = true;
      return;
    }
    DerCursor parts(*bag);
    auto type = parts.next(tag::oid);
    auto wrapper = parts.next(tag::explicit_tag(0));
    if (!type || !wrapper) continue;
    DerCursor inside(*wrapper);
    auto value = inside.next(tag::sequence);
    if (!value) continue;
    if (oid::bag_key == type->body) {
      Content inner;
      inner.bytes = to_secret(value->whole);
      DerCursor key{ByteView(inner.bytes)};
      examine_element(opening.run, *key.next(), inner, {}, "pkcs12");
    } else if (oid::bag_shrouded == type->body) {
      DerCursor shrouded(*value);
      auto algorithm = shrouded.next(tag::sequence);
      auto text = shrouded.next(tag::octet_string);
      if (!algorithm || !text) continue;
      auto plain = unseal_part(opening, *algorithm, text->body);
      if (!plain) continue;
      Content inner;
      inner.bytes = std::move(*plain);
      DerCursor key{ByteView(inner.bytes)};
      if (auto info = key.next(tag::sequence)) examine_element(opening.run, *info, inner, {}, "pkcs12");
    } else if (oid::bag_certificate == type->body) {
      DerCursor in_bag(*value);
      auto kind = in_bag.next(tag::oid);
      auto holder = in_bag.next(tag::explicit_tag(0));
      if (!kind || !holder || !(oid::x509_certificate == kind->body)) continue;
      DerCursor in_holder(*holder);
      auto octets = in_holder.next(tag::octet_string);
      if (!octets) continue;
      Content inner;
      inner.bytes = to_secret(octets->body);
      DerCursor certificate{ByteView(inner.bytes)};
      if (auto body = certificate.next(tag::sequence)) examine_certificate(opening.run, *body, inner, "pkcs12");
    } else if (oid::bag_nested == type->body) {
      read_bags(opening, value->whole, depth - 1);
    }
  }
}

void read_safe(Opening& opening, ByteView safe) {
  DerCursor outer(safe);
  auto list = outer.next(tag::sequence);
  if (!list) {
    opening.why = Cause::container_is_damaged;
    opening.refused = true;
    return;
  }
  DerCursor infos(*list);
  while (auto info = infos.next_if(tag::sequence)) {
    DerCursor parts(*info);
    auto type = parts.next(tag::oid);
    auto wrapper = parts.next(tag::explicit_tag(0));
    if (!type || !wrapper) continue;
    DerCursor inside(*wrapper);
    if (oid::cms_data == type->body) {
      if (auto octets = inside.next(tag::octet_string)) read_bags(opening, octets->body, 4);
    } else if (oid::cms_encrypted == type->body) {
      auto data = inside.next(tag::sequence);
      if (!data) continue;
      DerCursor in_data(*data);
      in_data.next(tag::integer);
      auto sealed = in_data.next(tag::sequence);
      if (!sealed) continue;
      DerCursor in_sealed(*sealed);
      in_sealed.next(tag::oid);
      auto algorithm = in_sealed.next(tag::sequence);
      auto text = in_sealed.next_if(tag::implicit_tag(0));
      Secret joined;
      if (text) {
        joined = to_secret(text->body);
      } else if (auto segments = in_sealed.next_if(tag::explicit_tag(0))) {
        DerCursor each(*segments);
        while (auto segment = each.next_if(tag::octet_string)) joined.insert(joined.end(), segment->body.begin(), segment->body.end());
      }
      if (!algorithm || joined.empty()) continue;
      if (auto plain = unseal_part(opening, *algorithm, joined)) read_bags(opening, *plain, 4);
    } else {
      opening.why = Cause::cipher_is_not_supported;
      opening.evidence = "a part sealed for a public key";
      opening.refused = true;
    }
  }
}

std::string latin1(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) out.push_back(utf8[i]);
    else if (c < 0xC4 && c >= 0xC2 && i + 1 < utf8.size()) out.push_back(static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3F)));
  }
  return out;
}

// Every byte as one BMP character, as OpenSSL before 1.1 made of UTF-8.
Secret bytewise_bmp(std::string_view password) {
  Secret out;
  for (char c : password) {
    out.push_back(0);
    out.push_back(static_cast<std::uint8_t>(c));
  }
  out.push_back(0);
  out.push_back(0);
  return out;
}

}  // namespace

void examine_pkcs12(Examination& run, const Element& element, const Content& content) {
  const Desk desk{content, run.notes};
  run.seems_private = true;
  Layer layer(run);
  if (!layer.ok()) return;
  Item sealed;
  sealed.kind = Kind::keystore;
  sealed.format = "pkcs12";
  sealed.place = content.place_at(element.offset, element.whole.size());
  auto pfx = read_pfx(element);
  if (!pfx) {
    desk.add(Cause::der_is_malformed, element.offset, "the PKCS#12 file cannot be read, or is sealed for a public key");
    return;
  }
  desk.add(Cause::keystore_given, element.offset, "PKCS#12");
  const Policy& policy = run.expected.policy;
  bool default_password = false;
  std::string_view password;
  bool legacy = false;
  if (run.expected.password) {
    password = *run.expected.password;
    run.password_used = true;
  } else {
    // An empty password, or one everybody knows, protects nothing; say so instead of asking.
    for (std::string_view guess : {"", "changeit", "notasecret", "password", "123456"}) {
      if (!pfx->mac) break;
      if (check_mac(*pfx->mac, pfx->safe.body, bmp_password(guess), guess, policy, legacy) == MacAnswer::fits ||
          (guess.empty() && check_mac(*pfx->mac, pfx->safe.body, {}, guess, policy, legacy) == MacAnswer::fits)) {
        password = guess;
        default_password = true;
        break;
      }
    }
    if (!default_password) {
      run.add(std::move(sealed));
      desk.add(Cause::password_is_missing, element.offset);
      return;
    }
    desk.add(Cause::password_is_the_default, element.offset, password.empty() ? "empty" : "a well-known word");
  }
  std::string recoded;
  if (!pfx->mac) {
    desk.add(Cause::container_integrity_not_protected, element.offset);
  } else {
    MacAnswer answer = check_mac(*pfx->mac, pfx->safe.body, bmp_password(password), password, policy, legacy);
    if (answer == MacAnswer::differs && password.empty()) answer = check_mac(*pfx->mac, pfx->safe.body, {}, password, policy, legacy);
    const bool ascii = std::all_of(password.begin(), password.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (answer == MacAnswer::differs && !ascii) {
      recoded = latin1(password);
      if (check_mac(*pfx->mac, pfx->safe.body, bytewise_bmp(password), recoded, policy, legacy) == MacAnswer::fits) {
        answer = MacAnswer::fits;
        desk.add(Cause::password_encoding_differs, element.offset, "the bytes of UTF-8, one character each");
      }
    }
    if (answer == MacAnswer::unsupported || answer == MacAnswer::too_expensive) {
      run.add(std::move(sealed));
      desk.add(answer == MacAnswer::unsupported ? Cause::cipher_is_not_supported : Cause::key_derivation_is_too_expensive, element.offset, "the MAC");
      return;
    }
    if (answer == MacAnswer::differs) {
      const bool second = run.expected.inner_password &&
                          check_mac(*pfx->mac, pfx->safe.body, bmp_password(*run.expected.inner_password), *run.expected.inner_password, policy, legacy) == MacAnswer::fits;
      if (!second) {
        run.add(std::move(sealed));
        desk.add(Cause::password_is_wrong, element.offset);
        wipe(recoded.data(), recoded.size());
        return;
      }
    }
  }
  Opening opening{run, content, {password}, 0, legacy, false, std::nullopt, {}};
  if (run.expected.inner_password) opening.passwords.push_back(*run.expected.inner_password);
  read_safe(opening, pfx->safe.body);
  wipe(recoded.data(), recoded.size());
  if (opening.legacy) desk.add(Cause::cipher_is_legacy, element.offset);
  if (opening.refused) {
    run.add(std::move(sealed));
    const Cause why = opening.why.value_or(Cause::container_is_damaged);
    const bool mac_fits = pfx->mac.has_value();
    desk.add(why == Cause::password_is_wrong && mac_fits ? Cause::pkcs12_passwords_differ : why, element.offset, opening.evidence);
  }
}

}  // namespace intake
