#include "intake/number.h"

#include <openssl/bn.h>

#include "base/check.h"

namespace intake {
namespace {

// BN_CTX is scratch memory only; one a thread.
BN_CTX* scratch() {
  struct Owner {
    BN_CTX* context = BN_CTX_new();
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    ~Owner() { BN_CTX_free(context); }
  };
  thread_local Owner owner;
  CHECK(owner.context != nullptr);
  return owner.context;
}

}  // namespace

Number::Number() : number_(BN_new()) { CHECK(number_ != nullptr); }
Number::Number(base::ByteView big_endian) : number_(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr)) {
  CHECK(number_ != nullptr);
}
Number::Number(std::uint64_t value) : Number() { CHECK(BN_set_word(number_, value) == 1); }
Number::Number(const Number& other) : number_(BN_dup(other.number_)) { CHECK(number_ != nullptr); }
Number::Number(Number&& other) noexcept : number_(other.number_) { other.number_ = nullptr; }
Number& Number::operator=(Number other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}
Number::~Number() { BN_clear_free(number_); }

unsigned Number::bits() const { return static_cast<unsigned>(BN_num_bits(number_)); }
bool Number::is_zero() const { return BN_is_zero(number_) == 1; }
bool Number::is_one() const { return BN_is_one(number_) == 1; }
bool Number::is_odd() const { return BN_is_odd(number_) == 1; }
bool Number::bit(unsigned index) const { return BN_is_bit_set(number_, static_cast<int>(index)) == 1; }
std::uint64_t Number::mod_small(std::uint64_t divisor) const { return BN_mod_word(number_, divisor); }
Secret Number::bytes(std::size_t width) const {
  Secret out(width);
  CHECK(BN_bn2binpad(number_, out.data(), static_cast<int>(width)) >= 0);
  return out;
}
int Number::compare(const Number& a, const Number& b) { return BN_ucmp(a.number_, b.number_); }

Number operator+(const Number& a, const Number& b) {
  Number out;
  CHECK(BN_uadd(out.raw(), a.raw(), b.raw()) == 1);
  return out;
}
Number operator-(const Number& a, const Number& b) {
  Number out;
  CHECK(BN_usub(out.raw(), a.raw(), b.raw()) == 1);
  return out;
}
Number operator*(const Number& a, const Number& b) {
  Number out;
  CHECK(BN_mul(out.raw(), a.raw(), b.raw(), scratch()) == 1);
  return out;
}
Number operator/(const Number& a, const Number& b) {
  Number out;
  CHECK(BN_div(out.raw(), nullptr, a.raw(), b.raw(), scratch()) == 1);
  return out;
}
Number operator%(const Number& a, const Number& b) {
  Number out;
  CHECK(BN_div(nullptr, out.raw(), a.raw(), b.raw(), scratch()) == 1);
  return out;
}

Number mod_mul(const Number& a, const Number& b, const Number& m) {
  Number out;
  CHECK(BN_mod_mul(out.raw(), a.raw(), b.raw(), m.raw(), scratch()) == 1);
  return out;
}
Number mod_pow(const Number& a, const Number& exponent, const Number& m) {
  Number out;
  CHECK(BN_mod_exp(out.raw(), a.raw(), exponent.raw(), m.raw(), scratch()) == 1);
  return out;
}
std::optional<Number> mod_inverse(const Number& a, const Number& m) {
  if (m.is_zero() || m.is_one() || !gcd(a, m).is_one()) return std::nullopt;
  Number out;
  if (BN_mod_inverse(out.raw(), a.raw(), m.raw(), scratch()) == nullptr) return std::nullopt;
  return out;
}
std::optional<Number> mod_sqrt(const Number& a, const Number& prime) {
  Number out;
  const Number reduced = a % prime;
  if (reduced.is_zero()) return out;
  // p = 3 mod 4 covers nearly every curve in use and needs one power.
  if (prime.mod_small(4) == 3) {
    const Number root = mod_pow(reduced, (prime + Number(1)) / Number(4), prime);
    if (mod_mul(root, root, prime) == reduced) return root;
    return std::nullopt;
  }
  // Euler's criterion first: the library's root finder records an error for a non-residue.
  if (!mod_pow(reduced, prime / Number(2), prime).is_one()) return std::nullopt;
  if (BN_mod_sqrt(out.raw(), reduced.raw(), prime.raw(), scratch()) == nullptr) return std::nullopt;
  if (!(mod_mul(out, out, prime) == reduced)) return std::nullopt;
  return out;
}
Number gcd(const Number& a, const Number& b) {
  Number out;
  CHECK(BN_gcd(out.raw(), a.raw(), b.raw(), scratch()) == 1);
  return out;
}
Number square_root(const Number& n) {
  if (n.is_zero()) return n;
  Number x;
  CHECK(BN_set_bit(x.raw(), static_cast<int>((n.bits() + 1) / 2)) == 1);
  while (true) {
    Number next = (x + n / x) / Number(2);
    if (!(next < x)) return x;
    x = std::move(next);
  }
}
bool probably_prime(const Number& n) {
  constexpr std::uint64_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53};
  if (n.bits() < 7) {
    const std::uint64_t value = n.mod_small(128);
    for (std::uint64_t base : bases) {
      if (value == base) return true;
    }
    return value == 59 || value == 61;
  }
  for (std::uint64_t base : bases) {
    if (n.mod_small(base) == 0) return false;
  }
  const Number top = n - Number(1);
  unsigned twos = 0;
  while (!top.bit(twos)) ++twos;
  Number odd;
  CHECK(BN_rshift(odd.raw(), top.raw(), static_cast<int>(twos)) == 1);
  for (const unsigned base : {2u, 3u, 5u, 7u}) {
    Number x = mod_pow(Number(base), odd, n);
    if (x.is_one() || x == top) continue;
    bool witness = true;
    for (unsigned i = 1; i < twos && witness; ++i) {
      x = mod_mul(x, x, n);
      if (x == top) witness = false;
    }
    if (witness) return false;
  }
  return true;
}

}  // namespace intake
