// Where the doctor meets the gate: findings become JSON, canonical material becomes facts, secrets become nothing.

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "gate/import_body.h"
#include "gate/import_finding.h"
#include "intake/certificate.h"
#include "intake/der.h"
#include "intake/doctor.h"
#include "wire/json_writer.h"

namespace gate {

namespace {

struct AlgorithmName {
  std::string_view algorithm;
  std::string_view curve;
  model::KeyAlgorithm known;
};
constexpr AlgorithmName algorithm_names[] = {
    {"RSA", "", model::KeyAlgorithm::rsa},           {"RSA-PSS", "", model::KeyAlgorithm::rsa_pss},
    {"EC", "P-256", model::KeyAlgorithm::ec_p256},   {"EC", "P-384", model::KeyAlgorithm::ec_p384},
    {"EC", "P-521", model::KeyAlgorithm::ec_p521},   {"EC", "secp256k1", model::KeyAlgorithm::ec_secp256k1},
    {"SM2", "", model::KeyAlgorithm::sm2},           {"Ed25519", "", model::KeyAlgorithm::ed25519},
    {"Ed448", "", model::KeyAlgorithm::ed448},       {"X25519", "", model::KeyAlgorithm::x25519},
    {"X448", "", model::KeyAlgorithm::x448},
};

std::optional<model::KeyAlgorithm> algorithm_of(const intake::Item& item) {
  for (const AlgorithmName& one : algorithm_names) {
    if (one.algorithm == item.algorithm && (one.curve.empty() || one.curve == item.curve)) return one.known;
  }
  return std::nullopt;
}

// A secret is one wherever it stands, also beside a good public key.
bool holds_secret(const intake::Report& report) {
  const auto grave = [](const intake::Finding& finding) { return finding.severity == intake::Severity::incident; };
  const auto secret = [](const intake::Item& item) { return intake::is_secret(item.kind); };
  return report.is_private || std::ranges::any_of(report.findings, grave) || std::ranges::any_of(report.items, secret);
}

void write_finding(wire::JsonWriter& json, const intake::Finding& finding, bool with_evidence) {
  json.begin_object();
  json.member("code", finding.code());
  json.member("severity", intake::name_of(finding.severity));
  if (finding.place.known()) {
    json.key("place");
    json.begin_object();
    json.member("begin", std::uint64_t{finding.place.begin});
    json.member("end", std::uint64_t{finding.place.end});
    if (finding.place.line != 0) {
      json.member("line", std::uint64_t{finding.place.line});
      json.member("column", std::uint64_t{finding.place.column});
    }
    json.end_object();
  }
  if (with_evidence && !finding.evidence.empty()) json.member("evidence", bounded(finding.evidence, finding_text_bytes_max));
  json.key("remedy");
  json.begin_object();
  json.member("en", finding.remedy_en());
  json.member("zh", finding.remedy_zh());
  json.end_object();
  // A diff that is cut says something else; whoever wants a long one asks `holdfast import`.
  if (with_evidence && !finding.repair.empty() && finding.repair.size() <= finding_text_bytes_max) json.member("repair", std::string_view(finding.repair));
  json.end_object();
}

base::Digest digest_of_hex(std::string_view hex) {
  base::Digest digest{};
  const auto bytes = base::parse_hex(hex);
  if (bytes && bytes->size() == digest.size()) std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

// The certificate that a key was taken out of; null if it came by itself.
const intake::Item* certificate_of(const intake::Report& report, const intake::Item& key) {
  const auto same = [&key](const intake::Item& item) { return item.kind == intake::Kind::certificate && item.spki == key.spki; };
  const auto found = std::ranges::find_if(report.items, same);
  return found == report.items.end() ? nullptr : &*found;
}

// Before 1970 is not told apart from 1970.
base::Instant instant_of(std::int64_t seconds) {
  constexpr std::int64_t most = INT64_MAX / 1'000'000'000;
  return base::Instant{std::clamp<std::int64_t>(seconds, 0, most) * 1'000'000'000};
}

void add_certificate(model::KeyFacts& facts, const intake::Item& certificate) {
  facts.form = model::KeyForm::certificate;
  facts.fingerprint = digest_of_hex(certificate.fingerprint_sha256);
  const auto element = intake::DerCursor(certificate.canonical).next();
  std::size_t fault = 0;
  const auto parts = element ? intake::read_certificate(*element, fault) : std::nullopt;
  if (!parts) return;
  facts.not_before = instant_of(parts->not_before_s);
  facts.not_after = instant_of(parts->not_after_s);
}

// What a later check of revocation needs: the certificate itself and whoever may have issued it.
std::string kept_certificates(const intake::Report& report, const intake::Item& leaf) {
  const auto pem_of = [](const intake::Item& item) { return intake::to_pem("CERTIFICATE", item.canonical); };
  std::string kept(pem_of(leaf));
  for (const intake::Item& item : report.items) {
    if (item.kind != intake::Kind::certificate || item.canonical == leaf.canonical) continue;
    const intake::Text pem = pem_of(item);
    if (kept.size() + pem.size() <= kept_certificates_bytes_max) kept += pem;
  }
  return kept.size() <= kept_certificates_bytes_max ? kept : std::string();
}

// Nothing if the registry has no use for a key of its kind.
std::optional<model::KeyFacts> facts_of(const intake::Report& report) {
  const intake::Item& item = *report.item();
  const auto algorithm = algorithm_of(item);
  if (!algorithm || item.spki.empty() || item.spki.size() > model::spki_bytes_max) return std::nullopt;
  model::KeyFacts facts;
  facts.spki = base::to_bytes(item.spki);
  facts.algorithm = *algorithm;
  facts.bits = static_cast<std::uint16_t>(std::min<unsigned>(item.bits, UINT16_MAX));
  facts.pin = crypto::sha256(facts.spki);
  facts.fingerprint = facts.pin;
  const auto thumbprint = base::parse_base64url(item.thumbprint);
  if (thumbprint && thumbprint->size() == facts.pin.size()) std::copy(thumbprint->begin(), thumbprint->end(), facts.thumbprint.emplace().begin());
  if (const intake::Item* certificate = certificate_of(report, item)) add_certificate(facts, *certificate);
  return facts;
}

}  // namespace

std::string_view bounded(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string findings_json(std::span<const intake::Finding> findings, bool with_evidence) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_array();
  for (const intake::Finding& finding : findings.first(std::min(findings.size(), findings_told_max))) write_finding(json, finding, with_evidence);
  json.end_array();
  return out;
}

Examined examine_material(base::ByteView material, model::KeyPurpose purpose, base::Instant now) {
  intake::Expectations expected;
  expected.kind = purpose == model::KeyPurpose::tls_peer ? intake::Kind::certificate : intake::Kind::public_key;
  if (now.ns != 0) expected.now = now;
  // Nothing that is encrypted is opened here, so nothing is derived from passwords on this thread.
  expected.policy.derivation_rounds_max = 0;
  expected.policy.derivation_memory_max = 0;
  intake::Report report = intake::examine(material, expected);
  // A key may come in its certificate: nothing is wrong with that here.
  std::erase_if(report.findings, [](const intake::Finding& finding) { return finding.cause == intake::Cause::certificate_given_where_key_expected; });
  const bool secret = holds_secret(report);
  Examined examined;
  std::size_t causes = 0;
  for (const intake::Finding& finding : report.findings) {
    if (causes < examined.causes.size()) examined.causes[causes++] = static_cast<std::uint16_t>(finding.cause);
  }
  examined.findings = findings_json(report.findings, !secret);
  if (secret) {
    examined.verdict = model::ImportVerdict::secret_sent;
    return examined;
  }
  if (!report.usable) return examined;
  examined.facts = facts_of(report);
  if (!examined.facts) return examined;
  examined.verdict = model::ImportVerdict::usable;
  const intake::Item* certificate = certificate_of(report, *report.item());
  examined.canonical = base::to_bytes(certificate != nullptr ? certificate->canonical : report.item()->spki);
  if (certificate != nullptr) examined.certificates = kept_certificates(report, *certificate);
  return examined;
}

}  // namespace gate
