// bcrypt_pbkdf: PBKDF2 with bcrypt as its pseudo-random function (OpenBSD). Blowfish's tables are the first 33,344 bits of
// the fraction of pi; they are computed once instead of being listed.
#include <array>

#include "intake/opening.h"

namespace intake {
namespace {

using base::ByteView;

constexpr std::size_t table_words = 18 + 4 * 256;

// Fixed-point fractions of a few guard words more than needed, most significant word first; word 0 is the integer.
using Fixed = std::vector<std::uint32_t>;

// term / divisor in place; true while anything is left.
bool divide(Fixed& term, std::uint32_t divisor) {
  std::uint64_t rest = 0;
  bool any = false;
  for (std::uint32_t& word : term) {
    const std::uint64_t value = rest << 32 | word;
    word = static_cast<std::uint32_t>(value / divisor);
    rest = value % divisor;
    any |= word != 0;
  }
  return any;
}

void add(Fixed& sum, const Fixed& term) {
  std::uint64_t carry = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    carry += std::uint64_t{sum[i]} + term[i];
    sum[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
}

void subtract(Fixed& sum, const Fixed& term) {
  std::uint64_t borrow = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    const std::uint64_t value = std::uint64_t{sum[i]} - term[i] - borrow;
    sum[i] = static_cast<std::uint32_t>(value);
    borrow = value >> 63;
  }
}

// factor * arctan(1/x)
Fixed arctangent(std::uint32_t factor, std::uint32_t x, std::size_t words) {
  Fixed power(words, 0);
  power[0] = factor;
  divide(power, x);
  Fixed sum = power;
  bool minus = true;
  for (std::uint32_t k = 3;; k += 2, minus = !minus) {
    if (!divide(power, x * x)) return sum;
    Fixed term = power;
    divide(term, k);
    minus ? subtract(sum, term) : add(sum, term);
  }
}

// Machin: pi = 16 arctan(1/5) - 4 arctan(1/239).
const std::array<std::uint32_t, table_words>& pi_words() {
  static const std::array<std::uint32_t, table_words> words = [] {
    constexpr std::size_t precision = table_words + 5;
    Fixed pi = arctangent(16, 5, precision);
    subtract(pi, arctangent(4, 239, precision));
    std::array<std::uint32_t, table_words> out{};
    for (std::size_t i = 0; i < table_words; ++i) out[i] = pi[i + 1];
    return out;
  }();
  return words;
}

struct Blowfish {
  std::array<std::uint32_t, table_words> state = pi_words();  // 18 round keys, then four S-boxes
  ~Blowfish() { wipe(state.data(), sizeof state); }

  std::uint32_t f(std::uint32_t x) const {
    const std::uint32_t* s = state.data() + 18;
    return ((s[x >> 24] + s[256 + (x >> 16 & 255)]) ^ s[512 + (x >> 8 & 255)]) + s[768 + (x & 255)];
  }
  void encrypt(std::uint32_t& left, std::uint32_t& right) const {
    for (std::size_t i = 0; i < 16; i += 2) {
      left ^= state[i];
      right ^= f(left);
      right ^= state[i + 1];
      left ^= f(right);
    }
    left ^= state[16];
    right ^= state[17];
    std::swap(left, right);
  }
  static std::uint32_t word(ByteView bytes, std::size_t& at) {
    std::uint32_t out = 0;
    for (int i = 0; i < 4; ++i) {
      out = out << 8 | bytes[at];
      at = (at + 1) % bytes.size();
    }
    return out;
  }
  // Eksblowfish's key schedule; without salt the plain one.
  void expand(ByteView key, ByteView salt) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < 18; ++i) state[i] ^= word(key, at);
    std::uint32_t left = 0;
    std::uint32_t right = 0;
    std::size_t salt_at = 0;
    for (std::size_t i = 0; i < table_words; i += 2) {
      if (!salt.empty()) {
        left ^= word(salt, salt_at);
        right ^= word(salt, salt_at);
      }
      encrypt(left, right);
      state[i] = left;
      state[i + 1] = right;
    }
  }
};

Secret bcrypt_hash(ByteView password, ByteView salt) {
  Blowfish blowfish;
  blowfish.expand(password, salt);
  for (int i = 0; i < 64; ++i) {
    blowfish.expand(salt, {});
    blowfish.expand(password, {});
  }
  const ByteView magic = base::as_bytes("OxychromaticBlowfishSwatDynamite");
  std::array<std::uint32_t, 8> text{};
  std::size_t at = 0;
  for (std::uint32_t& word : text) word = Blowfish::word(magic, at);
  for (int i = 0; i < 64; ++i) {
    for (std::size_t j = 0; j < 8; j += 2) blowfish.encrypt(text[j], text[j + 1]);
  }
  Secret out;
  for (std::uint32_t word : text) {
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return out;
}

}  // namespace

Secret bcrypt_pbkdf(ByteView password, ByteView salt, std::uint32_t rounds, std::size_t size) {
  constexpr std::size_t hash_size = 32;
  const std::size_t stride = (size + hash_size - 1) / hash_size;
  std::size_t amount = (size + stride - 1) / stride;
  const Secret hashed_password = digest(Hash::sha512, password);
  Secret out(size);
  std::size_t left = size;
  for (std::uint32_t count = 1; left > 0; ++count) {
    Secret counted = to_secret(salt);
    for (int shift = 24; shift >= 0; shift -= 8) counted.push_back(static_cast<std::uint8_t>(count >> shift));
    Secret last = bcrypt_hash(hashed_password, digest(Hash::sha512, counted));
    Secret sum = last;
    for (std::uint32_t i = 1; i < rounds; ++i) {
      last = bcrypt_hash(hashed_password, digest(Hash::sha512, last));
      for (std::size_t j = 0; j < hash_size; ++j) sum[j] ^= last[j];
    }
    amount = std::min(amount, left);
    std::size_t i = 0;
    for (; i < amount; ++i) {
      const std::size_t to = i * stride + (count - 1);
      if (to >= size) break;
      out[to] = sum[i];
    }
    left -= i;
  }
  return out;
}

}  // namespace intake
