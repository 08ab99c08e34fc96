#include "audit/checkpoint.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "audit/signing_for_tests.h"
#include "base/text.h"

using audit::Checkpoint;
using audit::NoteKeyKind;

namespace {

// The example of c2sp.org/tlog-cosignature (c2sp.org/tlog-checkpoint has the same without the second line).
const std::string example_text =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const std::string example_note =
    example_text +
    "\n— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

const audit::TestSigner log_key("log.example", NoteKeyKind::ed25519, 1);
const audit::TestSigner witness_1("w1.example", NoteKeyKind::cosignature_v1, 2);
const audit::TestSigner witness_2("w2.example", NoteKeyKind::cosignature_v1, 3);

Checkpoint some_checkpoint() {
  Checkpoint checkpoint{"log.example", 42, {}, {}};
  checkpoint.root.fill(0xAB);
  return checkpoint;
}

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("the C2SP example checkpoint is read and written the same") {
  const auto note = audit::parse_note(example_note);
  REQUIRE(note.ok());
  CHECK(note->text == example_text);
  REQUIRE(note->signatures.size() == 2);
  CHECK(note->signatures[0].key_id == 0x033de0ae);
  CHECK(note->signatures[1].name == "witness.example.com/w1");
  // The cosignature's first eight bytes are the time that the specification prints.
  CHECK(base::to_hex(base::ByteView(note->signatures[1].signature).first(8)) == "00000000641850cb");
  CHECK(audit::cosigned_message(note->text, 1679315147) == "cosignature/v1\ntime 1679315147\n" + example_text);

  const auto checkpoint = audit::parse_checkpoint_text(note->text);
  REQUIRE(checkpoint.ok());
  CHECK(checkpoint->origin == "example.com/behind-the-sofa");
  CHECK(checkpoint->size == 20852163);
  CHECK(base::to_hex(checkpoint->root) == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
  CHECK(audit::checkpoint_text(*checkpoint) == example_text);
}

TEST_CASE("extension lines survive") {
  Checkpoint checkpoint = some_checkpoint();
  checkpoint.extensions = {"one", "two words"};
  const auto back = audit::parse_checkpoint_text(audit::checkpoint_text(checkpoint));
  REQUIRE(back.ok());
  CHECK(*back == checkpoint);
}

TEST_CASE("what is not a checkpoint is refused") {
  const std::string root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
  for (const std::string& text :
       {std::string(), std::string("o\n"), std::string("o\n1\n"), "o\n1\n" + root, "\n1\n" + root + "\n",
        "o\n\n" + root + "\n", "o\n01\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n+1\n" + root + "\n",
        "o\n1 \n" + root + "\n", "o\n0x1\n" + root + "\n", "o\n18446744073709551616\n" + root + "\n",
        "o\n1\n" + root.substr(1) + "\n", std::string("o\n1\nAAAA\n"), "o\n1\n" + root + "\n\n",
        "o\n1\n" + root + "\next\n\next\n", "o\n1\n" + root + "\next"}) {
    CAPTURE(text);
    CHECK(code(audit::parse_checkpoint_text(text)) == "checkpoint_malformed");
  }
  CHECK(audit::parse_checkpoint_text("o\n0\n" + root + "\n").ok());
  CHECK(audit::parse_checkpoint_text("o\n18446744073709551615\n" + root + "\n").ok());
}

TEST_CASE("a checkpoint is believed with the log's signature, and its witnesses are counted") {
  const Checkpoint checkpoint = some_checkpoint();
  const std::string text = audit::checkpoint_text(checkpoint);
  const std::string note =
      audit::make_checkpoint_note(checkpoint, log_key.key, crypto::ed25519_sign(log_key.seed, base::as_bytes(text))) +
      witness_1.line(text, 1000) + witness_2.line(text, 2000);
  const std::vector<audit::NoteKey> logs{log_key.key};
  const std::vector<audit::NoteKey> witnesses{witness_2.key};
  const auto verified = audit::verify_checkpoint_note(note, "log.example", logs, witnesses);
  REQUIRE(verified.ok());
  CHECK(verified->checkpoint == checkpoint);
  REQUIRE(verified->cosignatures.size() == 1);
  CHECK(verified->cosignatures[0].key == 0);
  CHECK(verified->cosignatures[0].seconds == 2000);

  CHECK(audit::verify_checkpoint_note(note, "log.example", logs, {})->cosignatures.empty());
  CHECK(code(audit::verify_checkpoint_note(note, "other.example", logs, witnesses)) == "checkpoint_of_another_log");
  CHECK(code(audit::verify_checkpoint_note(note, "log.example", {}, witnesses)) == "checkpoint_not_signed_by_log");
  CHECK(code(audit::verify_checkpoint_note(note, "log.example", {}, {})) == "note_signed_by_no_known_key");
  CHECK(code(audit::verify_checkpoint_note("x", "log.example", logs, {})) == "note_malformed");
}

TEST_CASE("a key is believed only in its own part") {
  const Checkpoint checkpoint = some_checkpoint();
  const std::string text = audit::checkpoint_text(checkpoint);
  const std::vector<audit::NoteKey> logs{log_key.key};
  const std::vector<audit::NoteKey> witnesses{witness_1.key};
  // A witness key configured as the log's, and the log's as a witness.
  const std::string witnessed = audit::make_note(text, witness_1.line(text, 5));
  CHECK(code(audit::verify_checkpoint_note(witnessed, "log.example", witnesses, {})) == "checkpoint_not_signed_by_log");
  const std::string signed_twice = audit::make_note(text, log_key.line(text));
  CHECK(code(audit::verify_checkpoint_note(signed_twice, "log.example", {}, logs)) == "checkpoint_not_signed_by_log");
}

TEST_CASE("a signed text that is no checkpoint is refused, and so is a spoiled signature") {
  const std::vector<audit::NoteKey> logs{log_key.key};
  const std::string prose = "not a checkpoint\n";
  CHECK(code(audit::verify_checkpoint_note(audit::make_note(prose, log_key.line(prose)), "log.example", logs, {})) ==
        "checkpoint_malformed");
  const std::string text = audit::checkpoint_text(some_checkpoint());
  CHECK(code(audit::verify_checkpoint_note(audit::make_note(text, log_key.line(prose)), "log.example", logs, {})) ==
        "note_signature_wrong");
}
