// rooms: intake crypto model base
// Text repair: places stay inside of the input, and repaired text is well-formed.
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "intake/text_repair.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace intake;
  Notes notes;
  std::vector<Repair> repairs;
  const TextWork work{notes, repairs};
  auto text = decode_text({data, size}, work);
  if (!text) return 0;
  repair_characters(*text, work);
  trim(*text);
  repair_quotes(*text, work);
  repair_escapes(*text, work);
  CHECK(base::is_utf8(text->view()) || notes.has(Cause::newlines_are_escaped));
  for (std::size_t i = 0; i < text->size(); ++i) CHECK(text->origin_of(i) < size);
  for (const Finding& finding : notes.all()) CHECK(!finding.place.known() || finding.place.begin <= size);
  return 0;
}
