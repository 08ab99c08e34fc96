#include "audit/note.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "audit/signing_for_tests.h"
#include "base/text.h"

using audit::NoteKey;
using audit::NoteKeyKind;

namespace {

// The example of c2sp.org/signed-note, with its verifier key.
const std::string example_vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const std::string example_text = "This is an example message.\n";
const std::string example_line =
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const std::string example_note = example_text + "\n" + example_line;

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

audit::Note parsed(const std::string& text) {
  auto note = audit::parse_note(text);
  REQUIRE(note.ok());
  return *note;
}

}  // namespace

TEST_CASE("the C2SP example note is verified by its verifier key") {
  const auto key = audit::parse_vkey(example_vkey);
  REQUIRE(key.ok());
  CHECK(key->name == "example.com/foo");
  CHECK(key->kind == NoteKeyKind::ed25519);
  CHECK(key->id() == 0x530d903a);
  CHECK(audit::to_vkey(*key) == example_vkey);

  const audit::Note note = parsed(example_note);
  CHECK(note.text == example_text);
  REQUIRE(note.signatures.size() == 1);
  CHECK(note.signatures[0].name == "example.com/foo");
  CHECK(note.signatures[0].key_id == 0x530d903a);
  const auto verified = audit::verify_note(note, std::span(&*key, 1));
  REQUIRE(verified.ok());
  CHECK(verified->size() == 1);
  CHECK(audit::make_note(example_text, audit::signature_line(key->name, key->id(), note.signatures[0].signature)) ==
        example_note);
}

TEST_CASE("a text may contain blank lines: the last one ends it") {
  // The first example of c2sp.org/signed-note.
  const std::string text =
      "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
  const audit::Note note =
      parsed(text +
             "\n— quasimodo.example/salvatore "
             "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n");
  CHECK(note.text == text);
  CHECK(note.signatures[0].signature.size() == 64);
}

TEST_CASE("any changed byte of the example's text or signature spoils it") {
  const auto key = audit::parse_vkey(example_vkey);
  REQUIRE(key.ok());
  for (std::size_t at = 0; at < example_note.size(); ++at) {
    std::string changed = example_note;
    changed[at] = changed[at] == 'B' ? 'C' : 'B';
    const auto note = audit::parse_note(changed);
    if (!note.ok()) continue;
    CAPTURE(changed);
    CHECK_FALSE(audit::verify_note(*note, std::span(&*key, 1)).ok());
  }
}

TEST_CASE("signatures of unknown keys are ignored, a wrong one of a known key spoils the note") {
  const audit::TestSigner a("a.example/log", NoteKeyKind::ed25519, 1);
  const audit::TestSigner b("b.example/log", NoteKeyKind::ed25519, 2);
  const std::string text = "some text\n";
  const std::string both = audit::make_note(text, a.line(text)) + b.line(text);
  const std::vector<NoteKey> keys{a.key, b.key};

  CHECK(audit::verify_note(parsed(both), keys)->size() == 2);
  const auto only_b = audit::verify_note(parsed(both), std::span(keys).subspan(1));
  REQUIRE(only_b.ok());
  CHECK(only_b->size() == 1);
  CHECK(only_b->front().key == 0);
  CHECK(code(audit::verify_note(parsed(both), {})) == "note_signed_by_no_known_key");

  const std::string spoiled = audit::make_note(text, a.line(text)) + b.line("other text\n");
  CHECK(code(audit::verify_note(parsed(spoiled), keys)) == "note_signature_wrong");
  CHECK(audit::verify_note(parsed(spoiled), std::span(keys).first(1)).ok());

  // The same name with another key is another, unknown key.
  const audit::TestSigner impostor("a.example/log", NoteKeyKind::ed25519, 9);
  CHECK(code(audit::verify_note(parsed(audit::make_note(text, impostor.line(text))), std::span(keys).first(1))) ==
        "note_signed_by_no_known_key");
  // Unless it claims the known key's id.
  const std::string claimed = audit::signature_line(
      a.key.name, a.key.id(), parsed(audit::make_note(text, impostor.line(text))).signatures[0].signature);
  CHECK(code(audit::verify_note(parsed(audit::make_note(text, claimed)), keys)) == "note_signature_wrong");
}

TEST_CASE("a key that signs twice counts once") {
  const audit::TestSigner log("a.example/log", NoteKeyKind::ed25519, 1);
  const audit::TestSigner witness("w.example", NoteKeyKind::cosignature_v1, 2);
  const std::string text = "some text\n";
  const std::string note = audit::make_note(text, log.line(text)) + log.line(text) + witness.line(text, 100) +
                           witness.line(text, 300) + witness.line(text, 200);
  const std::vector<NoteKey> keys{log.key, witness.key};
  const auto verified = audit::verify_note(parsed(note), keys);
  REQUIRE(verified.ok());
  REQUIRE(verified->size() == 2);
  CHECK((*verified)[1].key == 1);
  CHECK((*verified)[1].seconds == 300);
}

TEST_CASE("a cosignature covers its time") {
  const audit::TestSigner witness("w.example", NoteKeyKind::cosignature_v1, 2);
  const std::string text = "some text\n";
  audit::Note note = parsed(audit::make_note(text, witness.line(text, 1679315147)));
  const auto verified = audit::verify_note(note, std::span(&witness.key, 1));
  REQUIRE(verified.ok());
  CHECK(verified->front().seconds == 1679315147);
  note.signatures[0].signature[7] ^= 1;
  CHECK(code(audit::verify_note(note, std::span(&witness.key, 1))) == "note_signature_wrong");
  // A time above 2^63 - 1 is not allowed, even well signed.
  note = parsed(audit::make_note(text, witness.line(text, std::uint64_t{1} << 63)));
  CHECK(code(audit::verify_note(note, std::span(&witness.key, 1))) == "note_signature_wrong");
  note.signatures[0].signature.resize(64);
  CHECK(code(audit::verify_note(note, std::span(&witness.key, 1))) == "note_signature_wrong");
}

TEST_CASE("what is not a note is refused") {
  const std::string line = example_line;
  for (const std::string& text : {std::string(),
                                  std::string("\n"),
                                  std::string("\n\n"),
                                  std::string("text\n"),
                                  std::string("text\n\n"),
                                  "text\n" + line,
                                  "text\n\n" + line + "rest",
                                  "text\n\n" + line + "\n",
                                  "text\n\n" + line.substr(0, line.size() - 1),
                                  "text\n\nx" + line,
                                  "te\txt\n\n" + line,
                                  "te\rxt\n\n" + line,
                                  "te\xFFxt\n\n" + line,
                                  std::string("te\0xt\n\n", 7) + line,
                                  std::string("text\n\n— name\n"),
                                  std::string("text\n\n— name AAAA\n"),
                                  std::string("text\n\n— name AAAAAA==\n"),
                                  std::string("text\n\n— na+me AAAAAAA=\n"),
                                  std::string("text\n\n—  AAAAAAA=\n"),
                                  std::string("text\n\n— name AAAAAAB=\n"),
                                  std::string("text\n\n- name AAAAAAA=\n"),
                                  std::string("text\n\n— name AAAAAAA= \n")}) {
    CAPTURE(text);
    CHECK(code(audit::parse_note(text)) == "note_malformed");
  }
  CHECK(audit::parse_note("text\n\n— name AAAAAAA=\n").ok());
  std::string many = "text\n\n";
  for (std::size_t i = 0; i < audit::note_signatures_max; ++i) many += "— name AAAAAAA=\n";
  CHECK(audit::parse_note(many).ok());
  CHECK(code(audit::parse_note(many + "— name AAAAAAA=\n")) == "note_malformed");
  CHECK(code(audit::parse_note(std::string(audit::note_bytes_max, 'x') + "\n\n" + line)) == "note_malformed");
}

TEST_CASE("key names have no spaces of any kind, no plus and no control characters") {
  for (const char* name : {"example.com/log", "a", "caf\xC3\xA9", "\xE6\x97\xA5\xE6\x9C\xAC"}) {
    CHECK(audit::is_note_key_name(name));
  }
  for (const char* name : {"", "a b", "a+b", "a\tb", "a\nb",
                           "a\xC2\xA0"
                           "b",
                           "a\xE3\x80\x80", "\xE2\x80\xA8", "\xFF"}) {
    CHECK_FALSE(audit::is_note_key_name(name));
  }
}

TEST_CASE("verifier keys of both kinds have one spelling, and nothing else is one") {
  for (const NoteKeyKind kind : {NoteKeyKind::ed25519, NoteKeyKind::cosignature_v1}) {
    const NoteKey key = audit::TestSigner("w.example/1", kind, 7).key;
    const auto back = audit::parse_vkey(audit::to_vkey(key));
    REQUIRE(back.ok());
    CHECK(*back == key);
  }
  const NoteKey unknown_kind = audit::TestSigner("w.example", static_cast<NoteKeyKind>(6), 7).key;
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("a+b"), example_vkey.substr(0, example_vkey.size() - 1),
        example_vkey + "A", "x" + example_vkey, std::string(example_vkey).replace(16, 1, "6"),
        std::string(example_vkey).replace(21, 1, "D"), audit::to_vkey(unknown_kind), "+" + example_vkey}) {
    CAPTURE(text);
    CHECK(code(audit::parse_vkey(text)) == "verifier_key_malformed");
  }
}
