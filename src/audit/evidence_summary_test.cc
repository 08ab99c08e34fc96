#include "audit/evidence_summary.h"

#include <doctest/doctest.h>

TEST_CASE("text of strangers tells a terminal nothing") {
  CHECK(audit::printable("Miete für März €1") == "Miete für März €1");
  CHECK(audit::printable("\x1B[2J\x7F\r\n") == "?[2J???");
  CHECK(audit::printable("a\xC2\x9B" "1mb\xC2\x80\xC2\xA0") == "a?1mb?\xC2\xA0");
  CHECK(audit::printable("\xC2") == "\xC2");
}
