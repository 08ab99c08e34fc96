// Certificate paths beside OpenSSL's X509_verify_cert, and a hit in the key-set cache.
//
//   chain_bench [ROUNDS]
//
// A leaf, an intermediate and a root, P-256 and RSA-2048; every leaf is another one. Both sides check names, usages, times and
// two signatures, strictly, and start from the same bytes. Prints microseconds of this thread's CPU time.

#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>
#include <time.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/check.h"
#include "crypto/chain/maker_for_tests.h"
#include "crypto/chain/verify.h"
#include "intake/key_set_cache.h"

namespace {

using namespace crypto::chain;
using namespace crypto::chain::making;

constexpr std::int64_t now_s = 1'767'571'200;  // 2026-01-05
constexpr std::size_t leaves_made = 512;

std::uint64_t cpu_ns() {
  timespec now{};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

struct Chain {
  base::Bytes root, ica;
  std::vector<base::Bytes> leaves;
};

Chain make_chain(bool rsa) {
  const auto key = [&] { return rsa ? Key::rsa() : Key::ec(); };
  const auto algorithm = [&](Spec& spec) { spec.algorithm = rsa ? rsa_sha256() : ecdsa_sha256(); };
  Chain chain;
  Spec root = root_spec(key());
  algorithm(root);
  Spec ica = intermediate_spec(key(), root);
  algorithm(ica);
  Spec leaf = leaf_spec(key(), ica);
  algorithm(leaf);
  chain.root = root.der();
  chain.ica = ica.der();
  for (std::size_t i = 0; i < leaves_made; ++i) {
    leaf.serial = {0x10, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 1};
    chain.leaves.push_back(leaf.der());
  }
  return chain;
}

X509* parse(const base::Bytes& der) {
  const unsigned char* at = der.data();
  X509* const certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  CHECK(certificate != nullptr);
  return certificate;
}

bool openssl_verifies(X509_STORE* store, X509* ica, X509* leaf) {
  STACK_OF(X509)* const untrusted = sk_X509_new_null();
  sk_X509_push(untrusted, ica);
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf, untrusted);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  X509_VERIFY_PARAM_set1_host(parameters, "example.com", 0);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(context, 0, now_s);
  const bool good = X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  sk_X509_free(untrusted);
  return good;
}

double microseconds(std::size_t rounds, const std::function<void(std::size_t)>& once) {
  once(0);
  const std::uint64_t start = cpu_ns();
  for (std::size_t i = 0; i < rounds; ++i) once(i);
  return static_cast<double>(cpu_ns() - start) / 1'000.0 / static_cast<double>(rounds);
}

Certificate read(const base::Bytes& der) {
  auto certificate = read_certificate(der);
  CHECK(certificate.ok());
  return std::move(*certificate);
}

void compare(const char* name, const Chain& chain, std::size_t rounds) {
  Demands demands;
  demands.profile = Profile::webpki;
  demands.now_s = now_s;
  demands.names = {{Form::dns, "example.com"}};
  demands.purposes = {base::to_bytes(oid::server_auth.view())};
  const auto ours = [&](SignatureChecker& checker, const Certificate& leaf, std::span<const Certificate> intermediates, std::span<const Certificate> anchors) {
    CHECK(verify({leaf, intermediates, anchors, {}, {}}, demands, checker).accepted);
  };
  const auto leaf_at = [&](std::size_t i) -> const base::Bytes& { return chain.leaves[i % chain.leaves.size()]; };

  // Everything from its bytes, nothing remembered.
  const double ours_cold = microseconds(rounds, [&](std::size_t i) {
    SignatureChecker checker({.keys_max = 8, .signatures_max = 0});
    std::vector<Certificate> intermediates, anchors;
    intermediates.push_back(read(chain.ica));
    anchors.push_back(read(chain.root));
    ours(checker, read(leaf_at(i)), intermediates, anchors);
  });
  const double openssl_cold = microseconds(rounds, [&](std::size_t i) {
    X509_STORE* const store = X509_STORE_new();
    X509 *const root = parse(chain.root), *const ica = parse(chain.ica), *const leaf = parse(leaf_at(i));
    X509_STORE_add_cert(store, root);
    CHECK(openssl_verifies(store, ica, leaf));
    X509_free(leaf);
    X509_free(ica);
    X509_free(root);
    X509_STORE_free(store);
  });

  // Authorities are kept, the leaf is new.
  SignatureChecker checker({.keys_max = 256, .signatures_max = 64});
  std::vector<Certificate> intermediates, anchors;
  intermediates.push_back(read(chain.ica));
  anchors.push_back(read(chain.root));
  const double ours_warm = microseconds(rounds, [&](std::size_t i) { ours(checker, read(leaf_at(i)), intermediates, anchors); });
  X509_STORE* const store = X509_STORE_new();
  X509 *const root = parse(chain.root), *const ica = parse(chain.ica);
  X509_STORE_add_cert(store, root);
  const double openssl_warm = microseconds(rounds, [&](std::size_t i) {
    X509* const leaf = parse(leaf_at(i));
    CHECK(openssl_verifies(store, ica, leaf));
    X509_free(leaf);
  });

  // Everything was read before, every signature is computed: what is left beside the arithmetic.
  SignatureChecker forgetful({.keys_max = 256, .signatures_max = 0});
  const Certificate one = read(chain.leaves[0]);
  const double ours_parsed = microseconds(rounds, [&](std::size_t) { ours(forgetful, one, intermediates, anchors); });
  X509* const parsed = parse(chain.leaves[0]);
  const double openssl_parsed = microseconds(rounds, [&](std::size_t) { CHECK(openssl_verifies(store, ica, parsed)); });
  X509_free(parsed);
  X509_free(ica);
  X509_free(root);
  X509_STORE_free(store);
  const double reading = microseconds(rounds * 20, [&](std::size_t i) { read(leaf_at(i)); });
  std::printf("%-22s %10s %10s %8s\n", name, "ours us", "OpenSSL us", "ratio");
  std::printf("  %-20s %10.1f %10.1f %8.2f\n", "all from bytes", ours_cold, openssl_cold, openssl_cold / ours_cold);
  std::printf("  %-20s %10.1f %10.1f %8.2f\n", "authorities kept", ours_warm, openssl_warm, openssl_warm / ours_warm);
  std::printf("  %-20s %10.1f %10.1f %8.2f\n", "all read before", ours_parsed, openssl_parsed, openssl_parsed / ours_parsed);
  std::printf("  %-20s %10.2f\n", "reading a leaf", reading);
}

void key_sets(std::size_t rounds) {
  intake::KeySetCache cache;
  std::vector<std::string> issuers;
  for (int i = 0; i < 1'000; ++i) {
    issuers.push_back("https://partner-" + std::to_string(i) + ".example");
    cache.add_issuer(issuers.back());
    std::vector<intake::PublishedKey> keys;
    for (int k = 0; k < 4; ++k) keys.push_back({"key-" + std::to_string(k), "thumbprint", {1, 2, 3}, "ES256", false});
    cache.fetched(issuers.back(), std::move(keys), {}, {0});
  }
  const double hit = microseconds(rounds, [&](std::size_t i) {
    CHECK(cache.look_up(issuers[i * 7'919 % issuers.size()], "key-2", {1}).lookup == intake::KeyLookup::known);
  });
  std::printf("key set hit, 1000 issuers  %.3f us\n", hit);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2'000;
  compare("P-256, chain of three", make_chain(false), rounds);
  compare("RSA-2048, chain of three", make_chain(true), rounds);
  key_sets(rounds * 500);
  return 0;
}
