#pragma once
// The search for the one deviation (or the two) under which a signature would verify. It names causes; it accepts nothing.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trial/specimen.h"

namespace trial {

inline constexpr unsigned variants_max = 256;

/// How much a search may do: a number of checks, and whatever else the caller counts (its clock, 200 ms). No clock in here.
class Steps {
 public:
  explicit Steps(unsigned most = variants_max, std::function<bool()> may_go_on = {})
      : left_(most), may_go_on_(std::move(may_go_on)) {}
  /// Takes one step; false when there is none left.
  bool take();
  unsigned taken() const { return taken_; }
  bool exhausted() const { return exhausted_; }

 private:
  unsigned left_, taken_ = 0;
  bool exhausted_ = false;
  std::function<bool()> may_go_on_;
};

struct Deviation {
  intake::Cause cause{};
  std::string what;
};

/// A reading of the message under which the signature is good.
struct Fit {
  const TrialKey* key = nullptr;  ///< null for a MAC
  std::size_t secret = 0;         ///< for a MAC: which reading of the secret
  base::Bytes signature;          ///< octets
  Scheme scheme;
  std::string base;
  std::vector<Deviation> deviations;  ///< none: as agreed
};

/// The octets of the signature as the convention encodes it; nothing when it is not text of that encoding.
std::optional<base::Bytes> agreed_octets(const Specimen& specimen, const std::string& signature);

/// What it means that a key of this kind cannot make signatures of the scheme.
intake::Cause misfit(crypto::chain::KeyKind kind, const Scheme& scheme);

/// `agreed`: the key the message should verify under; null for MACs, or when there is none.
std::optional<Fit> search(const Specimen& specimen, const KeyRing& ring, const TrialKey* agreed, Steps& steps);

}  // namespace trial
