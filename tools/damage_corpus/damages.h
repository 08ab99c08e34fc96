#pragma once
// One generator for each file-borne cause: a clean input goes in, damaged bytes and the cause the doctor must name come out.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clean_keys.h"

namespace corpus {

/// What a damaged input must lead to.
enum class Fate {
  repaired,   ///< usable, canonical bytes identical to those of the clean input
  accepted,   ///< usable (a converted or remarked form)
  refused,    ///< not usable
};

struct Damaged {
  std::string bytes;
  intake::Expectations expected;   ///< `kind` and password of the trial
};

struct Damage {
  intake::Cause cause;
  std::string name;
  Fate fate;
  bool is_transport = false;       ///< damage on the way, which any repairable input can suffer
  /// Nothing when the damage does not apply to this input.
  std::function<std::optional<Damaged>(Dice&, const Clean&, const std::vector<Clean>&)> make;
};

const std::vector<Damage>& all_damages();

/// The PEM of `clean` with one base64 digit replaced by another: no cause is demanded, only that no other key comes out.
std::string flipped(Dice& dice, const Clean& clean);

/// Text damages that can be put on top of one another: text in, text out.
struct TextDamage {
  intake::Cause cause;
  std::string name;
  int order;   ///< the layer it acts on: 0 boundaries and body, 1 lines, 2 escapes, 3 quotes, 4 character set
  std::function<std::optional<std::string>(Dice&, std::string)> make;
};
const std::vector<TextDamage>& text_damages();

}  // namespace corpus
