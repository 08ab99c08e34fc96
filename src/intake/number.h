#pragma once
// Big natural numbers for checking keys: a thin owner around OpenSSL's BIGNUM, wiped on release. For checks only; nothing
// here is constant-time, and nothing computes with a secret except to prove its consistency.

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "intake/wiped.h"

struct bignum_st;

namespace intake {

class Number {
 public:
  Number();
  explicit Number(base::ByteView big_endian);
  explicit Number(std::uint64_t value);
  Number(const Number& other);
  Number(Number&& other) noexcept;
  Number& operator=(Number other) noexcept;
  ~Number();

  bignum_st* raw() const { return number_; }
  unsigned bits() const;
  bool is_zero() const;
  bool is_one() const;
  bool is_odd() const;
  bool bit(unsigned index) const;
  /// this mod `divisor`; divisor below 2^63.
  std::uint64_t mod_small(std::uint64_t divisor) const;
  /// Big-endian, left-padded to `width`; the number must fit.
  Secret bytes(std::size_t width) const;

  friend bool operator==(const Number& a, const Number& b) { return compare(a, b) == 0; }
  friend bool operator<(const Number& a, const Number& b) { return compare(a, b) < 0; }
  friend Number operator+(const Number& a, const Number& b);
  /// a must not be below b.
  friend Number operator-(const Number& a, const Number& b);
  friend Number operator*(const Number& a, const Number& b);
  /// b must not be zero.
  friend Number operator/(const Number& a, const Number& b);
  friend Number operator%(const Number& a, const Number& b);

 private:
  static int compare(const Number& a, const Number& b);
  bignum_st* number_;
};

/// a * b mod m.
Number mod_mul(const Number& a, const Number& b, const Number& m);
/// a ^ exponent mod m; m odd and above 1.
Number mod_pow(const Number& a, const Number& exponent, const Number& m);
/// Inverse of a mod m, if there is one.
std::optional<Number> mod_inverse(const Number& a, const Number& m);
/// A square root mod an odd prime, if there is one.
std::optional<Number> mod_sqrt(const Number& a, const Number& prime);
Number gcd(const Number& a, const Number& b);
/// Largest number whose square is not above n.
Number square_root(const Number& n);
/// Strong probable prime to the first four prime bases. Deterministic, and enough against accidents: a damaged prime passes
/// with a chance far below 2^-80 at the sizes of RSA. Whoever makes a composite on purpose harms their own key only.
bool probably_prime(const Number& n);

}  // namespace intake
