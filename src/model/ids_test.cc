#include "model/ids.h"

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("transfer ids carry partition and event, and have one spelling") {
  const std::string id = transfer_id(0, 1);
  CHECK(id == "tr_0000000000001");
  CHECK(transfer_id(3, event_number_max) == "tr_000zzzzzzzzzz");
  for (const auto& [partition, event] :
       {std::pair<PartitionNumber, EventNumber>{0, 1}, {7, 123456789}, {65535, event_number_max}}) {
    const auto back = parse_transfer_id(transfer_id(partition, event));
    REQUIRE(back.has_value());
    CHECK(back->partition == partition);
    CHECK(back->event == event);
  }
  for (const char* wrong : {"", "tr_", "tr_0000000000000", "tr_000000000000", "tr_00000000000011", "TR_0000000000001",
                            "tr_000000000000A", "tr_zzzzzzzzzzzzz", "cl_1", "tr_000000000000l"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_transfer_id(wrong).has_value());
  }
}

TEST_CASE("client ids are decimal and have one spelling") {
  CHECK(client_id(17) == "cl_17");
  CHECK(parse_client_id("cl_4294967295") == 4294967295u);
  for (const char* wrong : {"", "cl_", "cl_0", "cl_01", "cl_4294967296", "cl_-1", "cl_1 ", "tr_1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_client_id(wrong).has_value());
  }
}
