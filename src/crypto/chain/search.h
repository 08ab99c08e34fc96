#pragma once
// The search for a path from the leaf to an anchor. Internal to verify.cc.

#include <optional>
#include <vector>

#include "crypto/chain/verify.h"

namespace crypto::chain {

/// How far a path came; a later kind says more about what is wrong than an earlier one.
enum class Progress : std::uint8_t { nothing, no_issuer, untrusted_root, wrong_signature, faulty_certificates, broken_rule, revoked };

struct Attempt {
  Progress progress = Progress::nothing;
  std::size_t certificates = 0;  ///< on the path when it failed
  std::size_t faulty = 0;        ///< of them, with faults of their own
  Finding refusal;
  std::vector<Step> path;
  std::vector<StepRevocation> revocation;
  std::optional<MissingIssuer> missing;
  std::vector<Finding> findings;
};

/// Walks depth first, first over certificates that are sound by themselves, and only when that gives no path over all, to
/// say what is wrong.
class Search {
 public:
  Search(const Materials& materials, const Demands& demands, SignatureChecker& checker);

  /// True when a path was accepted; result() is it, or the attempt that came furthest.
  bool run();
  Attempt& result() { return best_; }

 private:
  enum class Link : std::uint8_t { good, wrong, not_supported, over_budget };

  const std::vector<Fault>& faults_of(Role role, std::size_t index);
  Link link(const Certificate& certificate, const Certificate& issuer);
  bool on_path(const Certificate& candidate) const;
  bool extend();
  bool try_issuer(Role role, std::size_t index, struct Neighbours& seen);
  void dead_end(const struct Neighbours& seen);
  bool complete();
  std::optional<Finding> broken_rule();
  bool revocation_allows(Attempt& attempt);
  Finding at_step(std::size_t step, Fault fault) const;
  void keep(Attempt attempt);

  const Materials& materials_;
  const Demands& demands_;
  SignatureChecker& checker_;
  std::vector<std::optional<std::vector<Fault>>> intermediate_faults_, anchor_faults_;
  struct KnownLink {
    const Certificate* certificate;
    const Certificate* issuer;
    Link link;
  };
  std::vector<KnownLink> links_;
  std::vector<Step> path_;
  std::vector<const Certificate*> certificates_;
  std::size_t signatures_ = 0, candidates_ = 0, paths_ = 0;
  bool only_sound_ = true;
  bool exhausted_ = false;
  Attempt best_;
};

}  // namespace crypto::chain
