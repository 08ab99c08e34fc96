#include "model/event_subject.h"

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("steps of a transfer over a rail name it, its request is it") {
  CHECK(transfer_of(TransferRequested{}, 7) == 7);
  TransferMoved moved;
  moved.transfer = 7;
  CHECK(transfer_of(moved, 9) == 7);
  RefundCounted counted;
  counted.original = 7;
  counted.refund = 8;
  CHECK(transfer_of(counted, 9) == 7);
  CHECK(transfer_of(TransferPosted{}, 9) == 0);
  LineRecorded line;   // says something of a transfer, and is a step of none
  line.belongs_to = 7;
  CHECK(transfer_of(line, 9) == 0);
}

TEST_CASE("events of imports name the import, what happens to a version later names the version alone") {
  CHECK(import_of(ImportReceived{}, 7) == 7);
  CHECK_FALSE(version_of(ImportReceived{}).has_value());
  ImportVoted voted;
  voted.import = 7;
  CHECK(import_of(voted, 9) == 7);
  KeyVersionAdded added;
  added.key = 3;
  added.version = 2;
  added.import = 7;
  CHECK(import_of(added, 9) == 7);
  CHECK(version_of(added) == KeyVersionName{3, 2});
  KeyVersionMoved moved;
  moved.key = 3;
  moved.version = 2;
  CHECK(import_of(moved, 9) == 0);
  CHECK(version_of(moved) == KeyVersionName{3, 2});
  KeyExpiryWarned warned;
  warned.key = 3;
  warned.version = 2;
  CHECK(version_of(warned) == KeyVersionName{3, 2});
  CHECK(import_of(TransferPosted{}, 9) == 0);
  LogKeyChanged changed;   // a version of our own key, which is none of these
  changed.version = 2;
  CHECK_FALSE(version_of(changed).has_value());
}
