// rooms: trial wire intake crypto model base
// A case of any content: the reader, every convention, the search, and both renderings of the answer.
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "trial/trial.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto one = trial::read_case(text);
  if (!one.ok()) {
    CHECK(std::string_view(one.error().code).starts_with("trial_case_"));
    return 0;
  }
  trial::Steps steps(24);  // each is a real signature check
  const trial::Answer answer = trial::try_case(*one, steps);
  CHECK(steps.taken() <= 24);
  CHECK(!answer.verified || (answer.signature_is_good && answer.deviations.empty()));
  CHECK(answer.verified || answer.cause() != nullptr);
  CHECK(base::is_utf8(trial::to_json(answer)));
  CHECK(!trial::to_text(answer).empty());
  return 0;
}
