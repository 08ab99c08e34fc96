#include "audit/tlog_proof.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace audit {
namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1\n";
constexpr std::size_t path_max = 64;

// Takes `prefix REST\n` off the front of `text`.
std::optional<std::string_view> take_field(std::string_view& text, std::string_view prefix) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(prefix)) return std::nullopt;
  const std::string_view value = text.substr(prefix.size(), end - prefix.size());
  text.remove_prefix(end + 1);
  return value;
}

}  // namespace

std::string tlog_proof_text(const TlogProof& proof) {
  std::string text(first_line);
  if (proof.extra) text += "extra " + base::to_base64(*proof.extra) + "\n";
  text += "index " + std::to_string(proof.index) + "\n";
  for (const Digest& hash : proof.path) text += base::to_base64(hash) + "\n";
  return text + "\n" + proof.checkpoint;
}

base::Result<TlogProof> parse_tlog_proof(std::string_view text) {
  const auto malformed = [](const char* why) { return base::Error{"tlog_proof_malformed", why}; };
  if (text.size() > note_bytes_max) return malformed("larger than 1 MiB");
  if (!text.starts_with(first_line)) return malformed("does not begin with c2sp.org/tlog-proof@v1");
  text.remove_prefix(first_line.size());
  TlogProof proof;
  if (const auto extra = take_field(text, "extra ")) {
    proof.extra = base::parse_base64(*extra);
    if (!proof.extra) return malformed("the extra data is not base64");
  }
  const auto index = take_field(text, "index ");
  if (!index) return malformed("has no index");
  const auto [end, error] = std::from_chars(index->data(), index->data() + index->size(), proof.index);
  if (error != std::errc() || end != index->data() + index->size() || (index->front() == '0' && index->size() > 1)) {
    return malformed("the index is not a number of 64 bits without leading zeros");
  }
  while (true) {
    const auto line = take_field(text, "");
    if (!line) return malformed("has no blank line before its checkpoint");
    if (line->empty()) break;
    const auto hash = base::parse_base64(*line);
    if (!hash || hash->size() != 32 || proof.path.size() == path_max) {
      return malformed("a line of the proof is not a hash, or there are more than 64");
    }
    std::ranges::copy(*hash, proof.path.emplace_back().begin());
  }
  proof.checkpoint = text;
  return proof;
}

base::Result<VerifiedCheckpoint> verify_tlog_proof(std::string_view text, const Digest& leaf, std::string_view origin,
                                                   std::span<const NoteKey> log_keys,
                                                   std::span<const NoteKey> witnesses) {
  TRY_ASSIGN(const TlogProof proof, parse_tlog_proof(text));
  TRY_ASSIGN(VerifiedCheckpoint verified, verify_checkpoint_note(proof.checkpoint, origin, log_keys, witnesses));
  TRY(verify_inclusion(leaf, proof.index, verified.checkpoint.size, proof.path, verified.checkpoint.root));
  return verified;
}

}  // namespace audit
