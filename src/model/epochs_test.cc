#include "model/epochs.h"

#include <doctest/doctest.h>

namespace model {

TEST_CASE("names of events say the epoch once there was a restore") {
  Epochs epochs;
  CHECK(epochs.of(1) == 1);
  CHECK(epochs.of(event_number_max) == 1);
  CHECK(epochs.reference(0, 129) == "tr_0000000000041");
  CHECK(epochs.message_id(0, 129) == "msg_0000000000041");

  epochs.begin(2, 100);
  epochs.begin(5, 200);
  CHECK(epochs.of(99) == 1);
  CHECK(epochs.of(100) == 2);
  CHECK(epochs.of(199) == 2);
  CHECK(epochs.of(200) == 5);
  CHECK(epochs.reference(0, 99) == transfer_id(0, 99));
  CHECK(epochs.reference(0, 129) == "tr_0000000000041-2");
  CHECK(epochs.message_id(0, 200) == "msg_0000000000068-5");
}

TEST_CASE("a name from a history that a restore undid names nothing") {
  Epochs epochs;
  epochs.begin(2, 100);
  for (const EventNumber event : {EventNumber{1}, EventNumber{99}, EventNumber{100}, event_number_max}) {
    CHECK(epochs.event_of_reference(0, epochs.reference(0, event)) == event);
    CHECK(epochs.event_of_message(0, epochs.message_id(0, event)) == event);
    CHECK(epochs.event_of_reference(1, epochs.reference(0, event)) == 0);
    CHECK(epochs.event_of_message(1, epochs.message_id(0, event)) == 0);
  }
  CHECK(epochs.event_of_reference(0, transfer_id(0, 100)) == 0);   // paid under it before the restore
  CHECK(epochs.event_of_message(0, "msg_0000000000034") == 0);
  for (const char* wrong : {"", "tr_", "tr_0000000000034-", "tr_0000000000034-1", "tr_0000000000034-02", "tr_0000000000034-3",
                            "tr_0000000000034-2x", "tr_0000000000034-2-2", "msg_0000000000034-2"}) {
    CHECK(epochs.event_of_reference(0, wrong) == 0);
  }
  CHECK(epochs.event_of_reference(0, "tr_0000000000034-2") == 100);
  CHECK(epochs.event_of_message(0, "tr_0000000000034-2") == 0);
}

}  // namespace model
