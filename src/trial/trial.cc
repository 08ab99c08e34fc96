#include "trial/trial.h"

#include <algorithm>

#include "base/http_date.h"
#include "base/text.h"
#include "intake/diff.h"
#include "trial/mask.h"
#include "wire/http_message.h"

namespace trial {
namespace {

using base::Bytes;
using intake::Cause;
using intake::Finding;
using intake::Severity;

constexpr std::size_t shown_bytes_max = 8'192;

Specimen read(const Case& one, const KeyRing& ring) {
  switch (one.convention) {
    case Convention::http_signature: return read_http_signature(one, ring);
    case Convention::jws: return read_jws(one, ring);
    case Convention::detached: return read_detached(one, ring);
    case Convention::standard_webhook: return read_webhook(one, ring);
    case Convention::alipay: return read_alipay(one, ring);
    case Convention::wechat_pay: return read_wechat_pay(one, ring);
    case Convention::unionpay: return read_unionpay(one, ring);
  }
  return {};
}

std::string shown(Convention convention, const std::string& base) {
  return abridged(convention == Convention::jws ? mask_jws(base) : mask(base), shown_bytes_max);
}

// Line ends are what often differs: they are written out in front of themselves.
std::string with_line_ends(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\\n\n") : std::string(1, c);
  return out;
}

// --- which key -------------------------------------------------------------------------------------------------------

Naming naming_of(const Specimen& specimen, const TrialKey& key) {
  const Naming naming = compare_names(specimen.key_name, key);
  if (naming == Naming::different || !specimen.key_name_is_decimal || key.serial.empty()) return naming;
  const auto serial = base::parse_hex(key.serial.size() % 2 == 0 ? key.serial : "0" + key.serial);
  return serial && specimen.key_name == to_decimal(*serial) ? Naming::same : Naming::other_form;
}

// A kid says nothing about a certificate's serial number.
bool has_name(const Specimen& specimen, const TrialKey& key) {
  return !key.key_id.empty() || (specimen.key_name_is_serial && !key.serial.empty());
}

// The partner's key that the message names, else the first that could have made the signature, else the first.
const TrialKey* agreed_key(const Specimen& specimen, const KeyRing& ring) {
  const TrialKey* fitting = nullptr;
  const TrialKey* first = nullptr;
  for (const TrialKey& key : ring.keys) {
    if (key.own) continue;
    if (!specimen.key_name.empty() && naming_of(specimen, key) != Naming::different) return &key;
    if (first == nullptr) first = &key;
    if (fitting == nullptr && can_make(key.verifier.kind(), specimen.scheme)) fitting = &key;
  }
  return fitting != nullptr ? fitting : first;
}

void judge_key_name(const Specimen& specimen, const TrialKey* key, intake::Notes& notes) {
  if (key == nullptr || specimen.key_name.empty() || !has_name(specimen, *key)) return;
  const std::string pair = "the message names `" + specimen.key_name + "`; given is the " + key->describe();
  switch (naming_of(specimen, *key)) {
    case Naming::same: break;
    case Naming::other_form: notes.add(Cause::signature_serial_form_differs, {}, pair); break;
    case Naming::different: notes.add(Cause::signature_serial_is_unknown, {}, pair); break;
  }
}

void judge_mix_up(const KeyRing& ring, intake::Notes& notes) {
  for (const TrialKey& key : ring.keys) {
    const bool twice = !key.own && std::ranges::any_of(ring.keys, [&](const TrialKey& other) {
      return other.own && other.verifier.spki() == key.verifier.spki();
    });
    if (twice)
      notes.add(Cause::own_key_given_in_place_of_partners, {}, "key and own_key are the same: " + key.describe());
  }
}

void judge_algorithm(const Specimen& specimen, const TrialKey* key, intake::Notes& notes) {
  if (key == nullptr || can_make(key->verifier.kind(), specimen.scheme)) return;
  notes.add(misfit(key->verifier.kind(), specimen.scheme), {},
            describe(specimen.scheme) + " cannot be made with the " + key->describe());
}

// --- when, and with what ---------------------------------------------------------------------------------------------

void judge_time(const Case& one, const Specimen& specimen, intake::Notes& notes) {
  if (!one.received_at) return;
  for (const Stamp& stamp : specimen.stamps) {
    const std::int64_t offset = stamp.at ? (*stamp.at - *one.received_at).ns : 0;
    if (stamp.judged && (offset > one.window.ns || -offset > one.window.ns)) {
      notes.add(Cause::signature_time_is_outside_window, {},
                stamp.name + " lies " + std::to_string(std::abs(offset) / 1'000'000'000) + " s " +
                    (offset > 0 ? "after" : "before") + " received_at; the window is " +
                    std::to_string(one.window.ns / 1'000'000'000) + " s");
    }
    if (stamp.name == "expires" && offset < 0)
      notes.add(Cause::signature_time_is_outside_window, {}, "expires lies before received_at");
  }
}

void judge_declared(const Declared& declared, Cause cause, intake::Notes& notes) {
  if (!declared.refused()) return;
  std::string accepted;
  for (const std::string& version : declared.accepted) accepted += (accepted.empty() ? "" : ", ") + version;
  notes.add(cause, {}, "declared is " + declared.version + ", accepted " + accepted);
}

void judge_case(const Case& one, const Specimen& specimen, intake::Notes& notes) {
  judge_time(one, specimen, notes);
  judge_declared(one.sdk, Cause::sdk_version_is_not_supported, notes);
  judge_declared(one.protocol, Cause::protocol_version_differs, notes);
  if (!specimen.nonce.empty() && std::ranges::find(one.seen_nonces, specimen.nonce) != one.seen_nonces.end())
    notes.add(Cause::signature_nonce_was_seen);
}

std::vector<ShownStamp> stamps_of(const Case& one, const Specimen& specimen) {
  std::vector<ShownStamp> out;
  const auto add = [&](const std::string& name, const std::string& text, std::optional<base::Instant> at, bool judged) {
    ShownStamp stamp{name, text, at, {}, judged};
    if (at && one.received_at) stamp.offset_seconds = (*at - *one.received_at).ns / 1'000'000'000;
    out.push_back(std::move(stamp));
  };
  for (const Stamp& stamp : specimen.stamps) add(stamp.name, stamp.text, stamp.at, stamp.judged);
  if (const auto date = one.message.header("date")) add("date", std::string(*date), base::parse_http_date(*date), false);
  return out;
}

// --- why not ---------------------------------------------------------------------------------------------------------

// No variant fits: what can still be said. A PKCS#1 signature shows which key made it and over which digest.
void explain(const Specimen& specimen, const KeyRing& ring, const TrialKey* agreed,
             const std::optional<Bytes>& signature, intake::Notes& notes) {
  if (!signature)
    return notes.add(Cause::signature_text_is_malformed, {},
                     "the signature has " + std::to_string(specimen.signature.size()) + " characters");
  if (agreed == nullptr) return notes.add(Cause::signature_cause_is_unknown);
  for (const TrialKey& key : ring.keys) {
    const auto opened = key.verifier.recover(*signature);
    if (!opened) continue;
    const std::string hash =
        opened->hash == crypto::chain::Hash::none
            ? "a bare value of " + std::to_string(opened->digest.size()) + " bytes"
            : "the " + std::string(crypto::name_of(opened->hash)) + " digest " + base::to_hex(opened->digest);
    if (opened->hash == crypto::chain::Hash::none)
      notes.add(Cause::signature_is_over_a_hash, {}, "no DigestInfo around it: " + hash);
    return notes.add(key.own ? Cause::own_key_given_in_place_of_partners : Cause::signature_is_over_other_bytes, {},
                     "the " + key.describe() + " signed " + hash);
  }
  const std::size_t wanted = agreed->verifier.signature_bytes();
  const bool der = (agreed->verifier.kind() == crypto::chain::KeyKind::ec ||
                    agreed->verifier.kind() == crypto::chain::KeyKind::sm2) &&
                   !signature->empty() && crypto::signature_der_to_raw(*signature, wanted / 2).has_value();
  if (signature->size() != wanted && !der) {
    return notes.add(Cause::signature_length_does_not_fit_key, {},
                     "the signature has " + std::to_string(signature->size()) + " bytes, the " + agreed->describe() +
                         " makes " + std::to_string(wanted));
  }
  // PKCS#1 was agreed, and no key opens it: it is another's.
  notes.add(specimen.scheme.algorithm == Algorithm::rsa_pkcs1 ? Cause::signature_key_is_another
                                                              : Cause::signature_cause_is_unknown);
}

void tell_fit(const Case& one, const Specimen& specimen, const Fit& fit, Answer& answer, intake::Notes& notes) {
  for (const Deviation& deviation : fit.deviations) {
    notes.add_as(Severity::error, deviation.cause, {}, "the signature fits " + deviation.what);
    answer.deviations.push_back(deviation.what);
  }
  if (fit.base != specimen.base)
    answer.difference = intake::line_diff(with_line_ends(shown(one.convention, specimen.base)),
                                          with_line_ends(shown(one.convention, fit.base)));
  if (fit.key == nullptr) return;
  const Bytes raw =
      fit.scheme.der
          ? crypto::signature_der_to_raw(fit.signature, fit.key->verifier.signature_bytes() / 2).value_or(Bytes{})
          : fit.signature;
  const bool bitcoin_curve = fit.key->verifier.description().find("secp256k1") != std::string::npos;
  if (bitcoin_curve && fit.key->verifier.has_high_s(raw)) notes.add(Cause::signature_s_is_high);
}

void sort_findings(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
}

}  // namespace

const Finding* Answer::cause() const { return verified || findings.empty() ? nullptr : &findings.front(); }

Answer try_case(const Case& one, Steps& steps) {
  Answer answer;
  answer.id = one.id;
  answer.convention = one.convention;
  KeyRing ring = read_keys(one);
  intake::Notes notes;
  const auto finish = [&] {
    for (const Finding& finding : ring.notes.all())
      notes.add_as(finding.severity, finding.cause, finding.place, finding.evidence);
    answer.findings = std::move(notes.all());
    sort_findings(answer.findings);
    const bool wrong = !answer.findings.empty() && answer.findings.front().severity >= Severity::error;
    answer.verified = answer.signature_is_good && !wrong;
  };
  const bool partner_has_key = std::ranges::any_of(ring.keys, [](const TrialKey& key) { return !key.own; });
  if (ring.notes.at_least(Severity::incident) || (!partner_has_key && ring.secrets.empty())) {
    if (!ring.notes.at_least(Severity::error))
      notes.add(Cause::content_is_not_recognised, {}, "no key could be read out of /key");
    finish();
    return answer;
  }
  judge_mix_up(ring, notes);
  const Specimen specimen = read(one, ring);
  for (const Finding& finding : specimen.notes.all())
    notes.add_as(finding.severity, finding.cause, finding.place, finding.evidence);
  answer.stamps = stamps_of(one, specimen);
  if (specimen.hopeless) {
    finish();
    return answer;
  }
  const bool mac = specimen.scheme.algorithm == Algorithm::hmac;
  const TrialKey* const agreed = mac ? nullptr : agreed_key(specimen, ring);
  answer.scheme = describe(specimen.scheme);
  answer.base_shown = shown(one.convention, specimen.base);
  if (agreed != nullptr) {
    answer.key = agreed->describe();
    answer.thumbprint = agreed->thumbprint;
    answer.fingerprint = agreed->fingerprint;
  } else if (mac && !ring.secrets.empty()) {
    answer.key = "shared secret, read as " + ring.secret_readings.front();
  }
  const auto fit = search(specimen, ring, agreed, steps);
  answer.variants_tried = steps.taken();
  answer.signature_is_good = fit.has_value() && fit->deviations.empty();
  const std::optional<Bytes> octets = agreed_octets(specimen, specimen.signature);
  if (fit) {
    tell_fit(one, specimen, *fit, answer, notes);
    answer.reproduction = reproduction_of(fit->scheme, fit->key, fit->base, fit->signature);
  } else {
    judge_algorithm(specimen, agreed, notes);
    explain(specimen, ring, agreed, octets, notes);
    if (steps.exhausted())
      notes.add(Cause::signature_search_was_cut_short, {}, "after " + std::to_string(steps.taken()) + " variants");
    if (octets) answer.reproduction = reproduction_of(specimen.scheme, agreed, specimen.base, *octets);
  }
  judge_key_name(specimen, agreed, notes);
  judge_case(one, specimen, notes);
  finish();
  return answer;
}

}  // namespace trial
