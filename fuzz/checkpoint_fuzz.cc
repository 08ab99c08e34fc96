// rooms: audit crypto base
// The texts that strangers hand to a verifier: signed notes, checkpoints, verifier keys, offline proofs, tile paths;
// and the bytes of leaves and bundles. Whatever is accepted must be written again as the same bytes: one value, one
// form.

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/checkpoint.h"
#include "audit/leaf.h"
#include "audit/tile.h"
#include "audit/tlog_proof.h"
#include "base/check.h"

namespace {

void try_note(std::string_view text) {
  const auto note = audit::parse_note(text);
  if (!note.ok()) return;
  std::string again = note->text + "\n";
  for (const audit::NoteSignature& line : note->signatures) {
    again += audit::signature_line(line.name, line.key_id, line.signature);
  }
  CHECK(again == text);
  // Keys that the note names, so that signatures are really looked at; nobody can have signed with zeros.
  for (const audit::NoteKeyKind kind : {audit::NoteKeyKind::ed25519, audit::NoteKeyKind::cosignature_v1}) {
    const audit::NoteKey key{note->signatures.front().name, kind, {}};
    const auto verified = audit::verify_checkpoint_note(text, "example.com/log", std::span(&key, 1), {});
    CHECK(!verified.ok());
  }
}

void try_text(std::string_view text) {
  try_note(text);
  if (const auto checkpoint = audit::parse_checkpoint_text(text); checkpoint.ok()) {
    CHECK(audit::checkpoint_text(*checkpoint) == text);
  }
  if (const auto key = audit::parse_vkey(text); key.ok()) CHECK(audit::to_vkey(*key) == text);
  if (const auto proof = audit::parse_tlog_proof(text); proof.ok()) {
    CHECK(audit::tlog_proof_text(*proof) == text);
    try_note(proof->checkpoint);
  }
  if (const auto tile = audit::parse_tile_path(text)) CHECK(audit::tile_path(*tile) == text);
}

void try_bytes(base::ByteView bytes) {
  if (const auto leaf = audit::decode_leaf(bytes); leaf.ok()) {
    base::Bytes again;
    CHECK(audit::encode_leaf(leaf->blinding, leaf->event, again).ok());
    CHECK(base::as_text(again) == base::as_text(bytes));
  }
  if (const auto frontier = audit::Frontier::restore(bytes); frontier.ok()) {
    base::Bytes again;
    frontier->serialize(again);
    CHECK(base::as_text(again) == base::as_text(bytes));
  }
  if (bytes.empty()) return;
  if (const auto leaves = audit::parse_entry_bundle(bytes.subspan(1), bytes[0]); leaves.ok()) {
    base::Bytes again;
    for (const base::ByteView leaf : *leaves) CHECK(audit::append_bundle_entry(leaf, again).ok());
    CHECK(base::as_text(again) == base::as_text(bytes.subspan(1)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes(data, size);
  try_text(base::as_text(bytes));
  try_bytes(bytes);
  return 0;
}
