#include "audit/witness.h"

#include "audit/signing_for_tests.h"
#include "audit/tree_in_memory.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

using namespace audit;

namespace {

const TestSigner log_key("example.com/behind-the-sofa", NoteKeyKind::ed25519, 1);
const TestSigner stranger("example.com/behind-the-sofa", NoteKeyKind::ed25519, 2);
const NoteKey keys[] = {log_key.key};

Digest root_of(std::size_t size) { return counted_tree(size).mth(0, size); }

std::string note_of(std::uint64_t size, const Digest& root, const TestSigner& by = log_key) {
  const std::string text = checkpoint_text({.origin = by.key.name, .size = size, .root = root, .extensions = {}});
  return make_note(text, by.line(text));
}

AddCheckpoint request(std::uint64_t from, std::uint64_t to) {
  AddCheckpoint request{.old_size = from, .proof = {}, .note = note_of(to, root_of(to))};
  TreeInMemory tree = counted_tree(to);
  if (from != 0) request.proof = consistency_proof(tree, from, to).value();
  return request;
}

int status(const AddCheckpoint& asked, std::optional<WitnessedTree> known = {}) { return judge_add_checkpoint(asked, keys, known).status; }

}  // namespace

TEST_CASE("a witness follows a log that only grows") {
  CHECK_EQ(status(request(0, 5)), 200);
  CHECK_EQ(status(request(0, 0)), 200);
  const WitnessedTree at_5{5, root_of(5)};
  const WitnessAnswer answer = judge_add_checkpoint(request(5, 12), keys, at_5);
  CHECK_EQ(answer.status, 200);
  CHECK_EQ(answer.checkpoint->size, 12);
  CHECK(note_of(12, root_of(12)).ends_with(answer.log_line));
  CHECK_EQ(status(request(5, 5), at_5), 200);
}

TEST_CASE("a witness refuses everything else, with the status the specification names") {
  const WitnessedTree at_5{5, root_of(5)};
  const WitnessAnswer behind = judge_add_checkpoint(request(3, 12), keys, at_5);
  CHECK_EQ(behind.status, 409);
  CHECK_EQ(behind.why, "5\n");
  CHECK_EQ(status(request(0, 3), at_5), 409);    // an older copy
  CHECK_EQ(status(request(3, 12)), 409);         // never seen: it has to be 0
  AddCheckpoint fork = request(5, 12);
  fork.note = note_of(12, root_of(11));
  CHECK_EQ(status(fork, at_5), 422);
  AddCheckpoint same_size = request(5, 5);
  same_size.note = note_of(5, root_of(4));
  CHECK_EQ(status(same_size, at_5), 422);
  AddCheckpoint with_proof = request(0, 5);
  with_proof.proof.push_back({});
  CHECK_EQ(status(with_proof), 422);
  CHECK_EQ(status({.old_size = 0, .proof = {}, .note = note_of(0, root_of(1))}), 422);
  CHECK_EQ(status({.old_size = 9, .proof = {}, .note = note_of(5, root_of(5))}), 400);
  CHECK_EQ(status({.old_size = 0, .proof = {}, .note = "nonsense"}), 400);
  CHECK_EQ(status({.old_size = 0, .proof = {}, .note = note_of(5, root_of(5), stranger)}), 403);
  CHECK_EQ(status({.old_size = 0, .proof = {}, .note = note_of(5, root_of(5), TestSigner("other", NoteKeyKind::ed25519, 1))}), 404);
}

TEST_CASE("the body of the request, as the specification shows it") {
  const std::string body =
      "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
      "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
      "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
  const auto parsed = parse_add_checkpoint(body);
  REQUIRE(parsed.ok());
  CHECK_EQ(parsed->old_size, 20852014);
  CHECK_EQ(parsed->proof.size(), 4);
  CHECK_EQ(add_checkpoint_text(*parsed), body);
  CHECK_EQ(unverified_checkpoint(parsed->note)->size, 20852163);
  for (const char* bad : {"", "old 1", "old 01\n\nx", "old x\n\n", "new 1\n\n", "old 1\nabc\n\n", "old 1\n"}) {
    CHECK_EQ(std::string(parse_add_checkpoint(bad).error().code), "add_checkpoint_malformed");
  }
}
