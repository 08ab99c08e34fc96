#include "audit/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/text.h"

namespace audit {
namespace {

bool is_line(std::string_view text) { return !text.empty() && text.find('\n') == std::string_view::npos; }

// Takes one line off the front; nothing if there is no whole, non-empty one.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
  CHECK(is_line(checkpoint.origin));
  std::string text =
      checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + base::to_base64(checkpoint.root) + "\n";
  for (const std::string& extension : checkpoint.extensions) {
    CHECK(is_line(extension));
    text += extension + "\n";
  }
  return text;
}

base::Result<Checkpoint> parse_checkpoint_text(std::string_view text) {
  const auto malformed = [](const char* why) { return base::Error{"checkpoint_malformed", why}; };
  std::string_view rest = text;
  const auto origin = take_line(rest);
  const auto size = take_line(rest);
  const auto root = take_line(rest);
  if (!origin || !size || !root) return malformed("fewer than three lines");
  Checkpoint checkpoint;
  checkpoint.origin = *origin;
  const auto [end, error] = std::from_chars(size->data(), size->data() + size->size(), checkpoint.size);
  if (error != std::errc() || end != size->data() + size->size() || (size->front() == '0' && size->size() > 1)) {
    return malformed("the tree size is not a number of 64 bits without leading zeros");
  }
  const auto hash = base::parse_base64(*root);
  if (!hash || hash->size() != checkpoint.root.size()) return malformed("the root is not 32 bytes in base64");
  std::ranges::copy(*hash, checkpoint.root.begin());
  while (!rest.empty()) {
    const auto extension = take_line(rest);
    if (!extension) return malformed("an extension line is empty or unfinished");
    checkpoint.extensions.emplace_back(*extension);
  }
  return checkpoint;
}

std::string make_checkpoint_note(const Checkpoint& checkpoint, const NoteKey& key,
                                 const crypto::Ed25519Signature& signature) {
  CHECK(key.kind == NoteKeyKind::ed25519);
  return make_note(checkpoint_text(checkpoint), signature_line(key.name, key.id(), signature));
}

base::Result<VerifiedCheckpoint> verify_checkpoint_note(std::string_view text, std::string_view origin,
                                                        std::span<const NoteKey> log_keys,
                                                        std::span<const NoteKey> witnesses) {
  TRY_ASSIGN(const Note note, parse_note(text));
  VerifiedCheckpoint verified;
  TRY_ASSIGN(verified.checkpoint, parse_checkpoint_text(note.text));
  if (verified.checkpoint.origin != origin) {
    return base::Error{"checkpoint_of_another_log", "the checkpoint is of `" + verified.checkpoint.origin +
                                                        "`, not of `" + std::string(origin) + "`"};
  }
  std::vector<NoteKey> keys(log_keys.begin(), log_keys.end());
  keys.insert(keys.end(), witnesses.begin(), witnesses.end());
  TRY_ASSIGN(const auto signatures, verify_note(note, keys));
  bool signed_by_log = false;
  for (VerifiedSignature signature : signatures) {
    const NoteKeyKind kind = keys[signature.key].kind;
    if (signature.key < log_keys.size()) {
      signed_by_log = signed_by_log || kind == NoteKeyKind::ed25519;
    } else if (kind == NoteKeyKind::cosignature_v1) {
      signature.key -= log_keys.size();
      verified.cosignatures.push_back(signature);
    }
  }
  if (!signed_by_log) {
    return base::Error{"checkpoint_not_signed_by_log", "no key of the log signed the checkpoint, only witnesses did"};
  }
  return verified;
}

}  // namespace audit
