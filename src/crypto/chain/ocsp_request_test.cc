#include "crypto/chain/ocsp_request.h"

#include <openssl/ocsp.h>

#include <memory>

#include "crypto/chain/maker_for_tests.h"

#include <doctest/doctest.h>

using namespace crypto::chain;
using namespace crypto::chain::making;

namespace {

template <auto free_it>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Request = std::unique_ptr<OCSP_REQUEST, FreeWith<OCSP_REQUEST_free>>;
using Id = std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>>;
using Read = std::unique_ptr<X509, FreeWith<X509_free>>;

Read read(const Bytes& der) {
  const unsigned char* at = der.data();
  return Read(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

// What OpenSSL makes of our request for a certificate with this serial number: does it ask for what OpenSSL would ask for?
bool asks_for(const Spec& leaf, const Spec& issuer) {
  const Bytes request = ocsp_request(certificate(leaf), certificate(issuer));
  const unsigned char* at = request.data();
  const Request theirs(d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(request.size())));
  if (theirs == nullptr || at != request.data() + request.size() || OCSP_request_onereq_count(theirs.get()) != 1) return false;
  const Read subject = read(leaf.der()), authority = read(issuer.der());
  const Id wanted(OCSP_cert_to_id(EVP_sha1(), subject.get(), authority.get()));
  return OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs.get(), 0)), wanted.get()) == 0;
}

}  // namespace

TEST_CASE("a request asks for the very certificate, as OpenSSL reads it") {
  const Key issuer_key = Key::ec(), leaf_key = Key::rsa();
  const Spec issuer = root_spec(issuer_key, "ica");
  Spec leaf = leaf_spec(leaf_key, issuer);
  CHECK(asks_for(leaf, issuer));
  leaf.serial = {0x00, 0xFF};
  CHECK(asks_for(leaf, issuer));
  leaf.serial = Bytes(100, 0x11);   // more than the standard allows, and lengths of two bytes
  CHECK(asks_for(leaf, issuer));
  leaf.serial = Bytes(300, 0x11);
  CHECK(asks_for(leaf, issuer));
}

TEST_CASE("where delta lists are stands in a certificate") {
  const Key issuer_key = Key::ec(), leaf_key = Key::ec();
  Spec leaf = leaf_spec(leaf_key, root_spec(issuer_key, "ica"));
  CHECK(certificate(leaf).freshest_points.empty());
  const Bytes points = sequence({sequence({tlv(tag::constructed(0), {tlv(tag::constructed(0), {uri("http://ca.example/delta.crl")})})})});
  leaf.with(oid::freshest_crl, false, points);
  const Certificate read = certificate(leaf);
  REQUIRE_EQ(read.freshest_points.size(), 1);
  CHECK_EQ(read.freshest_points[0].names[0].text(), "http://ca.example/delta.crl");
  CHECK(read.faults.empty());
  leaf.with(oid::freshest_crl, true, points);   // RFC 5280 section 4.2.1.15: not critical
  CHECK_FALSE(certificate(leaf).faults.empty());
}
