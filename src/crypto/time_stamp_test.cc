#include "crypto/time_stamp.h"

#include "crypto/time_stamping_test.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

using namespace crypto;

namespace {

constexpr std::int64_t now = 1'790'000'000;   // 2026-09

TimeStampRequest a_request(std::uint8_t byte = 1) {
  TimeStampRequest request;
  request.imprint = sha256(base::as_bytes("a text"));
  request.nonce.fill(byte);
  return request;
}

base::Bytes token_for(const TestTimeStampAuthority& authority, const TimeStampRequest& request, std::int64_t at = now) {
  const auto der = time_stamp_request(request);
  REQUIRE(der.ok());
  const auto token = token_of_response(authority.answer(*der, at));
  REQUIRE_MESSAGE(token.ok(), (token.ok() ? std::string() : token.error().message));
  return *token;
}

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("a request is read as it was written") {
  TimeStampRequest request = a_request(0xFF);
  for (const char* policy : {"", "1.2.3.4"}) {
    request.policy = policy;
    const auto der = time_stamp_request(request);
    REQUIRE(der.ok());
    const auto back = parse_time_stamp_request(*der);
    REQUIRE(back.ok());
    CHECK(back->imprint == request.imprint);
    CHECK(back->nonce == request.nonce);
    CHECK(back->policy == policy);
    for (std::size_t size = 0; size < der->size(); ++size) {
      CHECK(code(parse_time_stamp_request(base::ByteView(*der).first(size))) == "time_stamp_request_malformed");
    }
  }
  for (const char* policy : {"moon", "1.2.x", "sha256"}) {
    request.policy = policy;
    CHECK(code(time_stamp_request(request)) == "time_stamp_policy_malformed");
  }
}

TEST_CASE("a token holds for whoever trusts its authority or the CA above, at the time that it says") {
  const TestTimeStampAuthority authority("Stamps");
  const TimeStampRequest request = a_request();
  const base::Bytes token = token_for(authority, request);
  CHECK(*imprint_of_time_stamp(token) == request.imprint);
  for (const base::Digest& trusted : {authority.ca_fingerprint(), authority.own_fingerprint()}) {
    const base::Digest list[] = {base::Digest{}, trusted};
    const auto stamp = verify_time_stamp(token, request.imprint, list, &request);
    REQUIRE_MESSAGE(stamp.ok(), (stamp.ok() ? std::string() : stamp.error().message));
    CHECK(stamp->seconds == static_cast<std::uint64_t>(now));
    CHECK(stamp->policy == TestTimeStampAuthority::policy);
    CHECK(stamp->trusted == 1);
  }
}

TEST_CASE("a token that does not hold is refused by name") {
  const TestTimeStampAuthority authority("Stamps"), other("Others");
  const TimeStampRequest request = a_request();
  const base::Bytes token = token_for(authority, request);
  const base::Digest trusted[] = {authority.ca_fingerprint()};
  const base::Digest others[] = {other.ca_fingerprint(), other.own_fingerprint()};
  CHECK(code(verify_time_stamp(token, sha256(base::as_bytes("another text")), trusted)) == "time_stamp_imprint_differs");
  const TimeStampRequest another = a_request(2);
  CHECK(code(verify_time_stamp(token, request.imprint, trusted, &another)) == "time_stamp_nonce_differs");
  TimeStampRequest with_policy = request;
  with_policy.policy = "1.2.3";
  CHECK(code(verify_time_stamp(token, request.imprint, trusted, &with_policy)) == "time_stamp_policy_differs");
  const auto untrusted = verify_time_stamp(token, request.imprint, others);
  CHECK(code(untrusted) == "time_stamp_not_trusted");
  CHECK(untrusted.error().message.find("CN=Stamps CA") != std::string::npos);
  CHECK(code(verify_time_stamp(token, request.imprint, {})) == "time_stamp_not_trusted");
  CHECK(code(token_of_response(token)) == "time_stamp_malformed");
  CHECK(code(token_of_response({})) == "time_stamp_malformed");
  CHECK(code(verify_time_stamp({}, request.imprint, trusted)) == "time_stamp_malformed");
  CHECK(code(imprint_of_time_stamp({})) == "time_stamp_malformed");
  base::Bytes longer = token;
  longer.push_back(0);
  CHECK(code(verify_time_stamp(longer, request.imprint, trusted)) == "time_stamp_malformed");
  // An authority says no: this policy is not its own.
  const auto refused = token_of_response(authority.answer(*time_stamp_request(with_policy), now));
  CHECK(code(refused) == "time_stamp_refused");
}

TEST_CASE("certificates are judged at the time in the token, not today's") {
  const TestTimeStampAuthority authority("Stamps");
  const TimeStampRequest request = a_request();
  for (const base::Digest& trusted : {authority.ca_fingerprint(), authority.own_fingerprint()}) {
    const base::Digest list[] = {trusted};
    const auto at = [&](std::int64_t seconds) { return code(verify_time_stamp(token_for(authority, request, seconds), request.imprint, list)); };
    CHECK(at(TestTimeStampAuthority::begin + 1) == "");
    CHECK(at(TestTimeStampAuthority::end - 1) == "");
    CHECK(at(TestTimeStampAuthority::end + 1) == "time_stamp_certificate_not_valid_then");
    CHECK(at(TestTimeStampAuthority::begin - 86'400) == "time_stamp_certificate_not_valid_then");
  }
}

TEST_CASE("no changed byte of what an authority signed is accepted") {
  const TestTimeStampAuthority authority("Stamps");
  const TimeStampRequest request = a_request();
  const base::Bytes token = token_for(authority, request);
  const base::Digest trusted[] = {authority.own_fingerprint()};
  const auto good = verify_time_stamp(token, request.imprint, trusted);
  REQUIRE(good.ok());
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < token.size(); ++at) {
    base::Bytes changed = token;
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1 << (at % 8)));
    const auto stamp = verify_time_stamp(changed, request.imprint, trusted);
    // Some bytes are nobody's: the CA's certificate, which this chain does not need, and tags of unused choices. The
    // statement itself never changes. Whole bundles are bound by the log's signature.
    if (stamp.ok()) {
      ++accepted;
      CHECK(stamp->seconds == good->seconds);
      CHECK(stamp->policy == good->policy);
    }
  }
  CHECK(accepted < token.size() / 2);
  std::size_t signature = token.size() - 3;   // the last bytes are those of the signature
  base::Bytes changed = token;
  changed[signature] ^= 1;
  CHECK(code(verify_time_stamp(changed, request.imprint, trusted)) == "time_stamp_signature_wrong");
}
