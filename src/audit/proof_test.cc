#include "audit/proof.h"

#include <doctest/doctest.h>

#include <string>

#include "audit/tree_in_memory.h"

using audit::Digest;
using audit::Proof;

namespace {

std::string code(const base::Status& status) { return status.ok() ? "" : status.error().code; }
template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

class BrokenReader final : public audit::HashReader {
 public:
  base::Result<Digest> node(unsigned, std::uint64_t) override { return base::Error{"file_read_failed", "tile"}; }
};

}  // namespace

TEST_CASE("every leaf of every small tree has a proof, and it proves only that") {
  audit::TreeInMemory tree = audit::counted_tree(40);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    const Digest root = tree.mth(0, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = audit::inclusion_proof(tree, index, size);
      REQUIRE(proof.ok());
      const Digest& leaf = tree.leaves()[index];
      CHECK(audit::verify_inclusion(leaf, index, size, *proof, root).ok());

      // Another number, another leaf, a longer or shorter proof, any changed hash: no.
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index) CHECK_FALSE(audit::verify_inclusion(leaf, other, size, *proof, root).ok());
      }
      CHECK(code(audit::verify_inclusion(leaf, size, size, *proof, root)) == "leaf_index_outside_tree");
      CHECK(code(audit::verify_inclusion(root, index, size, *proof, leaf)) ==
            (size == 1 ? "" : "inclusion_proof_root_differs"));
      Proof changed = *proof;
      changed.push_back(root);
      CHECK(code(audit::verify_inclusion(leaf, index, size, changed, root)) == "inclusion_proof_length_wrong");
      if (!proof->empty()) {
        changed.resize(proof->size() - 1);
        CHECK(code(audit::verify_inclusion(leaf, index, size, changed, root)) == "inclusion_proof_length_wrong");
      }
      for (std::size_t i = 0; i < proof->size(); ++i) {
        changed = *proof;
        changed[i][7] ^= 0x10;
        CHECK(code(audit::verify_inclusion(leaf, index, size, changed, root)) == "inclusion_proof_root_differs");
      }
    }
  }
}

TEST_CASE("any two sizes of a small tree are shown consistent, and only they") {
  audit::TreeInMemory tree = audit::counted_tree(40);
  for (std::uint64_t new_size = 1; new_size <= 40; ++new_size) {
    const Digest new_root = tree.mth(0, new_size);
    for (std::uint64_t old_size = 1; old_size <= new_size; ++old_size) {
      const Digest old_root = tree.mth(0, old_size);
      const auto proof = audit::consistency_proof(tree, old_size, new_size);
      REQUIRE(proof.ok());
      CHECK(audit::verify_consistency(old_size, old_root, new_size, new_root, *proof).ok());

      Digest wrong = old_root;
      wrong[0] ^= 1;
      CHECK_FALSE(audit::verify_consistency(old_size, wrong, new_size, new_root, *proof).ok());
      wrong = new_root;
      wrong[31] ^= 1;
      CHECK(code(audit::verify_consistency(old_size, old_root, new_size, wrong, *proof)) ==
            "consistency_new_root_differs");
      Proof changed = *proof;
      changed.push_back(new_root);
      CHECK(code(audit::verify_consistency(old_size, old_root, new_size, new_root, changed)) ==
            "consistency_proof_length_wrong");
      if (!proof->empty()) {
        changed.resize(proof->size() - 1);
        CHECK(code(audit::verify_consistency(old_size, old_root, new_size, new_root, changed)) ==
              "consistency_proof_length_wrong");
      }
      for (std::size_t i = 0; i < proof->size(); ++i) {
        changed = *proof;
        changed[i][7] ^= 0x10;
        CHECK_FALSE(audit::verify_consistency(old_size, old_root, new_size, new_root, changed).ok());
      }
    }
  }
}

TEST_CASE("a wrong old root is told from a wrong new root") {
  audit::TreeInMemory tree = audit::counted_tree(7);
  const auto proof = audit::consistency_proof(tree, 3, 7);
  REQUIRE(proof.ok());
  CHECK(code(audit::verify_consistency(3, tree.mth(0, 2), 7, tree.mth(0, 7), *proof)) ==
        "consistency_old_root_differs");
}

TEST_CASE("sizes that cannot be compared are refused by name") {
  audit::TreeInMemory tree = audit::counted_tree(7);
  const Digest root = tree.mth(0, 7);
  CHECK(code(audit::consistency_proof(tree, 7, 6)) == "consistency_sizes_out_of_order");
  CHECK(code(audit::consistency_proof(tree, 0, 7)) == "consistency_from_empty_tree");
  CHECK(code(audit::verify_consistency(7, root, 6, root, {})) == "consistency_sizes_out_of_order");
  CHECK(code(audit::verify_consistency(0, audit::empty_root(), 7, root, {})) == "consistency_from_empty_tree");
  CHECK(code(audit::inclusion_proof(tree, 7, 7)) == "leaf_index_outside_tree");
  CHECK(code(audit::inclusion_proof(tree, 0, 0)) == "leaf_index_outside_tree");
}

TEST_CASE("an empty tree is consistent with itself and has one root") {
  audit::TreeInMemory tree;
  REQUIRE(audit::root_at(tree, 0).ok());
  CHECK(*audit::root_at(tree, 0) == audit::empty_root());
  const auto proof = audit::consistency_proof(tree, 0, 0);
  REQUIRE(proof.ok());
  CHECK(audit::verify_consistency(0, audit::empty_root(), 0, audit::empty_root(), *proof).ok());
  CHECK(code(audit::verify_consistency(0, Digest{}, 0, Digest{}, {})) == "consistency_old_root_differs");
}

TEST_CASE("sizes up to the end of 64 bits neither overflow nor loop for ever") {
  const Digest hash{};
  CHECK(code(audit::verify_inclusion(hash, 0, UINT64_MAX, Proof(64), hash)) == "inclusion_proof_root_differs");
  CHECK(code(audit::verify_inclusion(hash, 0, UINT64_MAX, Proof(65), hash)) == "inclusion_proof_length_wrong");
  CHECK_FALSE(audit::verify_consistency(UINT64_MAX - 1, hash, UINT64_MAX, hash, Proof(64)).ok());
}

TEST_CASE("an error of the storage is handed on") {
  BrokenReader reader;
  CHECK(code(audit::root_at(reader, 3)) == "file_read_failed");
  CHECK(code(audit::inclusion_proof(reader, 1, 3)) == "file_read_failed");
  CHECK(code(audit::consistency_proof(reader, 2, 3)) == "file_read_failed");
  CHECK(code(audit::consistency_proof(reader, 3, 5)) == "file_read_failed");
}
