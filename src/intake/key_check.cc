#include "intake/key_check.h"

#include <array>
#include <vector>

#include "base/int128.h"

namespace intake {
namespace {

// Products of primes below 2,000, each product below 2^63, so that one division of the modulus serves several primes.
struct Batch {
  std::uint64_t product = 1;
  std::vector<std::uint64_t> primes;
};

const std::vector<Batch>& prime_batches() {
  static const std::vector<Batch> batches = [] {
    std::vector<Batch> out(1);
    for (std::uint64_t candidate = 3; candidate < 2000; candidate += 2) {
      bool prime = true;
      for (std::uint64_t d = 3; d * d <= candidate && prime; d += 2) prime = candidate % d != 0;
      if (!prime) continue;
      if (out.back().product > (std::uint64_t{1} << 62) / candidate) out.emplace_back();
      out.back().product *= candidate;
      out.back().primes.push_back(candidate);
    }
    return out;
  }();
  return batches;
}

void check_rsa_public(const Key& key, const Policy& policy, const Desk& desk) {
  const Number n(key.n);
  const unsigned bits = n.bits();
  if (bits < policy.rsa_bits_min) {
    desk.add(Cause::rsa_key_is_too_small,
             std::to_string(bits) + " bits; at least " + std::to_string(policy.rsa_bits_min) + " are needed");
  } else if (bits > policy.rsa_bits_max) {
    desk.add(Cause::rsa_key_is_too_large,
             std::to_string(bits) + " bits; at most " + std::to_string(policy.rsa_bits_max) + " are taken");
    return;
  }
  if (bits % 8 != 0) {
    desk.add(Cause::rsa_size_is_not_multiple_of_8, std::to_string(bits) + " bits");
  } else if (bits >= policy.rsa_bits_min && bits % 1024 != 0) {
    desk.add(Cause::rsa_size_is_unusual, std::to_string(bits) + " bits");
  }
  const Number e(key.e);
  if (!e.is_odd() || e.is_one() || e.bits() > 256) {
    desk.add(Cause::rsa_exponent_is_bad, !e.is_odd() ? "the exponent is even" : e.is_one() ? "the exponent is 1"
                                                                                           : "the exponent is huge");
  } else if (!(e == Number(65537))) {
    if (e == Number(3) && !policy.allow_rsa_exponent_3) {
      desk.add(Cause::rsa_exponent_is_bad, "the exponent is 3");
    } else {
      desk.add(Cause::rsa_exponent_is_unusual, "an exponent of " + std::to_string(e.bits()) + " bits");
    }
  }
  if (!n.is_odd()) {
    desk.add(Cause::rsa_modulus_is_damaged, "the modulus is even");
    return;
  }
  if (small_factor(n) != 0) {
    desk.add(Cause::rsa_modulus_is_damaged, "the modulus has a factor below 2000");
    return;
  }
  if (has_roca_fingerprint(n)) {
    desk.add(Cause::rsa_modulus_is_weak, "it bears the fingerprint of the ROCA generator (CVE-2017-15361)");
  } else if (has_close_primes(n)) {
    desk.add(Cause::rsa_modulus_is_weak, "its primes are so close that Fermat's method finds them at once");
  }
}

bool check_ec(Key& key, const Desk& desk) {
  if (!key.is_private) return true;
  Point own = public_point(*key.curve, key.scalar);
  if (key.x.empty()) {
    key.x = std::move(own.x);
    key.y = std::move(own.y);
    key.public_computed = true;
    desk.add(Cause::ec_public_part_is_missing);
    return true;
  }
  if (own.x != key.x || own.y != key.y) {
    desk.add(Cause::key_pair_is_inconsistent, "the public point is not that of the private number");
    return false;
  }
  return true;
}

}  // namespace

bool has_roca_fingerprint(const Number& modulus) {
  constexpr std::uint64_t primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
  for (std::uint64_t prime : primes) {
    const std::uint64_t wanted = modulus.mod_small(prime);
    std::uint64_t power = 1;
    bool found = false;
    do {
      if (power == wanted) found = true;
      power = power * 65537 % prime;
    } while (power != 1 && !found);
    if (!found) return false;
  }
  return true;
}

bool has_close_primes(const Number& modulus, unsigned steps) {
  Number a = square_root(modulus);
  if (a * a == modulus) return true;
  a = a + Number(1);
  // b² = a² - n must be a square. Its residues modulo two small numbers settle nearly every step without big arithmetic.
  constexpr std::uint64_t m1 = 64;
  constexpr std::uint64_t m2 = 3ull * 5 * 7 * 11 * 13 * 17 * 19;
  static const auto squares1 = [] {
    std::array<bool, m1> out{};
    for (std::uint64_t i = 0; i < m1; ++i) out[i * i % m1] = true;
    return out;
  }();
  const std::uint64_t n1 = modulus.mod_small(m1);
  const std::uint64_t n2 = modulus.mod_small(m2);
  std::uint64_t a1 = a.mod_small(m1);
  std::uint64_t a2 = a.mod_small(m2);
  constexpr std::uint64_t odd_primes[] = {3, 5, 7, 11, 13, 17, 19};
  for (unsigned step = 0; step < steps; ++step) {
    bool possible = squares1[(a1 * a1 + m1 - n1) % m1];
    const std::uint64_t rest = (a2 * a2 + m2 - n2) % m2;
    for (std::size_t i = 0; i < std::size(odd_primes) && possible; ++i) {
      const std::uint64_t prime = odd_primes[i];
      const std::uint64_t residue = rest % prime;
      std::uint64_t power = 1;
      for (std::uint64_t k = 0; k < prime / 2; ++k) power = power * residue % prime;
      possible = residue == 0 || power == 1;
    }
    if (possible) {
      const Number candidate = a + Number(step);
      const Number square = candidate * candidate - modulus;
      const Number root = square_root(square);
      if (root * root == square) return true;
    }
    a1 = (a1 + 1) % m1;
    a2 = (a2 + 1) % m2;
  }
  return false;
}

std::uint64_t small_factor(const Number& modulus) {
  // Taken apart once: the library copies a number for every remainder by more than 32 bits.
  const Secret bytes = modulus.bytes((modulus.bits() + 63) / 64 * 8);
  std::vector<std::uint64_t> words(bytes.size() / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) words[i / 8] = words[i / 8] << 8 | bytes[i];
  std::uint64_t found = 0;
  for (const Batch& batch : prime_batches()) {
    std::uint64_t rest = 0;
    for (std::uint64_t word : words) rest = static_cast<std::uint64_t>(base::make_u128(rest, word) % batch.product);
    for (std::uint64_t prime : batch.primes) {
      if (found == 0 && rest % prime == 0) found = prime;
    }
    if (found != 0) break;
  }
  wipe(words.data(), words.size() * sizeof(std::uint64_t));
  return found;
}

std::string rsa_contradiction(const Key& key) {
  const Number n(key.n), e(key.e), d(key.d), p(key.p), q(key.q);
  if (p.bits() < 2 || q.bits() < 2) return "a prime is missing";
  if (!(p * q == n)) return "the modulus is not the product of the primes";
  if (!p.is_odd() || !q.is_odd() || !probably_prime(p) || !probably_prime(q)) return "a prime is not prime";
  const Number p1 = p - Number(1), q1 = q - Number(1);
  const Number product = e * d;
  if (!(product % p1).is_one() || !(product % q1).is_one()) return "the private exponent does not invert the public one";
  if (!(Number(key.dp) == d % p1) || !(Number(key.dq) == d % q1)) return "an exponent of the primes does not fit";
  if (!(Number(key.qi) < p) || !mod_mul(Number(key.qi), q, p).is_one()) return "the coefficient does not fit";
  return {};
}

bool check_key(Key& key, const Policy& policy, const Desk& desk) {
  switch (key.type) {
    case KeyType::rsa:
    case KeyType::rsa_pss: {
      // A private key that contradicts itself is a damaged copy; what its modulus looks like would only mislead.
      if (key.is_private && Number(key.n).bits() <= policy.rsa_bits_max) {
        const std::string contradiction = rsa_contradiction(key);
        if (!contradiction.empty()) {
          desk.add(Cause::key_pair_is_inconsistent, contradiction);
          return false;
        }
      }
      check_rsa_public(key, policy, desk);
      return true;
    }
    case KeyType::ec: return check_ec(key, desk);
    case KeyType::x25519:
    case KeyType::x448: desk.add(Cause::key_agreement_key_cannot_sign); [[fallthrough]];
    case KeyType::ed25519:
    case KeyType::ed448:
      if (!okp_point_is_valid(key.type, key.pub)) {
        desk.add(Cause::eddsa_point_is_invalid, algorithm_name(key));
        return false;
      }
      return true;
    case KeyType::dsa:
    case KeyType::dh:
    case KeyType::other: return false;
  }
  return false;
}

}  // namespace intake
