// Whole paths: what is accepted, what is refused, for which reason and for which certificate.
#include "crypto/chain/verify.h"

#include <map>

#include "base/instant.h"
#include "crypto/chain/maker_for_tests.h"

#include <doctest/doctest.h>

namespace {

using namespace crypto::chain;
using namespace crypto::chain::making;

std::int64_t at(std::string_view text) {
  const auto instant = base::parse_rfc3339(text);
  REQUIRE(instant);
  return instant->ns / 1'000'000'000;
}

// Keys are drawn once for all tests.
const Key& key(int n) {
  static std::map<int, Key> keys;
  return keys.try_emplace(n, Key::ec()).first->second;
}

struct World {
  Spec root = root_spec(key(0));
  Spec ica = intermediate_spec(key(1), root);
  Spec leaf = leaf_spec(key(2), ica);
  std::vector<Spec> more_intermediates, more_anchors;
  bool send_ica = true, pin_leaf = false;
  std::vector<base::Bytes> lists, responses;
  Demands demands;

  explicit World(Profile profile) {
    demands.profile = profile;
    demands.now_s = at("2026-01-05T00:00:00Z");
    demands.names = {{Form::dns, "example.com"}};
    demands.purposes = {base::to_bytes(oid::server_auth.view())};
  }
  Verdict run() {
    SignatureChecker checker;
    std::vector<Certificate> intermediates, anchors;
    if (send_ica) intermediates.push_back(certificate(ica));
    for (const Spec& spec : more_intermediates) intermediates.push_back(certificate(spec));
    anchors.push_back(certificate(root));
    for (const Spec& spec : more_anchors) anchors.push_back(certificate(spec));
    const Certificate end = certificate(leaf);
    if (pin_leaf) {
      auto pinned = read_certificate(end.der);
      REQUIRE(pinned.ok());
      anchors.push_back(std::move(*pinned));
    }
    std::vector<RevocationList> read_lists;
    for (const base::Bytes& der : lists) {
      auto list = read_revocation_list(der);
      REQUIRE(list.ok());
      read_lists.push_back(std::move(*list));
    }
    std::vector<OcspResponse> read_responses;
    for (const base::Bytes& der : responses) {
      auto response = read_ocsp_response(der);
      REQUIRE(response.ok());
      read_responses.push_back(std::move(*response));
    }
    return verify({end, intermediates, anchors, read_lists, read_responses}, demands, checker);
  }
};

std::string code(const Verdict& verdict) { return verdict.refusal ? std::string(verdict.refusal->code()) : "accepted"; }
bool found(const Verdict& verdict, Reason reason) {
  return std::any_of(verdict.findings.begin(), verdict.findings.end(), [&](const Finding& finding) { return finding.reason == reason; });
}

const Bytes any_purpose = id(oid::any_usage);
constexpr Profile webpki = Profile::webpki, rfc5280 = Profile::rfc5280, private_use = Profile::private_use;
const std::vector<Profile> everywhere{webpki, rfc5280, private_use}, strict{webpki, rfc5280}, browsers{webpki}, plain{rfc5280};

struct Case {
  const char* what;
  std::vector<Profile> refused_by;
  Reason reason;
  Role role;
  std::function<void(World&)> spoil;
};

const Oid unknown_extension{"1.3.6.1.4.1.55555.1"};

// Each is refused by the profiles named and accepted by the others.
std::vector<Case> cases() {
  return {
      // Common names and alternative names.
      {"the name stands in the common name only", everywhere, Reason::certificate_has_common_name_only, Role::leaf, [](World& w) { w.leaf.without(oid::subject_alt_name); }},
      {"neither name nor common name", everywhere, Reason::alternative_names_are_missing, Role::leaf, [](World& w) { w.leaf.without(oid::subject_alt_name); w.leaf.subject = name("other.example"); }},
      {"common name is another host", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("other.example.com"); }},
      {"common name in other letters", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("Example.COM"); }},
      {"common name in Unicode", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("\xE6\xB8\xAC.com"); }},
      {"common name is a hexadecimal address", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("0xC0A80101"); w.leaf.names({dns("example.com"), address({192, 168, 1, 1})}); }},
      {"common name is an address with leading zeros", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("192.168.001.001"); }},
      {"common name is an address in capitals", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("2001:DB8::1"); w.leaf.names({dns("example.com"), address({0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})}); }},
      {"common name is an address at full length", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("2001:db8:0:0:0:0:0:1"); w.leaf.names({dns("example.com"), address({0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})}); }},
      {"common name is another A-label", browsers, Reason::common_name_not_in_alternative_names, Role::leaf, [](World& w) { w.leaf.subject = name("xn--nxasmq6b.com"); }},
      {"another name", everywhere, Reason::certificate_name_differs, Role::leaf, [](World& w) { w.demands.names = {{Form::dns, "example.org"}}; }},
      {"an address as a DNS name", everywhere, Reason::certificate_has_address_as_dns_name, Role::leaf, [](World& w) { w.leaf.names({dns("example.com"), dns("8.8.8.8")}); }},
      {"a wildcard two labels up", everywhere, Reason::certificate_wildcard_does_not_cover, Role::leaf, [](World& w) { w.leaf.subject = name(""); w.leaf.names({dns("*.example.com")}, true); w.demands.names = {{Form::dns, "a.b.example.com"}}; }},
      {"a wildcard inside of a label", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("ex*.example.com"), dns("example.com")}); }},
      {"a wildcard that is not leftmost", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("foo.*.example.com"), dns("example.com")}); }},
      {"a wildcard alone", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("*")}); }},
      {"a wildcard over a top-level domain", everywhere, Reason::certificate_wildcard_does_not_cover, Role::leaf, [](World& w) { w.leaf.names({dns("*.com")}); w.leaf.subject = name("*.com"); }},
      {"a wildcard over a public suffix of two labels", browsers, Reason::wildcard_covers_public_suffix, Role::leaf, [](World& w) { w.leaf.names({dns("*.co.uk")}); w.leaf.subject = name("*.co.uk"); w.demands.names = {{Form::dns, "example.co.uk"}}; }},
      {"a wildcard over a private registry", browsers, Reason::wildcard_covers_public_suffix, Role::leaf, [](World& w) { w.leaf.names({dns("*.s3.amazonaws.com")}); w.leaf.subject = name("*.s3.amazonaws.com"); w.demands.names = {{Form::dns, "a.s3.amazonaws.com"}}; }},
      {"names marked critical beside a subject", browsers, Reason::certificate_criticality_is_wrong, Role::leaf, [](World& w) { w.leaf.names({dns("example.com")}, true); }},
      {"names not marked critical without a subject", strict, Reason::certificate_criticality_is_wrong, Role::leaf, [](World& w) { w.leaf.subject = name(""); }},
      {"an underscore in a host name", strict, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("example.com"), dns("foo_bar.example.com")}); }},
      {"a name with a leading period", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("example.com"), dns(".example.com")}); }},
      {"a name in UTF-8", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("example.com"), dns("\xF0\x9F\x98\x9C.example.com")}); }},
      {"an address with a mask", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("example.com"), address({192, 0, 2, 0, 255, 255, 255, 0})}); }},
      {"a mailbox with two at signs", everywhere, Reason::alternative_name_is_malformed, Role::leaf, [](World& w) { w.leaf.names({dns("example.com"), email("a@b@example.com")}); }},
      {"names that are not DER", everywhere, Reason::certificate_extension_is_malformed, Role::leaf, [](World& w) { w.leaf.with(oid::subject_alt_name, false, raw("example.com")); }},
      // Name constraints.
      {"constraints not critical", plain, Reason::certificate_criticality_is_wrong, Role::intermediate, [](World& w) { w.ica.constraints({dns("example.com")}, {}, false); }},
      {"a constraint with a leading period", strict, Reason::name_constraints_are_malformed, Role::intermediate, [](World& w) { w.ica.constraints({dns(".com"), dns("example.com")}, {}); }},
      {"a constraint with a wildcard", everywhere, Reason::name_constraints_are_malformed, Role::intermediate, [](World& w) { w.ica.constraints({dns("*.example.com"), dns("example.com")}, {}); }},
      {"an address constraint without a mask", everywhere, Reason::name_constraints_are_malformed, Role::intermediate, [](World& w) { w.ica.constraints({address({127, 0, 0, 1})}, {}); }},
      {"an address constraint with holes in its mask", everywhere, Reason::name_constraints_are_malformed, Role::intermediate, [](World& w) { w.ica.constraints({address({127, 0, 0, 1, 255, 0, 255, 0})}, {}); }},
      {"a mail constraint with two at signs", everywhere, Reason::name_constraints_are_malformed, Role::intermediate, [](World& w) { w.ica.constraints({email("a@b@example.com")}, {}); }},
      {"constraints in a leaf", strict, Reason::name_constraints_in_leaf, Role::leaf, [](World& w) { w.leaf.constraints({dns("example.com")}, {}); }},
      {"constraints that are both absent", everywhere, Reason::name_constraints_are_empty, Role::intermediate, [](World& w) { w.ica.constraints({}, {}); }},
      {"constraints that are both empty", everywhere, Reason::name_constraints_are_empty, Role::intermediate, [](World& w) { w.ica.with(oid::name_constraints, true, sequence({tlv(tag::constructed(0), {}), tlv(tag::constructed(1), {})})); }},
      {"a constraint with a minimum", everywhere, Reason::certificate_extension_is_malformed, Role::intermediate, [](World& w) { w.ica.with(oid::name_constraints, true, sequence({tlv(tag::constructed(0), {sequence({dns("example.com"), tlv(tag::primitive(0), {Bytes{1}})})})})); }},
      {"an excluded host under a wildcard", everywhere, Reason::name_is_excluded, Role::leaf, [](World& w) { w.ica.constraints({dns("example.com")}, {dns("bar.example.com")}); w.leaf.names({dns("example.com"), dns("*.example.com")}); }},
      {"a wildcard wider than what is permitted", everywhere, Reason::name_is_not_permitted, Role::leaf, [](World& w) { w.ica.constraints({dns("foo.example.com"), dns("www.example.com")}, {}); w.leaf.subject = name("*.example.com"); w.leaf.names({dns("*.example.com")}); w.demands.names = {{Form::dns, "foo.example.com"}}; }},
      {"a name outside", everywhere, Reason::name_is_not_permitted, Role::leaf, [](World& w) { w.root.constraints({dns("example.org")}, {}); }},
      {"an excluded name", everywhere, Reason::name_is_excluded, Role::leaf, [](World& w) { w.root.constraints({}, {dns("example.com")}); }},
      {"an excluded address", everywhere, Reason::name_is_excluded, Role::leaf, [](World& w) { w.root.constraints({}, {address({192, 0, 2, 0, 255, 255, 255, 0})}); w.leaf.names({dns("example.com"), address({192, 0, 2, 7})}); }},
      {"a subject outside", everywhere, Reason::name_is_not_permitted, Role::intermediate, [](World& w) { w.root.constraints({directory("foo")}, {}); }},
      {"an excluded URI", everywhere, Reason::name_is_excluded, Role::leaf, [](World& w) { w.root.constraints({}, {uri(".example.com")}); w.leaf.names({dns("example.com"), uri("https://www.example.com/x")}); }},
      {"a constrained form that cannot be compared", everywhere, Reason::name_constraint_form_not_supported, Role::leaf, [](World& w) { w.root.constraints({}, {tlv(tag::primitive(8), {Bytes{0x2A, 3}})}); w.leaf.names({dns("example.com"), tlv(tag::primitive(8), {Bytes{0x2A, 3}})}); }},
      {"too many names against too many constraints", everywhere, Reason::name_constraints_are_too_many, Role::leaf,
       [](World& w) {
         std::vector<Bytes> trees, hosts{dns("example.com")};
         for (int i = 0; i < 600; ++i) {
           trees.push_back(dns("x" + std::to_string(i) + ".test"));
           hosts.push_back(dns("t" + std::to_string(i) + ".test"));
         }
         w.root.constraints({}, trees);
         w.leaf.names(hosts);
       }},
      // The shape of key identifiers.
      {"a root whose key identifier is not its own", browsers, Reason::root_key_id_is_wrong, Role::anchor, [](World& w) { w.root.with(oid::authority_key_id, false, sequence({tlv(tag::primitive(0), {key(9).identifier()})})); }},
      {"a root's key identifier without identifier", browsers, Reason::root_key_id_is_wrong, Role::anchor, [](World& w) { w.root.with(oid::authority_key_id, false, sequence({})); }},
      {"a root's key identifier with an issuer", browsers, Reason::root_key_id_is_wrong, Role::anchor, [](World& w) { w.root.with(oid::authority_key_id, false, sequence({tlv(tag::primitive(0), {key(0).identifier()}), tlv(tag::constructed(1), {directory("root")})})); }},
      {"a root's key identifier with a serial number", browsers, Reason::root_key_id_is_wrong, Role::anchor, [](World& w) { w.root.with(oid::authority_key_id, false, sequence({tlv(tag::primitive(0), {key(0).identifier()}), tlv(tag::primitive(2), {Bytes{1}})})); }},
      {"a critical authority key identifier", strict, Reason::certificate_criticality_is_wrong, Role::leaf, [](World& w) { w.leaf.with(oid::authority_key_id, true, sequence({tlv(tag::primitive(0), {key(1).identifier()})})); }},
      {"a critical subject key identifier", strict, Reason::certificate_criticality_is_wrong, Role::anchor, [](World& w) { w.root.with(oid::subject_key_id, true, octets(key(0).identifier())); }},
      {"a leaf without authority key identifier", strict, Reason::authority_key_id_is_missing, Role::leaf, [](World& w) { w.leaf.without(oid::authority_key_id); }},
      {"an intermediate without authority key identifier", strict, Reason::authority_key_id_is_missing, Role::intermediate, [](World& w) { w.ica.without(oid::authority_key_id); }},
      {"an authority without subject key identifier", strict, Reason::subject_key_id_is_missing, Role::intermediate, [](World& w) { w.ica.without(oid::subject_key_id); }},
      // Extended key usage.
      {"a leaf for any use", browsers, Reason::extended_usage_is_any, Role::leaf, [](World& w) { w.leaf.purposes({id(oid::server_auth), any_purpose}); }},
      {"critical extended usage", browsers, Reason::certificate_criticality_is_wrong, Role::leaf, [](World& w) { w.leaf.purposes({id(oid::server_auth)}, true); }},
      {"no extended usage", browsers, Reason::extended_usage_is_missing, Role::leaf, [](World& w) { w.leaf.without(oid::extended_key_usage); }},
      {"empty extended usage", everywhere, Reason::certificate_extension_is_malformed, Role::leaf, [](World& w) { w.leaf.purposes({}); }},
      {"extended usage in a root", browsers, Reason::root_has_extended_usage, Role::anchor, [](World& w) { w.root.purposes({id(oid::server_auth)}); }},
      {"a leaf for something else", everywhere, Reason::certificate_usage_does_not_fit, Role::leaf, [](World& w) { w.leaf.purposes({id(oid::client_auth)}); }},
      {"an intermediate for something else", everywhere, Reason::certificate_usage_does_not_fit, Role::intermediate, [](World& w) { w.ica.purposes({id(oid::client_auth)}); }},
      {"a key usage that lacks what is asked for", everywhere, Reason::certificate_usage_does_not_fit, Role::leaf, [](World& w) { w.demands.usage_bits = usage::key_encipherment; }},
      // Serial numbers, versions, algorithms.
      {"serial number zero", strict, Reason::certificate_serial_is_bad, Role::leaf, [](World& w) { w.leaf.serial = {0}; }},
      {"a negative serial number", strict, Reason::certificate_serial_is_bad, Role::leaf, [](World& w) { w.leaf.serial = {0x80}; }},
      {"a serial number of 21 bytes", strict, Reason::certificate_serial_is_bad, Role::leaf, [](World& w) { w.leaf.serial = Bytes(21, 1); }},
      {"version 1", browsers, Reason::certificate_is_version_1, Role::leaf, [](World& w) { w.leaf.version = 1; w.leaf.extensions.clear(); w.demands.names.clear(); w.demands.profile = w.demands.profile == rfc5280 ? private_use : w.demands.profile; }},
      {"an RSA key of odd size", browsers, Reason::rsa_size_is_not_multiple_of_8, Role::leaf, [](World& w) { static const Key odd = Key::rsa(2'052); w.leaf.key = odd; }},
      {"a small RSA key", everywhere, Reason::rsa_key_is_too_small, Role::leaf, [](World& w) { static const Key small_key = Key::rsa(1'024); w.leaf.key = small_key; }},
      {"a small curve", everywhere, Reason::ec_curve_is_not_supported, Role::leaf, [](World& w) { w.leaf.key = Key::ec("P-192"); }},
      {"a curve of wallets", browsers, Reason::ec_curve_is_not_supported, Role::leaf, [](World& w) { w.leaf.key = Key::ec("secp256k1"); }},
      {"SHA-1", everywhere, Reason::certificate_signature_is_weak, Role::leaf, [](World& w) { w.leaf.algorithm = sequence({id(oid::sha1_ecdsa)}); w.leaf.digest = EVP_sha1(); }},
      {"an algorithm that is not on the list", everywhere, Reason::signature_algorithm_not_allowed, Role::leaf, [](World& w) { w.demands.signature_algorithms = {"RSA_WITH_SHA256"}; }},
      // What a certificate may do.
      {"an authority in the place of the leaf", browsers, Reason::authority_given_where_leaf_expected, Role::leaf, [](World& w) { w.leaf.basic(true).usage_bits(usage::key_cert_sign | usage::digital_signature).with(oid::subject_key_id, false, octets(key(2).identifier())); }},
      {"a leaf that may sign certificates and is no authority", strict, Reason::basic_constraints_are_inconsistent, Role::leaf, [](World& w) { w.leaf.basic(false).usage_bits(usage::key_cert_sign | usage::digital_signature); }},
      {"an intermediate that is no authority", everywhere, Reason::certificate_is_no_authority, Role::intermediate, [](World& w) { w.ica.basic(false); }},
      {"an intermediate without basic constraints", everywhere, Reason::certificate_is_no_authority, Role::intermediate, [](World& w) { w.ica.without(oid::basic_constraints); }},
      {"a root without basic constraints", strict, Reason::certificate_is_no_authority, Role::anchor, [](World& w) { w.root.without(oid::basic_constraints); }},
      {"basic constraints not critical", strict, Reason::certificate_criticality_is_wrong, Role::anchor, [](World& w) { w.root.basic(true, std::nullopt, false); }},
      {"an authority that may not sign", everywhere, Reason::authority_may_not_sign_certificates, Role::intermediate, [](World& w) { w.ica.usage_bits(usage::digital_signature); }},
      {"a path that is too long", everywhere, Reason::path_length_exceeded, Role::anchor, [](World& w) { w.root.basic(true, std::uint8_t{0}); }},
      {"more intermediates than the case allows", everywhere, Reason::chain_is_too_deep, Role::whole_case, [](World& w) { w.demands.intermediates_max = 0; }},
      {"policy constraints not critical", strict, Reason::certificate_criticality_is_wrong, Role::intermediate, [](World& w) { w.ica.with(oid::policy_constraints, false, sequence({tlv(tag::primitive(0), {Bytes{3}})})); }},
      {"a policy that nobody names", everywhere, Reason::policy_is_not_satisfied, Role::intermediate, [](World& w) { w.demands.policy.explicit_policy = true; }},
      {"access information that is malformed", everywhere, Reason::certificate_extension_is_malformed, Role::leaf, [](World& w) { w.leaf.with(oid::authority_information_access, false, raw("malformed")); }},
      {"access information that is critical", strict, Reason::certificate_criticality_is_wrong, Role::leaf, [](World& w) { w.leaf.with(oid::authority_information_access, true, sequence({sequence({id(oid::access_ca_issuers), dns("example.com")})})); }},
      {"a critical extension that nobody knows", everywhere, Reason::certificate_extension_not_understood, Role::intermediate, [](World& w) { w.ica.with(unknown_extension, true, octets({})); }},
      {"an extension that stands there twice", everywhere, Reason::certificate_extension_repeats, Role::leaf, [](World& w) { w.leaf.extensions.push_back(w.leaf.extensions.back()); }},
      {"an empty issuer", everywhere, Reason::certificate_issuer_is_empty, Role::leaf, [](World& w) { w.leaf.issuer = name(""); }},
      // Time.
      {"an expired leaf", everywhere, Reason::certificate_is_expired, Role::leaf, [](World& w) { w.leaf.not_after = "20260104235959Z"; }},
      {"an expired intermediate", everywhere, Reason::certificate_is_expired, Role::intermediate, [](World& w) { w.ica.not_after = "20260104235959Z"; }},
      {"an expired root", everywhere, Reason::certificate_is_expired, Role::anchor, [](World& w) { w.root.not_after = "20260104235959Z"; }},
      {"a leaf of tomorrow", everywhere, Reason::certificate_is_not_yet_valid, Role::leaf, [](World& w) { w.leaf.not_before = "20260105000001Z"; }},
      // The path.
      {"a missing intermediate", everywhere, Reason::chain_misses_intermediate, Role::leaf, [](World& w) { w.send_ica = false; }},
      {"an untrusted root", everywhere, Reason::root_is_not_trusted, Role::intermediate, [](World& w) { w.more_intermediates = {w.root}; w.root = root_spec(key(8), "another root"); }},
      {"a leaf that signed itself", everywhere, Reason::certificate_is_self_signed, Role::leaf, [](World& w) { w.leaf.issuer = w.leaf.subject; w.leaf.signer = w.leaf.key; }},
      {"a signature of another key", everywhere, Reason::certificate_signature_is_invalid, Role::leaf, [](World& w) { w.leaf.signer = key(7); }},
  };
}

}  // namespace

TEST_CASE("a good path is accepted by every profile") {
  for (const Profile profile : everywhere) {
    World world(profile);
    const Verdict verdict = world.run();
    CHECK_EQ(code(verdict), "accepted");
    CHECK(verdict.accepted);
    REQUIRE_EQ(verdict.path.size(), 3);
    CHECK(verdict.path[2].role == Role::anchor);
    CHECK(verdict.findings.empty());
  }
}

TEST_CASE("each fault is refused by the profiles that forbid it, with its reason and its certificate, and by no other") {
  for (const Case& one : cases()) {
    for (const Profile profile : everywhere) {
      CAPTURE(one.what);
      CAPTURE(static_cast<int>(profile));
      World world(profile);
      one.spoil(world);
      const Verdict verdict = world.run();
      const bool refused = std::find(one.refused_by.begin(), one.refused_by.end(), profile) != one.refused_by.end();
      CHECK_EQ(verdict.accepted, !refused);
      CHECK_EQ(code(verdict), refused ? std::string(row_of(one.reason).code) : "accepted");
      if (refused && verdict.refusal) CHECK(verdict.refusal->role == one.role);
    }
  }
}

TEST_CASE("what a library wrongly refuses is accepted") {
  for (const Profile profile : everywhere) {
    CAPTURE(static_cast<int>(profile));
    SUBCASE("the last and the first second are inside of the validity") {
      World world(profile);
      world.leaf.not_before = "20260105000000Z";
      world.leaf.not_after = "20260105000000Z";
      CHECK_EQ(code(world.run()), "accepted");
    }
    SUBCASE("self-issued intermediates are not counted, neither for path lengths nor for the depth") {
      World world(profile);
      world.root.basic(true, std::uint8_t{1});
      world.ica = intermediate_spec(key(1), world.root);
      Spec rollover = intermediate_spec(key(5), world.ica);
      world.leaf = leaf_spec(key(2), rollover);
      world.more_intermediates = {rollover};
      world.demands.intermediates_max = 1;
      const Verdict verdict = world.run();
      CHECK_EQ(code(verdict), "accepted");
      CHECK_EQ(verdict.path.size(), 4);
    }
    SUBCASE("name constraints do not hold for self-issued intermediates") {
      World world(profile);
      world.root.constraints({dns("example.com")}, {});
      world.ica = intermediate_spec(key(1), world.root, "root");
      world.ica.names({dns("elsewhere.example")});
      world.leaf = leaf_spec(key(2), world.ica);
      CHECK_EQ(code(world.run()), "accepted");
    }
    SUBCASE("a path that name constraints close does not hide another one") {
      World world(profile);
      Spec closed = root_spec(key(3), "closed root");
      closed.constraints({}, {dns("example.com")});
      Spec twin = intermediate_spec(key(1), closed);
      world.more_anchors = {closed};
      world.more_intermediates = {twin};
      world.ica = twin;
      world.more_intermediates = {intermediate_spec(key(1), world.root)};
      CHECK_EQ(code(world.run()), "accepted");
    }
    SUBCASE("an issuer of lists without key usage is entitled") {
      World world(profile);
      world.ica.without(oid::key_usage);
      world.root.without(oid::key_usage);
      ListSpec list, above;
      list.signer = key(1);
      above.signer = key(0);
      above.issuer = name("root");
      world.lists = {list.der(), above.der()};
      world.demands.revocation = Revocation::hard;
      CHECK_EQ(code(world.run()), "accepted");
    }
  }
}

TEST_CASE("all paths are tried: an expired cross-signature is stepped over and told") {
  World world(webpki);
  Spec old_root = root_spec(key(4), "old root");
  Spec cross = intermediate_spec(key(0), old_root, "root");
  cross.not_after = "20200601000000Z";
  world.more_anchors = {old_root};
  world.more_intermediates = {cross};
  const Verdict verdict = world.run();
  CHECK(verdict.accepted);
  CHECK(found(verdict, Reason::chain_ends_in_expired_cross_signature));
}

TEST_CASE("order is repaired, roots and strangers in the bundle are told") {
  World world(webpki);
  Spec second = intermediate_spec(key(5), world.ica, "second");
  world.leaf = leaf_spec(key(2), second);
  world.more_intermediates = {second, world.root, root_spec(key(6), "stranger")};
  const Verdict verdict = world.run();
  CHECK(verdict.accepted);
  CHECK(found(verdict, Reason::chain_is_out_of_order));
  CHECK(found(verdict, Reason::chain_includes_root));
  CHECK(found(verdict, Reason::chain_has_unrelated_certificate));
}

TEST_CASE("a missing intermediate is named with its key and where it is said to be") {
  World world(webpki);
  world.send_ica = false;
  world.leaf.with(oid::authority_information_access, false, sequence({sequence({id(oid::access_ca_issuers), uri("http://ca.example/ica.cer")})}));
  const Verdict verdict = world.run();
  REQUIRE(verdict.missing);
  CHECK_EQ(verdict.missing->name, "CN=ica");
  CHECK_EQ(verdict.missing->key_id.size(), 40);
  REQUIRE_EQ(verdict.missing->addresses.size(), 1);
  CHECK_EQ(verdict.missing->addresses[0], "http://ca.example/ica.cer");
}

TEST_CASE("a pinned leaf is its own path, an intermediate may be an anchor") {
  World world(rfc5280);
  world.send_ica = false;
  world.pin_leaf = true;
  CHECK_EQ(world.run().path.size(), 1);
  CHECK(world.run().accepted);
  world.pin_leaf = false;
  world.root = world.ica;
  CHECK(world.run().accepted);
}

TEST_CASE("authorities that certify one another end the search") {
  World world(rfc5280);
  Spec a = intermediate_spec(key(5), root_spec(key(6), "b"), "a");
  Spec b = intermediate_spec(key(6), root_spec(key(5), "a"), "b");
  world.leaf = leaf_spec(key(2), a);
  world.more_intermediates = {a, b};
  CHECK_EQ(code(world.run()), "root_is_not_trusted");
}

TEST_CASE("a maze of authorities exhausts the search and not the machine") {
  World world(rfc5280);
  std::vector<Key> keys;
  for (int i = 0; i < 24; ++i) keys.push_back(Key::ec());
  for (const Key& from : keys) {
    for (const Key& to : keys) {
      if (&from != &to) world.more_intermediates.push_back(intermediate_spec(to, root_spec(from, "ica"), "ica"));
    }
  }
  world.leaf = leaf_spec(key(2), root_spec(keys[0], "ica"));
  world.send_ica = false;
  CHECK_EQ(code(world.run()), "path_search_is_exhausted");
}

TEST_CASE("an expired certificate is told from a clock that is wrong") {
  World world(webpki);
  world.demands.now_s = at("2041-01-01T00:00:00Z");
  CHECK_EQ(code(world.run()), "certificate_is_expired");
  world.demands.observed_s = {at("2026-01-05T00:00:01Z"), at("2026-01-05T00:00:03Z")};
  CHECK_EQ(code(world.run()), "local_clock_is_wrong");
  world.demands.observed_s = {at("2026-01-05T00:00:01Z")};  // one source is none
  CHECK_EQ(code(world.run()), "certificate_is_expired");
  world.demands.observed_s = {at("2026-01-05T00:00:01Z"), at("2027-01-05T00:00:03Z")};  // nor two that disagree
  CHECK_EQ(code(world.run()), "certificate_is_expired");

  World early(webpki);
  early.demands.now_s = at("2019-01-01T00:00:00Z");
  ListSpec list;
  list.signer = key(1);
  early.lists = {list.der()};
  CHECK(found(early.run(), Reason::local_clock_may_be_wrong));
}

TEST_CASE("policies: explicit demands, mappings, what is inhibited") {
  const Oid red{"1.2.3.1"}, blue{"1.2.3.2"};
  const auto policies = [](std::vector<Bytes> ids) {
    for (Bytes& one : ids) one = sequence({one});
    return sequence(ids);
  };
  World world(rfc5280);
  world.demands.policy.explicit_policy = true;
  world.ica.with(oid::certificate_policies, false, policies({id(red)}));
  world.leaf.with(oid::certificate_policies, false, policies({id(red)}));
  CHECK_EQ(code(world.run()), "accepted");
  world.demands.policy.acceptable = {base::to_bytes(blue.view())};
  CHECK_EQ(code(world.run()), "policy_is_not_satisfied");
  world.demands.policy.acceptable = {base::to_bytes(red.view())};
  CHECK_EQ(code(world.run()), "accepted");
  // Below the intermediate the policy is called blue; the verifier still means red.
  world.ica.with(oid::policy_mappings, true, sequence({sequence({id(red), id(blue)})}));
  CHECK_EQ(code(world.run()), "policy_is_not_satisfied");
  world.leaf.with(oid::certificate_policies, false, policies({id(blue)}));
  CHECK_EQ(code(world.run()), "accepted");
  world.demands.policy.inhibit_mapping = true;
  CHECK_EQ(code(world.run()), "policy_is_not_satisfied");
  // anyPolicy stands for red unless it is inhibited.
  World any(rfc5280);
  any.demands.policy.explicit_policy = true;
  any.ica.with(oid::certificate_policies, false, policies({id(oid::any_policy)}));
  any.leaf.with(oid::certificate_policies, false, policies({id(red)}));
  CHECK_EQ(code(any.run()), "accepted");
  any.demands.policy.inhibit_any = true;
  CHECK_EQ(code(any.run()), "policy_is_not_satisfied");
  // An authority can demand one by itself.
  World demanded(rfc5280);
  demanded.ica.with(oid::policy_constraints, true, sequence({tlv(tag::primitive(0), {Bytes{0}})}));
  CHECK_EQ(code(demanded.run()), "policy_is_not_satisfied");
}

TEST_CASE("addresses and mailboxes as names") {
  World world(rfc5280);
  world.leaf.names({address({192, 0, 2, 7}), email("pay@Example.com")});
  world.demands.names = {{Form::address, "192.0.2.7"}, {Form::email, "pay@example.com"}};
  CHECK_EQ(code(world.run()), "accepted");
  world.demands.names = {{Form::email, "Pay@example.com"}};  // local parts are exact
  CHECK_EQ(code(world.run()), "certificate_name_differs");
  world.demands.names = {{Form::address, "192.0.2.8"}};
  CHECK_EQ(code(world.run()), "certificate_name_differs");
  world.demands.names = {{Form::address, "192.0.2.999"}};
  CHECK_EQ(code(world.run()), "expected_name_is_malformed");
  world.demands.names = {{Form::dns, "b\xC3\xBC" "cher.example"}};
  CHECK_EQ(code(world.run()), "certificate_name_form_differs");
}

TEST_CASE("what was verified is remembered, what failed is not") {
  SignatureChecker checker;
  World world(rfc5280);
  std::vector<Certificate> intermediates, anchors;
  intermediates.push_back(certificate(world.ica));
  anchors.push_back(certificate(world.root));
  const Certificate leaf = certificate(world.leaf);
  for (int i = 0; i < 3; ++i) CHECK(verify({leaf, intermediates, anchors, {}, {}}, world.demands, checker).accepted);
  CHECK_EQ(checker.computed(), 2);
  CHECK_EQ(checker.remembered(), 4);
  const Certificate other = [&] {
    Spec spoilt = world.leaf;
    spoilt.signer = key(7);
    return certificate(spoilt);
  }();
  for (int i = 0; i < 2; ++i) CHECK_FALSE(verify({other, intermediates, anchors, {}, {}}, world.demands, checker).accepted);
  CHECK_EQ(checker.computed(), 4);
}
