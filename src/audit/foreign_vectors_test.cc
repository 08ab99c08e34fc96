// The vectors of transparency-dev/merkle: hundreds of cases that must pass or must fail. Used where they are present:
// HOLDFAST_VECTORS, or ../shared/vectors beside the source tree.

// clang-format off
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "audit/proof.h"
#include "base/text.h"
// Last, because it brings the CHECK of tests.
#include <doctest/doctest.h>
// clang-format on

using nlohmann::json;

namespace {

std::filesystem::path vectors() {
  const char* const given = std::getenv("HOLDFAST_VECTORS");
  const std::filesystem::path root = given != nullptr
                                         ? std::filesystem::path(given)
                                         : std::filesystem::path(HOLDFAST_SOURCE_DIR) / "../shared/vectors";
  return root / "merkle";
}

// A hash of another length than 32 bytes cannot even be stated in our types: the case is then refused, as it must be.
std::optional<audit::Digest> digest(const json& text) {
  const auto bytes = base::parse_base64(text.get<std::string>());
  if (!bytes || bytes->size() != 32) return std::nullopt;
  audit::Digest hash;
  std::ranges::copy(*bytes, hash.begin());
  return hash;
}

std::optional<audit::Proof> proof_of(const json& list) {
  audit::Proof proof;
  if (list.is_null()) return proof;
  for (const json& item : list) {
    const auto hash = digest(item);
    if (!hash) return std::nullopt;
    proof.push_back(*hash);
  }
  return proof;
}

bool inclusion_holds(const json& vector) {
  const auto leaf = digest(vector["leafHash"]);
  const auto root = digest(vector["root"]);
  const auto proof = proof_of(vector["proof"]);
  return leaf && root && proof &&
         audit::verify_inclusion(*leaf, vector["leafIdx"], vector["treeSize"], *proof, *root).ok();
}

// Some cases are about equality alone and use short texts for roots: their SHA-256 has the same equalities.
audit::Digest root_or_stand_in(const json& text) {
  if (const auto hash = digest(text)) return *hash;
  return audit::leaf_hash(base::as_bytes(text.get<std::string>()));
}

bool consistency_holds(const json& vector) {
  const auto proof = proof_of(vector["proof"]);
  return proof && audit::verify_consistency(vector["size1"], root_or_stand_in(vector["root1"]), vector["size2"],
                                            root_or_stand_in(vector["root2"]), *proof)
                      .ok();
}

void run(const char* folder, bool (*holds)(const json&)) {
  if (!std::filesystem::exists(vectors() / folder)) {
    MESSAGE("skipped: no foreign vectors at ", (vectors() / folder).string());
    return;
  }
  int good = 0;
  int bad = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(vectors() / folder)) {
    if (file.path().extension() != ".json") continue;
    std::ifstream in(file.path());
    const json vector = json::parse(in);
    const bool must_fail = vector["wantErr"];
    CAPTURE(file.path().string());
    CHECK(holds(vector) != must_fail);
    (must_fail ? bad : good)++;
  }
  // Both kinds were there: a loop over nothing proves nothing.
  CHECK(good > 0);
  CHECK(bad > 0);
}

}  // namespace

TEST_CASE("inclusion proofs agree with the vectors of transparency-dev") { run("inclusion", inclusion_holds); }

TEST_CASE("consistency proofs agree with the vectors of transparency-dev") { run("consistency", consistency_holds); }
