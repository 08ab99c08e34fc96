#include "audit/tlog_proof.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "audit/signing_for_tests.h"
#include "audit/tree_in_memory.h"
#include "base/text.h"

using audit::NoteKeyKind;

namespace {

// The example of c2sp.org/tlog-proof; the document shortens the signatures, so the checkpoint ends at its text.
const std::string example =
    "c2sp.org/tlog-proof@v1\n"
    "extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n"
    "index 73894\n"
    "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
    "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
    "EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n"
    "RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n"
    "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n"
    "\n"
    "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n";

const audit::TestSigner log_key("log.example", NoteKeyKind::ed25519, 1);
const audit::TestSigner witness("w.example", NoteKeyKind::cosignature_v1, 2);

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("the C2SP example proof is read") {
  const auto proof = audit::parse_tlog_proof(example);
  REQUIRE(proof.ok());
  REQUIRE(proof->extra);
  CHECK(base::as_text(*proof->extra).starts_with("age-v1.2.1-darwin-arm64.tar.gz"));
  CHECK(proof->index == 73894);
  REQUIRE(proof->path.size() == 5);
  CHECK(base::to_base64(proof->path[4]) == "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=");
  CHECK(proof->checkpoint.starts_with("example.com/fancylog\n109482\n"));
  CHECK(audit::tlog_proof_text(*proof) == example);
}

TEST_CASE("a proof made from a tree holds for its leaf alone") {
  audit::TreeInMemory tree = audit::counted_tree(11);
  const std::string text = audit::checkpoint_text({"log.example", 11, tree.mth(0, 11), {}});
  const std::string note = audit::make_note(text, log_key.line(text)) + witness.line(text, 77);
  const std::vector<audit::NoteKey> logs{log_key.key};
  const std::vector<audit::NoteKey> witnesses{witness.key};
  for (std::uint64_t index = 0; index < 11; ++index) {
    const auto path = audit::inclusion_proof(tree, index, 11);
    REQUIRE(path.ok());
    const std::string proof = audit::tlog_proof_text({std::nullopt, index, *path, note});
    const auto verified = audit::verify_tlog_proof(proof, tree.leaves()[index], "log.example", logs, witnesses);
    REQUIRE(verified.ok());
    CHECK(verified->checkpoint.size == 11);
    CHECK(verified->cosignatures.size() == 1);
    CHECK(code(audit::verify_tlog_proof(proof, tree.leaves()[(index + 1) % 11], "log.example", logs, witnesses)) ==
          "inclusion_proof_root_differs");
    CHECK(code(audit::verify_tlog_proof(proof, tree.leaves()[index], "x", logs, {})) == "checkpoint_of_another_log");
    CHECK(code(audit::verify_tlog_proof(proof, tree.leaves()[index], "log.example", {}, witnesses)) ==
          "checkpoint_not_signed_by_log");
  }
  const std::string outside = audit::tlog_proof_text({std::nullopt, 11, {}, note});
  CHECK(code(audit::verify_tlog_proof(outside, tree.leaves()[0], "log.example", logs, {})) ==
        "leaf_index_outside_tree");
  const std::string cut = audit::tlog_proof_text({std::nullopt, 5, {}, note});
  CHECK(code(audit::verify_tlog_proof(cut, tree.leaves()[5], "log.example", logs, {})) ==
        "inclusion_proof_length_wrong");
  CHECK(code(audit::verify_tlog_proof("c2sp.org/tlog-proof@v2\n", tree.leaves()[5], "log.example", logs, {})) ==
        "tlog_proof_malformed");
}

TEST_CASE("what is not a proof is refused") {
  const std::string hash = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n";
  const std::string start = "c2sp.org/tlog-proof@v1\n";
  std::string hashes;
  for (int i = 0; i < 64; ++i) hashes += hash;
  CHECK(audit::parse_tlog_proof(start + "index 0\n" + hashes + "\nnote").ok());
  for (const std::string& text :
       {std::string(), start, start + "index 0\n", start + "index 0", start + "\nnote", start + "index 00\n\nnote",
        start + "index \n\nnote", start + "index -1\n\nnote", start + "index 18446744073709551616\n\nnote",
        start + "extra AAA\nindex 0\n\nnote", start + "index 0\nextra AAAA\n\nnote", start + "index 0\nAAAA\n\nnote",
        start + "index 0\n" + hash, start + "index 0\n" + hashes + hash + "\nnote", "x" + start + "index 0\n\nnote",
        std::string("c2sp.org/tlog-proof@v2\nindex 0\n\nnote"),
        start + "index 0\n\n" + std::string(audit::note_bytes_max, 'x')}) {
    CHECK(code(audit::parse_tlog_proof(text)) == "tlog_proof_malformed");
  }
}
