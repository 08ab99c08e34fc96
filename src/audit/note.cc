#include "audit/note.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace audit {
namespace {

constexpr std::string_view dash = "\xE2\x80\x94 ";  // em dash, space

// The code points of Unicode's White_Space property above ASCII, in UTF-8.
constexpr std::string_view wide_spaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool has_control_character(std::string_view text, bool newlines_allowed) {
  return std::ranges::any_of(text, [newlines_allowed](char c) {
    return static_cast<unsigned char>(c) < 0x20 && !(newlines_allowed && c == '\n');
  });
}

std::uint32_t load_be32(const std::uint8_t* from) {
  return static_cast<std::uint32_t>(from[0]) << 24 | static_cast<std::uint32_t>(from[1]) << 16 |
         static_cast<std::uint32_t>(from[2]) << 8 | from[3];
}

void append_be(base::Bytes& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// A signature line without its newline.
std::optional<NoteSignature> parse_signature_line(std::string_view line) {
  if (!line.starts_with(dash)) return std::nullopt;
  line.remove_prefix(dash.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_note_key_name(line.substr(0, space))) return std::nullopt;
  const auto bytes = base::parse_base64(line.substr(space + 1));
  if (!bytes || bytes->size() < 5) return std::nullopt;
  return NoteSignature{std::string(line.substr(0, space)), load_be32(bytes->data()),
                       base::Bytes(bytes->begin() + 4, bytes->end())};
}

// The time of a good cosignature, nothing if it is not good.
std::optional<std::uint64_t> verify_cosignature(const NoteKey& key, std::string_view text, base::ByteView signature) {
  if (signature.size() != 8 + 64) return std::nullopt;
  const std::uint64_t seconds =
      static_cast<std::uint64_t>(load_be32(signature.data())) << 32 | load_be32(signature.data() + 4);
  if (seconds > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const std::string message = cosigned_message(text, seconds);
  if (!crypto::ed25519_verify(key.public_key, base::as_bytes(message), signature.subspan(8))) return std::nullopt;
  return seconds;
}

}  // namespace

std::uint32_t NoteKey::id() const {
  const std::uint8_t separator[] = {'\n', static_cast<std::uint8_t>(kind)};
  return load_be32(crypto::sha256({base::as_bytes(name), separator, public_key}).data());
}

bool is_note_key_name(std::string_view name) {
  return !name.empty() && base::is_utf8(name) && !has_control_character(name, false) &&
         name.find_first_of(" +") == std::string_view::npos &&
         std::ranges::none_of(wide_spaces, [name](std::string_view space) { return name.find(space) != name.npos; });
}

std::string to_vkey(const NoteKey& key) {
  base::Bytes id;
  append_be(id, key.id(), 4);
  base::Bytes material{static_cast<std::uint8_t>(key.kind)};
  base::append(material, key.public_key);
  return key.name + "+" + base::to_hex(id) + "+" + base::to_base64(material);
}

base::Result<NoteKey> parse_vkey(std::string_view text) {
  const base::Error malformed{"verifier_key_malformed", "not NAME+ID+KEY of a supported kind"};
  // Base64 may contain plus, a name may not: the first two separate.
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return malformed;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return malformed;
  const auto material = base::parse_base64(text.substr(second + 1));
  NoteKey key;
  if (!material || material->size() != 1 + key.public_key.size()) return malformed;
  key.name = text.substr(0, first);
  key.kind = static_cast<NoteKeyKind>(material->front());
  if (key.kind != NoteKeyKind::ed25519 && key.kind != NoteKeyKind::cosignature_v1) return malformed;
  std::copy(material->begin() + 1, material->end(), key.public_key.begin());
  // One spelling per key: writing it again must give the same text, id included.
  if (!is_note_key_name(key.name) || to_vkey(key) != text) return malformed;
  return key;
}

base::Result<Note> parse_note(std::string_view text) {
  const auto malformed = [](const char* why) { return base::Error{"note_malformed", why}; };
  if (text.size() > note_bytes_max) return malformed("larger than 1 MiB");
  if (!base::is_utf8(text)) return malformed("not UTF-8");
  if (has_control_character(text, true)) return malformed("contains a control character");
  if (!text.ends_with('\n')) return malformed("does not end in a newline");
  const std::size_t blank = text.rfind("\n\n");
  if (blank == std::string_view::npos) return malformed("has no blank line before its signatures");
  Note note;
  note.text = text.substr(0, blank + 1);
  std::string_view rest = text.substr(blank + 2);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    auto signature = parse_signature_line(rest.substr(0, end));
    if (!signature) return malformed("has a line among its signatures that is none");
    if (note.signatures.size() == note_signatures_max) return malformed("has more than 64 signatures");
    note.signatures.push_back(std::move(*signature));
    rest.remove_prefix(end + 1);
  }
  if (note.signatures.empty()) return malformed("has no signature");
  return note;
}

std::string signature_line(std::string_view name, std::uint32_t key_id, base::ByteView signature) {
  CHECK(is_note_key_name(name));
  base::Bytes bytes;
  append_be(bytes, key_id, 4);
  base::append(bytes, signature);
  return std::string(dash) + std::string(name) + " " + base::to_base64(bytes) + "\n";
}

std::string make_note(std::string_view text, std::string_view first_signature_line) {
  CHECK(text.ends_with('\n') && first_signature_line.starts_with(dash));
  return std::string(text) + "\n" + std::string(first_signature_line);
}

std::string cosigned_message(std::string_view checkpoint_text, std::uint64_t seconds_since_epoch) {
  return "cosignature/v1\ntime " + std::to_string(seconds_since_epoch) + "\n" + std::string(checkpoint_text);
}

base::Bytes cosignature_bytes(std::uint64_t seconds_since_epoch, const crypto::Ed25519Signature& signature) {
  base::Bytes bytes;
  append_be(bytes, seconds_since_epoch, 8);
  base::append(bytes, signature);
  return bytes;
}

base::Result<std::vector<VerifiedSignature>> verify_note(const Note& note, std::span<const NoteKey> keys) {
  std::vector<VerifiedSignature> good;
  for (const NoteSignature& line : note.signatures) {
    const auto key = std::ranges::find_if(
        keys, [&line](const NoteKey& known) { return known.name == line.name && known.id() == line.key_id; });
    if (key == keys.end()) continue;
    VerifiedSignature verified{static_cast<std::size_t>(key - keys.begin())};
    bool holds = false;
    if (key->kind == NoteKeyKind::cosignature_v1) {
      const auto seconds = verify_cosignature(*key, note.text, line.signature);
      holds = seconds.has_value();
      verified.seconds = seconds.value_or(0);
    } else {
      holds = crypto::ed25519_verify(key->public_key, base::as_bytes(note.text), line.signature);
    }
    if (!holds) return base::Error{"note_signature_wrong", "the signature of " + line.name + " does not verify"};
    const auto counted = std::ranges::find(good, verified.key, &VerifiedSignature::key);
    if (counted == good.end()) {
      good.push_back(verified);
    } else {
      counted->seconds = std::max(counted->seconds, verified.seconds);
    }
  }
  if (good.empty()) return base::Error{"note_signed_by_no_known_key", "no signature is of a key that is known"};
  return good;
}

}  // namespace audit
