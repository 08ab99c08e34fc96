#include "crypto/chain/ocsp_request.h"

#include <initializer_list>

#include "crypto/chain/der.h"
#include "crypto/chain/oid.h"
#include "crypto/chain/signature.h"

namespace crypto::chain {
namespace {

using base::Bytes;
using base::ByteView;

// One tag-length-value, its length in the shortest form (X.690 section 8.1.3).
Bytes wrapped(std::uint8_t tag_byte, std::initializer_list<ByteView> parts) {
  Bytes body;
  for (const ByteView part : parts) base::append(body, part);
  Bytes length;
  for (std::size_t rest = body.size(); rest != 0; rest >>= 8) length.insert(length.begin(), static_cast<std::uint8_t>(rest));
  if (body.empty()) length.push_back(0);
  if (body.size() > 0x7F) length.insert(length.begin(), static_cast<std::uint8_t>(0x80 | length.size()));
  Bytes out{tag_byte};
  base::append(out, length);
  base::append(out, body);
  return out;
}

Bytes hashed(ByteView bytes) {
  const auto digest = sha1_name(bytes);
  return wrapped(tag::octet_string, {digest});
}

}  // namespace

base::Bytes ocsp_request(const Certificate& certificate, const Certificate& issuer) {
  const Bytes null{tag::null, 0};
  const Bytes algorithm = wrapped(tag::sequence, {wrapped(tag::oid, {oid::sha1.view()}), null});
  const Bytes certificate_id = wrapped(tag::sequence, {algorithm, hashed(certificate.issuer), hashed(issuer.key.bits),
                                                       wrapped(tag::integer, {certificate.serial})});
  const Bytes list = wrapped(tag::sequence, {wrapped(tag::sequence, {certificate_id})});
  return wrapped(tag::sequence, {wrapped(tag::sequence, {list})});
}

}  // namespace crypto::chain
