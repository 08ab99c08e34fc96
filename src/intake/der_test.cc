#include "intake/der.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "intake/oid.h"

using namespace intake;

namespace {
base::Bytes hex(std::string_view text) { return *base::parse_hex(text); }
}  // namespace

TEST_CASE("strict DER refuses what X.690 forbids, at the place of the fault") {
  CHECK_FALSE(first_der_fault(hex("3003020101")).has_value());
  CHECK_EQ(first_der_fault(hex("30810302010a")), 0u);       // long form of a short length
  CHECK_EQ(first_der_fault(hex("3004020200ff0000")), 6u);   // trailing bytes
  CHECK_EQ(first_der_fault(hex("300402020001")), 2u);       // padded integer
  CHECK_EQ(first_der_fault(hex("3003010101")), 2u);         // TRUE must be FF
  CHECK_EQ(first_der_fault(hex("300403020101")), 2u);       // unused bits not zero
  CHECK_EQ(first_der_fault(hex("30050203010203ff")), 7u);
  CHECK_EQ(first_der_fault(hex("3005020301")), 0u);         // shorter than announced
  CHECK_EQ(first_der_fault(hex("308002010100")), 0u);       // indefinite
  CHECK_EQ(first_der_fault({}), 0u);
}

TEST_CASE("nesting is bounded") {
  Secret deep;
  for (int i = 0; i < 40; ++i) deep = der(tag::sequence, {deep});
  CHECK(first_der_fault(deep).has_value());
  std::size_t used = 0;
  CHECK_FALSE(ber_to_der(deep, used).has_value());
}

TEST_CASE("BER becomes DER: lengths, padded integers, constructed strings") {
  std::size_t used = 0;
  auto out = ber_to_der(hex("308002020001240604010a04010b0000ff"), used);
  REQUIRE(out.has_value());
  CHECK_EQ(base::to_hex(*out), "30070201010402" "0a0b");
  CHECK_EQ(used, 16u);
  CHECK_FALSE(ber_to_der(hex("3080020101"), used).has_value());
}

TEST_CASE("the writer and the reader agree on lengths") {
  for (std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65535u, 65536u}) {
    const Secret body(size, 7);
    const Secret element = der(tag::octet_string, {body});
    CHECK_EQ(announced_size(element), element.size());
    DerCursor cursor{base::ByteView(element)};
    auto read = cursor.next(tag::octet_string);
    REQUIRE(read.has_value());
    CHECK_EQ(read->body.size(), size);
    CHECK(cursor.done());
  }
}

TEST_CASE("object identifiers encode as their dotted form says") {
  CHECK_EQ(base::to_hex(oid::rsa.view()), "2a864886f70d010101");
  CHECK_EQ(base::to_hex(oid::ed25519.view()), "2b6570");
  CHECK_EQ(to_dotted(oid::sm2.view()), "1.2.156.10197.1.301");
  CHECK_EQ(to_dotted(hex("8837")), "2.999");
  CHECK_EQ(to_dotted(hex("2a86")), "malformed");
}
