#include "store/deliveries/delivery_store.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

using namespace store;
using model::WebhookEvent;

namespace {

struct Place {
  Place() {
    char text[] = "/tmp/holdfast-deliveries-XXXXXX";
    directory = ::mkdtemp(text);
    path = directory + "/deliveries.sqlite";
  }
  ~Place() { std::filesystem::remove_all(directory); }
  std::string directory, path;
};

constexpr base::Tag128 journal{1}, another{2};

AttemptRow attempt(model::EventNumber event, std::uint32_t count, AttemptOutcome outcome = AttemptOutcome::failed) {
  return {.number = 0, .event = event, .type = WebhookEvent::transfer_settled, .attempt = count, .at = {5}, .outcome = outcome,
          .status = 500, .failure = "", .next_at = {7}};
}

}  // namespace

TEST_CASE("progress, messages and attempts survive, and are seen by a reader beside the writer") {
  Place place;
  {
    auto store = DeliveryStore::open(place.path, journal);
    REQUIRE(store.ok());
    CHECK(store->made_anew());
    REQUIRE(store->begin().ok());
    REQUIRE(store->put_progress(1, {.told_through = 9, .failing_since = {3}, .delivered_at = {2}}).ok());
    REQUIRE(store->put_message(1, {.event = 7, .type = WebhookEvent::case_opened, .attempts = 0}).ok());
    REQUIRE(store->put_message(1, {.event = 5, .type = WebhookEvent::transfer_settled, .attempts = 0}).ok());
    REQUIRE(store->count_attempt(1, 5, 2, {40}).ok());
    REQUIRE(store->put_attempt(1, attempt(5, 1)).ok());
    REQUIRE(store->put_attempt(1, attempt(5, 2)).ok());
    REQUIRE(store->put_attempt(2, attempt(5, 1)).ok());
    REQUIRE(store->commit().ok());
    CHECK_FALSE(store->in_transaction());

    auto reader = DeliveryReader::open(place.path);
    REQUIRE(reader.ok());
    CHECK(reader->summary(1)->waiting == 2);
    const auto rows = reader->attempts(1, 0, 10);
    REQUIRE(rows.ok());
    REQUIRE(rows->size() == 2);
    CHECK(rows->front().attempt == 2);
    CHECK(rows->front().next_at.ns == 7);
    CHECK(reader->attempts(1, rows->front().number, 10)->size() == 1);
    CHECK(reader->attempts(3, 0, 10)->empty());
  }
  auto again = DeliveryStore::open(place.path, journal);
  REQUIRE(again.ok());
  CHECK_FALSE(again->made_anew());
  CHECK(*again->progress(1) == DeliveryProgress{.told_through = 9, .failing_since = {3}, .delivered_at = {2}});
  CHECK(*again->progress(2) == DeliveryProgress{});
  const auto waiting = again->waiting(1, 10);
  REQUIRE(waiting->size() == 2);
  CHECK((*waiting)[0] == PendingMessage{.event = 5, .type = WebhookEvent::transfer_settled, .attempts = 2, .next_at = {40}});
  CHECK((*waiting)[1] == PendingMessage{.event = 7, .type = WebhookEvent::case_opened, .attempts = 0});
  CHECK(again->waiting(1, 1)->size() == 1);
}

TEST_CASE("what was not committed is not there") {
  Place place;
  {
    auto store = DeliveryStore::open(place.path, journal);
    REQUIRE(store->begin().ok());
    REQUIRE(store->put_progress(1, {.told_through = 9}).ok());
  }
  auto store = DeliveryStore::open(place.path, journal);
  CHECK(store->progress(1)->told_through == 0);
}

TEST_CASE("a message given up waits for people, and can be told again") {
  Place place;
  auto store = DeliveryStore::open(place.path, journal);
  REQUIRE(store->put_message(1, {.event = 5, .type = WebhookEvent::transfer_failed, .attempts = 0}).ok());
  REQUIRE(store->count_attempt(1, 5, 11, {}).ok());
  REQUIRE(store->give_up(1, 5, {100}).ok());
  CHECK(store->waiting(1, 10)->empty());
  CHECK(store->given_up_since(1, {101})->empty());
  const auto given_up = store->given_up_since(1, {100});
  REQUIRE(given_up->size() == 1);
  CHECK((*given_up)[0].attempts == 11);
  REQUIRE(store->put_message(1, {.event = 5, .type = WebhookEvent::transfer_failed, .attempts = 0}).ok());
  CHECK(store->waiting(1, 10)->size() == 1);
  CHECK(store->waiting(1, 10)->front().attempts == 0);
  REQUIRE(store->remove_message(1, 5).ok());
  CHECK(store->waiting(1, 10)->empty());
}

TEST_CASE("only the newest attempts are kept, and nothing of a forgotten endpoint") {
  Place place;
  auto store = DeliveryStore::open(place.path, journal);
  REQUIRE(store->begin().ok());
  for (std::uint32_t i = 1; i <= attempts_kept + 5; ++i) REQUIRE(store->put_attempt(1, attempt(5, i)).ok());
  REQUIRE(store->put_attempt(2, attempt(5, 1)).ok());
  REQUIRE(store->commit().ok());
  auto reader = DeliveryReader::open(place.path);
  const auto oldest = reader->attempts(1, 7, 100);
  REQUIRE(oldest.ok());
  REQUIRE(oldest->size() == 1);
  CHECK(oldest->front().attempt == 6);
  REQUIRE(store->forget(1).ok());
  CHECK(reader->attempts(1, 0, 10)->empty());
  CHECK(reader->attempts(2, 0, 10)->size() == 1);
}

TEST_CASE("one that is damaged or of another log is made anew") {
  Place place;
  REQUIRE(DeliveryStore::open(place.path, journal)->put_progress(1, {.told_through = 9}).ok());
  auto other = DeliveryStore::open(place.path, another);
  REQUIRE(other.ok());
  CHECK(other->made_anew());
  CHECK(other->progress(1)->told_through == 0);
  std::filesystem::remove_all(place.path + "-wal");
  std::ofstream(place.path, std::ios::trunc) << "this is no database, but it is long enough to be looked at as one";
  auto damaged = DeliveryStore::open(place.path, another);
  REQUIRE(damaged.ok());
  CHECK(damaged->made_anew());
}

TEST_CASE("a row that another hand changed is noticed, whichever it is") {
  for (const char* change : {"UPDATE progress SET told_through = 90", "UPDATE messages SET state = 2", "UPDATE attempts SET status = 200"}) {
    CAPTURE(change);
    Place place;
    {
      auto store = DeliveryStore::open(place.path, journal);
      REQUIRE(store->put_progress(1, {.told_through = 9}).ok());
      REQUIRE(store->put_message(1, {.event = 10, .type = WebhookEvent::case_opened}).ok());
      REQUIRE(store->count_attempt(1, 10, 3, {8}).ok());
      REQUIRE(store->put_attempt(1, attempt(10, 3)).ok());
    }
    REQUIRE(DeliveryStore::verify(place.path, journal).ok());
    CHECK(std::string_view(DeliveryStore::verify(place.path, another).error().code) == "deliveries_damaged");
    REQUIRE(Connection::open(place.path, Connection::Mode::read_write)->execute(change).ok());
    const base::Status seen = DeliveryStore::verify(place.path, journal);
    REQUIRE_FALSE(seen.ok());
    CHECK(std::string_view(seen.error().code) == "deliveries_damaged");
    CHECK(seen.error().message.find(place.path) != std::string::npos);
    CHECK(DeliveryStore::open(place.path, journal)->made_anew());
  }
}

TEST_CASE("a place that cannot be written is an error") {
  const auto store = DeliveryStore::open("/nonexistent/deliveries.sqlite", journal);
  REQUIRE_FALSE(store.ok());
  CHECK(std::string_view(store.error().code) == "deliveries_write_failed");
  CHECK(std::string_view(DeliveryStore::verify("/nonexistent/deliveries.sqlite", journal).error().code) == "deliveries_write_failed");
  const auto reader = DeliveryReader::open("/nonexistent/deliveries.sqlite");
  REQUIRE_FALSE(reader.ok());
  CHECK(std::string_view(reader.error().code) == "deliveries_read_failed");
}

TEST_CASE("outcomes have names") {
  CHECK(to_text(AttemptOutcome::delivered) == "delivered");
  CHECK(to_text(AttemptOutcome::failed) == "failed");
  CHECK(to_text(AttemptOutcome::given_up) == "given_up");
  CHECK(to_text(AttemptOutcome::endpoint_gone) == "endpoint_gone");
}
