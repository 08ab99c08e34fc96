#pragma once
// Certificates made for one test: an authority and what it signs. For tests only.

#include <string>

namespace io {

struct TestIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

/// A P-256 key and certificate. `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1"; empty makes an authority.
/// Signed by `issuer`, or by itself without one.
TestIdentity make_test_identity(const std::string& common_name, const std::string& names,
                                const TestIdentity* issuer = nullptr);

}  // namespace io
