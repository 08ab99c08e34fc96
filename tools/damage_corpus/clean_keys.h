#pragma once
// Clean inputs for the damage corpus, made from a seed: the same seed gives the same bytes.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "intake/doctor.h"
#include "intake/key.h"

namespace corpus {

/// splitmix64: small, good enough to choose damages, the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 .. bound - 1
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  template <typename T>
  const T& one_of(const std::vector<T>& values) {
    return values[below(values.size())];
  }
  intake::Secret bytes(std::size_t count);

 private:
  std::uint64_t state_;
};

/// One sound input in its ordinary form.
struct Clean {
  std::string name;
  intake::Kind kind;
  std::string label;          ///< of its PEM form
  base::Bytes der;            ///< what stands in the PEM body
  base::Bytes canonical;      ///< what the doctor must give
  intake::Key key;            ///< of keys
  bool is_private() const { return intake::is_secret(kind); }
  std::string pem() const;
};

/// RSA (2048), five Weierstrass curves, Ed25519, Ed448: public and private in every shape; certificates, a request, a
/// revocation list.
std::vector<Clean> make_clean(std::uint64_t seed);
intake::Key make_rsa(Dice& dice, unsigned bits, std::uint64_t exponent = 65537, bool close_primes = false);
/// Two different moduli sizes and exponents are slow to find; other damages ask for them by themselves.
intake::Key make_ec(Dice& dice, std::string_view curve);
intake::Key make_okp(Dice& dice, intake::KeyType type);
base::Bytes pkcs1_public(const intake::Key& key);
base::Bytes pkcs1_private(const intake::Key& key);
base::Bytes sec1(const intake::Key& key, bool with_curve);
std::string jwk(const intake::Key& key, const std::string& kid, bool with_private);
std::string pem_text(const std::string& label, base::ByteView der);

}  // namespace corpus
