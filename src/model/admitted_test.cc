#include "model/admitted.h"

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("the hash of an account's name depends on tenant and name") {
  CHECK(account_name_hash(1, "users/1") == account_name_hash(1, "users/1"));
  CHECK(account_name_hash(1, "users/1") != account_name_hash(2, "users/1"));
  CHECK(account_name_hash(1, "users/1") != account_name_hash(1, "users/2"));
}
