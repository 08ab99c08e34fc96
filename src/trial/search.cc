#include "trial/search.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace trial {
namespace {

using base::Bytes;
using crypto::chain::Hash;
using crypto::chain::KeyKind;
using intake::Cause;

/// One value of one axis of the search; without a cause it is the agreed one.
template <typename T>
struct Choice {
  T value;
  std::optional<Deviation> deviation = {};
};

struct Signer {
  const TrialKey* key = nullptr;
  std::size_t secret = 0;
};

/// A way the bytes and perhaps the scheme differ; `variant` is null for the agreed base.
using BaseChoice = Choice<const BaseVariant*>;

std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\r' && c != '\n' && c != '\t') out += c;
  }
  return out;
}

std::string standard_alphabet(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.erase(std::min(text.find_last_not_of('=') + 1, text.size()));
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

class Texts {
 public:
  void add(Cause cause, std::string what, std::optional<Bytes> octets) {
    if (!octets || octets->empty()) return;
    if (std::ranges::find(found_, *octets, &Choice<Bytes>::value) != found_.end()) return;
    found_.push_back({std::move(*octets), Deviation{cause, std::move(what)}});
  }
  void add_agreed(std::optional<Bytes> octets) {
    if (octets) found_.push_back({std::move(*octets), {}});
  }
  std::vector<Choice<Bytes>> take() { return std::move(found_); }

 private:
  std::vector<Choice<Bytes>> found_;
};

// r and s whose leading zeros were cut: both are padded again, in each way that the missing bytes can be shared.
void add_unpadded(Texts& texts, const Bytes& signature, std::size_t whole) {
  if (whole == 0 || whole % 2 != 0 || signature.size() >= whole || signature.size() + 3 < whole) return;
  const std::size_t half = whole / 2, missing = whole - signature.size();
  for (std::size_t first = 0; first <= missing; ++first) {
    Bytes padded(first, 0);
    const auto cut = signature.begin() + static_cast<std::ptrdiff_t>(half - first);
    padded.insert(padded.end(), signature.begin(), cut);
    padded.resize(half + missing - first, 0);
    padded.insert(padded.end(), cut, signature.end());
    texts.add(Cause::signature_halves_are_unpadded, std::to_string(missing) + " leading zero bytes are missing",
              std::move(padded));
  }
}

std::vector<Choice<Bytes>> texts_of(const Specimen& specimen, const TrialKey* agreed) {
  Texts texts;
  texts.add_agreed(agreed_octets(specimen, specimen.signature));
  for (const std::string& other : specimen.other_signatures) texts.add_agreed(agreed_octets(specimen, other));
  const std::string& text = specimen.signature;
  std::vector<Choice<Bytes>> agreed_ones = texts.take();
  for (Choice<Bytes>& one : agreed_ones) texts.add_agreed(one.value);
  if (agreed != nullptr && agreed->verifier.kind() == KeyKind::ec) {
    for (const Choice<Bytes>& one : agreed_ones) add_unpadded(texts, one.value, agreed->verifier.signature_bytes());
  }
  if (specimen.text == SignatureText::octets) return texts.take();
  const Cause damaged = Cause::signature_base64_variant_differs;
  std::string plus = text;
  std::ranges::replace(plus, ' ', '+');
  texts.add(damaged, "blanks where + stood, as forms decode it", base::parse_base64(plus));
  if (const auto decoded = parse_form(text); decoded && decoded->size() == 1) {
    texts.add(damaged, "percent-encoded", base::parse_base64(decoded->front().first));
  }
  texts.add(damaged, "with blanks or line ends inside", base::parse_base64(without_blanks(text)));
  texts.add(damaged, "in the other alphabet, or without padding",
            base::parse_base64(standard_alphabet(without_blanks(text))));
  texts.add(Cause::signature_encoding_differs, "in hexadecimal", base::parse_hex(without_blanks(text)));
  if (const auto once = base::parse_base64(text)) {
    texts.add(Cause::signature_encoding_differs, "base64 twice", base::parse_base64(base::as_text(*once)));
    texts.add(Cause::signature_encoding_differs, "base64 of hexadecimal", base::parse_hex(base::as_text(*once)));
  }
  return texts.take();
}

/// The agreed scheme and every other way the key could have signed, one change each. A key that cannot make the agreed one
/// starts from what is usual for it, and that is a deviation already.
std::vector<Choice<Scheme>> schemes_of(const Scheme& wanted, std::optional<KeyKind> kind) {
  const bool fits = !kind || can_make(*kind, wanted);
  const Scheme agreed = fits ? wanted : usual_scheme(*kind).value_or(wanted);
  std::vector<Choice<Scheme>> out{{agreed, {}}};
  if (!fits) out.front().deviation = Deviation{misfit(*kind, wanted), describe(agreed)};
  const auto add = [&](Cause cause, const Scheme& scheme) {
    if (!kind || can_make(*kind, scheme)) out.push_back({scheme, Deviation{cause, describe(scheme)}});
  };
  const auto with = [&](auto change) {
    Scheme scheme = agreed;
    change(scheme);
    return scheme;
  };
  const bool rsa = agreed.algorithm == Algorithm::rsa_pkcs1 || agreed.algorithm == Algorithm::rsa_pss;
  if (agreed.algorithm == Algorithm::ecdsa || agreed.algorithm == Algorithm::sm2) {
    add(Cause::signature_is_der_where_raw_expected, with([](Scheme& s) { s.der = !s.der; }));
  }
  if (agreed.algorithm == Algorithm::rsa_pss)
    add(Cause::signature_pss_salt_differs, with([](Scheme& s) { s.any_salt = true; }));
  if (rsa) {
    add(Cause::signature_padding_differs, with([](Scheme& s) {
          s.any_salt = s.algorithm == Algorithm::rsa_pkcs1;
          s.algorithm = s.any_salt ? Algorithm::rsa_pss : Algorithm::rsa_pkcs1;
        }));
  }
  if (rsa || agreed.algorithm == Algorithm::ecdsa || agreed.algorithm == Algorithm::hmac) {
    for (const Hash hash : {Hash::sha1, Hash::sha256, Hash::sha384, Hash::sha512, Hash::sha224, Hash::md5}) {
      if (hash == agreed.hash) continue;
      add(Cause::signature_hash_differs, with([&](Scheme& s) {
            if (s.prehash_hash == s.hash) s.prehash_hash = hash;
            s.hash = hash;
            s.salt_bytes.reset();
          }));
      if (rsa) {
        add(Cause::signature_hash_differs, with([&](Scheme& s) {
              s.hash = hash;
              s.any_salt = s.algorithm == Algorithm::rsa_pkcs1;
              s.algorithm = s.any_salt ? Algorithm::rsa_pss : Algorithm::rsa_pkcs1;
            }));
      }
    }
  }
  if (agreed.algorithm == Algorithm::eddsa)
    add(Cause::signature_is_over_a_hash, with([](Scheme& s) { s.algorithm = Algorithm::ed25519ph; }));
  if (agreed.algorithm == Algorithm::sm2) {
    for (const char* const id : {"1234567812345678", "", "ALICE123@YAHOO.COM"}) {
      if (agreed.user_id == id) continue;
      add(Cause::signature_user_id_differs, with([&](Scheme& s) { s.user_id = id; }));
      out.back().deviation->what = "with the user id `" + std::string(id) + "`";
    }
  }
  std::vector<Hash> prehashes{agreed.hash == Hash::none ? Hash::sha512 : agreed.hash};
  if (prehashes.front() != Hash::sha256) prehashes.push_back(Hash::sha256);
  if (agreed.prehash != Prehash::none)
    add(Cause::signature_is_over_hex_digest, with([](Scheme& s) { s.prehash = Prehash::none; }));
  for (const Prehash prehash : {Prehash::digest, Prehash::hex_digest, Prehash::upper_hex_digest}) {
    for (const Hash hash : prehashes) {
      if (prehash == agreed.prehash && hash == agreed.prehash_hash) continue;
      const Cause cause =
          prehash == Prehash::digest ? Cause::signature_is_over_a_hash : Cause::signature_is_over_hex_digest;
      add(cause, with([&](Scheme& s) {
            s.prehash = prehash;
            s.prehash_hash = hash;
          }));
    }
  }
  return out;
}

std::string scheme_words(const Scheme& scheme, const Deviation& deviation) {
  return deviation.cause == Cause::signature_user_id_differs ? deviation.what : "as " + describe(scheme);
}

// Which length the salt of a PSS signature really has, for the words and the command of the answer.
void pin_salt(Fit& fit) {
  if (!fit.scheme.any_salt) return;
  const auto most =
      static_cast<std::uint32_t>(fit.key->verifier.signature_bytes() - crypto::size_of(fit.scheme.hash) - 2);
  Scheme exact = fit.scheme;
  exact.any_salt = false;
  for (const std::uint32_t salt : {0u, 20u, 28u, 32u, 48u, 64u, most, most - 1}) {
    exact.salt_bytes = salt;
    if (!is_good(fit.key->verifier, exact, base::as_bytes(fit.base), fit.signature)) continue;
    fit.scheme = exact;
    return;
  }
}

class Search {
 public:
  Search(const Specimen& specimen, const KeyRing& ring, const TrialKey* agreed, Steps& steps)
      : specimen_(specimen), ring_(ring), steps_(steps) {
    texts_ = texts_of(specimen, agreed);
    if (specimen.scheme.algorithm == Algorithm::hmac) {
      for (std::size_t i = 0; i < ring.secrets.size(); ++i) {
        signers_.push_back({{nullptr, i}, {}});
        if (i > 0)
          signers_.back().deviation = Deviation{Cause::signature_secret_is_read_otherwise,
                                                "with the secret read as " + ring.secret_readings[i]};
      }
    } else {
      if (agreed != nullptr) signers_.push_back({{agreed, 0}, {}});
      for (const TrialKey& key : ring.keys) {
        if (&key == agreed) continue;
        const Cause cause = key.own ? Cause::own_key_given_in_place_of_partners : Cause::signature_serial_is_unknown;
        signers_.push_back({{&key, 0}, Deviation{cause, "made with the " + key.describe()}});
      }
    }
    bases_.push_back({nullptr, {}});
    for (const BaseVariant& one : specimen.variants) bases_.push_back({&one, Deviation{one.cause, one.what}});
  }

  std::optional<Fit> run();

 private:
  // Which axes a pass walks along; of the others it takes what was agreed.
  struct Axes {
    bool texts = false, schemes = false, bases = false, signers = false;
  };
  std::optional<Fit> walk(Axes axes);
  std::optional<Fit> attempt(const Choice<Signer>& signer, const Choice<Bytes>& text, const Choice<Scheme>& scheme,
                             const BaseChoice& base);

  template <typename T>
  static std::span<const Choice<T>> range(const std::vector<Choice<T>>& axis, bool others) {
    const auto agreed =
        static_cast<std::size_t>(std::ranges::count_if(axis, [](const Choice<T>& one) { return !one.deviation; }));
    return others ? std::span(axis).subspan(agreed) : std::span(axis).first(agreed);
  }

  const Specimen& specimen_;
  const KeyRing& ring_;
  Steps& steps_;
  std::vector<Choice<Signer>> signers_;
  std::vector<Choice<Bytes>> texts_;
  std::vector<BaseChoice> bases_;
};

std::optional<Fit> Search::attempt(const Choice<Signer>& signer, const Choice<Bytes>& text,
                                   const Choice<Scheme>& scheme, const BaseChoice& base) {
  Fit fit;
  fit.key = signer.value.key;
  fit.secret = signer.value.secret;
  fit.signature = text.value;
  fit.scheme = base.value != nullptr && base.value->scheme ? *base.value->scheme : scheme.value;
  fit.base = base.value != nullptr ? base.value->bytes : specimen_.base;
  const auto bytes = base::as_bytes(fit.base);
  const bool good = fit.key != nullptr ? is_good(fit.key->verifier, fit.scheme, bytes, fit.signature)
                                       : is_good_mac(ring_.secrets[fit.secret], fit.scheme, bytes, fit.signature);
  if (!good) return std::nullopt;
  pin_salt(fit);
  for (const auto* deviation : {&signer.deviation, &base.deviation, &scheme.deviation, &text.deviation}) {
    if (*deviation) fit.deviations.push_back(**deviation);
  }
  if (scheme.deviation)
    fit.deviations[fit.deviations.size() - (text.deviation ? 2 : 1)].what = scheme_words(fit.scheme, *scheme.deviation);
  return fit;
}

std::optional<Fit> Search::walk(Axes axes) {
  for (const auto& signer : range(signers_, axes.signers)) {
    std::optional<KeyKind> kind;
    if (signer.value.key != nullptr) kind = signer.value.key->verifier.kind();
    const std::vector<Choice<Scheme>> schemes = schemes_of(specimen_.scheme, kind);
    for (const auto& base : range(bases_, axes.bases)) {
      for (const auto& scheme : range(schemes, axes.schemes)) {
        if (base.value != nullptr && base.value->scheme && scheme.deviation) continue;  // it brings its own
        for (const auto& text : range(texts_, axes.texts)) {
          if (!steps_.take()) return std::nullopt;
          if (auto fit = attempt(signer, text, scheme, base)) return fit;
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<Fit> Search::run() {
  // One deviation before two, and the more likely pairs first.
  constexpr Axes passes[] = {{},
                             {.texts = true},
                             {.bases = true},  // an older protocol is more than its hash
                             {.schemes = true},
                             {.signers = true},
                             {.texts = true, .schemes = true},
                             {.texts = true, .signers = true},
                             {.schemes = true, .signers = true},
                             {.texts = true, .bases = true},
                             {.bases = true, .signers = true},
                             {.schemes = true, .bases = true}};
  for (const Axes& axes : passes) {
    if (auto fit = walk(axes)) return fit;
    if (steps_.exhausted()) break;
  }
  return std::nullopt;
}

}  // namespace

Cause misfit(KeyKind kind, const Scheme& scheme) {
  const bool mixed = (kind == KeyKind::sm2 && scheme.algorithm == Algorithm::ecdsa) ||
                     (kind == KeyKind::ec && scheme.algorithm == Algorithm::sm2);
  return mixed ? Cause::sm2_and_ecdsa_are_mixed : Cause::signature_algorithm_does_not_fit_key;
}

bool Steps::take() {
  if (left_ == 0 || (may_go_on_ && !may_go_on_())) {
    exhausted_ = true;
    return false;
  }
  --left_;
  ++taken_;
  return true;
}

std::optional<Bytes> agreed_octets(const Specimen& specimen, const std::string& signature) {
  switch (specimen.text) {
    case SignatureText::octets: return base::to_bytes(base::as_bytes(signature));
    case SignatureText::base64: return base::parse_base64(signature);
    case SignatureText::base64url: return base::parse_base64url(signature);
    case SignatureText::hex: return base::parse_hex(signature);
  }
  return std::nullopt;
}

std::optional<Fit> search(const Specimen& specimen, const KeyRing& ring, const TrialKey* agreed, Steps& steps) {
  return Search(specimen, ring, agreed, steps).run();
}

}  // namespace trial
