#include "audit/witness.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace audit {
namespace {

constexpr std::size_t proof_lines_max = 63;

std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string add_checkpoint_text(const AddCheckpoint& request) {
  std::string text = "old " + std::to_string(request.old_size) + "\n";
  for (const Digest& hash : request.proof) text += base::to_base64(hash) + "\n";
  return text + "\n" + request.note;
}

base::Result<AddCheckpoint> parse_add_checkpoint(std::string_view text) {
  const auto malformed = [](const char* why) { return base::Error{"add_checkpoint_malformed", why}; };
  if (text.size() > note_bytes_max) return malformed("larger than 1 MiB");
  AddCheckpoint request;
  auto line = take_line(text);
  if (!line || !line->starts_with("old ")) return malformed("does not begin with an old size");
  line->remove_prefix(4);
  const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), request.old_size);
  if (error != std::errc() || end != line->data() + line->size() || (line->front() == '0' && line->size() > 1)) return malformed("the old size is no number");
  while (true) {
    line = take_line(text);
    if (!line) return malformed("no blank line before the checkpoint");
    if (line->empty()) break;
    const auto hash = base::parse_base64(*line);
    if (!hash || hash->size() != 32 || request.proof.size() == proof_lines_max) return malformed("a line of the proof is not a hash, or there are more than 63");
    std::ranges::copy(*hash, request.proof.emplace_back().begin());
  }
  request.note = text;
  return request;
}

base::Result<Checkpoint> unverified_checkpoint(std::string_view note) {
  TRY_ASSIGN(const Note parsed, parse_note(note));
  return parse_checkpoint_text(parsed.text);
}

WitnessAnswer judge_add_checkpoint(const AddCheckpoint& request, std::span<const NoteKey> log_keys, const std::optional<WitnessedTree>& known) {
  const auto refuse = [](int status, std::string why) { return WitnessAnswer{.status = status, .why = std::move(why), .checkpoint = {}, .log_line = {}}; };
  const auto note = parse_note(request.note);
  if (!note.ok()) return refuse(400, note.error().message);
  const auto checkpoint = parse_checkpoint_text(note->text);
  if (!checkpoint.ok()) return refuse(400, checkpoint.error().message);
  const bool known_origin = std::ranges::any_of(log_keys, [&](const NoteKey& key) { return key.name == checkpoint->origin; });
  if (!known_origin) return refuse(404, "this witness does not know the log " + checkpoint->origin);
  const auto verified = verify_note(*note, log_keys);
  if (!verified.ok()) return refuse(403, verified.error().message);
  const NoteKey& signer = log_keys[verified->front().key];
  if (signer.name != checkpoint->origin) return refuse(403, "signed by the key of another log");
  if (request.old_size > checkpoint->size) return refuse(400, "the old size is above the new one");
  const WitnessedTree before = known.value_or(WitnessedTree{.size = 0, .root = empty_root()});
  if (request.old_size != before.size) return refuse(409, std::to_string(before.size) + "\n");
  if (checkpoint->size == 0 && checkpoint->root != empty_root()) return refuse(422, "an empty tree has another root");
  if (before.size == 0) {
    if (!request.proof.empty()) return refuse(422, "there is nothing to prove from an empty tree");
  } else {
    const base::Status holds = verify_consistency(before.size, before.root, checkpoint->size, checkpoint->root, request.proof);
    if (!holds.ok()) return refuse(422, holds.error().message);
  }
  WitnessAnswer answer{.status = 200, .why = {}, .checkpoint = *checkpoint, .log_line = {}};
  for (const NoteSignature& line : note->signatures) {
    if (line.name == signer.name && line.key_id == signer.id()) answer.log_line = signature_line(line.name, line.key_id, line.signature);
  }
  return answer;
}

}  // namespace audit
