// rooms: crypto base
// Certificates, revocation lists and OCSP responses of any content, and the search for a path through them. Input: one byte
// of options, then records of kind (1 byte), length (2 bytes, little-endian) and DER. Signatures are really checked.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "crypto/chain/oid.h"
#include "crypto/chain/pem.h"
#include "crypto/chain/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crypto::chain;
  if (size == 0) return 0;
  const std::uint8_t options = data[0];
  std::vector<Certificate> leaves, intermediates, anchors;
  std::vector<RevocationList> lists;
  std::vector<OcspResponse> responses;
  for (std::size_t at = 1; at + 3 <= size;) {
    const std::uint8_t kind = data[at] % 5;
    const std::size_t length = std::min<std::size_t>(data[at + 1] + std::size_t{256} * data[at + 2], size - at - 3);
    base::Bytes der(data + at + 3, data + at + 3 + length);
    at += 3 + length;
    if (kind < 3) {
      auto certificate = read_certificate(std::move(der));
      auto& into = kind == 0 ? leaves : kind == 1 ? intermediates : anchors;
      if (certificate.ok() && into.size() < 16) into.push_back(std::move(*certificate));
    } else if (kind == 3) {
      auto list = read_revocation_list(std::move(der));
      if (list.ok()) lists.push_back(std::move(*list));
    } else {
      auto response = read_ocsp_response(std::move(der));
      if (response.ok()) responses.push_back(std::move(*response));
    }
  }
  const auto blocks = pem_blocks({reinterpret_cast<const char*>(data), size});
  CHECK(blocks.ok() || blocks.error().code != nullptr);
  if (leaves.empty()) return 0;
  Demands demands;
  demands.profile = static_cast<Profile>(options % 3);
  demands.revocation = static_cast<Revocation>((options >> 2) % 3);
  demands.now_s = 1'767'571'200;
  demands.policy.explicit_policy = (options & 0x10) != 0;
  if ((options & 0x20) != 0) demands.names = {{Form::dns, "example.com"}, {Form::address, "192.0.2.7"}, {Form::email, "a@example.com"}};
  if ((options & 0x40) != 0) demands.purposes = {base::to_bytes(oid::server_auth.view())};
  SignatureChecker checker;
  const Verdict verdict = verify({leaves[0], intermediates, anchors, lists, responses}, demands, checker);
  CHECK(verdict.accepted == !verdict.refusal.has_value());
  CHECK(!verdict.accepted || (!verdict.path.empty() && !anchors.empty()));
  if (demands.revocation == Revocation::hard && verdict.accepted) {
    for (const StepRevocation& one : verdict.revocation) CHECK(one.answer.standing == Standing::good);
  }
  return 0;
}
