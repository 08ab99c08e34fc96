#pragma once
// Signed notes (C2SP signed-note): a text, a blank line, and signature lines that anybody may add to. Nothing in a note
// may be believed before verify_note.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sign.h"

namespace audit {

/// The signature type byte of a key. Others exist; their signatures are those of unknown keys, which are ignored.
enum class NoteKeyKind : std::uint8_t {
  ed25519 = 0x01,        ///< signs the note's text
  cosignature_v1 = 0x04  ///< a witness: signs a checkpoint and the time it saw it (C2SP tlog-cosignature)
};

/// A verifier key ("vkey"): who may sign, obtained outside of the note.
struct NoteKey {
  std::string name;  ///< not empty, UTF-8, no Unicode space, no plus, no control character
  NoteKeyKind kind = NoteKeyKind::ed25519;
  crypto::Ed25519PublicKey public_key{};

  /// SHA-256(name || "\n" || kind || public key), first four bytes, big-endian.
  std::uint32_t id() const;
  bool operator==(const NoteKey&) const = default;
};

/// True if `name` may name a key.
bool is_note_key_name(std::string_view name);

/// `example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k`
std::string to_vkey(const NoteKey& key);
/// Error `verifier_key_malformed`: not that form, an id that is not its key's, or a kind other than the two above.
base::Result<NoteKey> parse_vkey(std::string_view text);

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  base::Bytes signature;
};

/// A note taken apart, not yet believed.
struct Note {
  std::string text;  ///< ends in a newline, which is signed too
  std::vector<NoteSignature> signatures;
};

/// Bounds on input. The specification demands room for 16 signatures of 5 kB.
constexpr std::size_t note_bytes_max = 1 << 20;
constexpr std::size_t note_signatures_max = 64;

/// Error `note_malformed`: not UTF-8, a control character, no blank line before the signatures, no or too many
/// signatures, a line that is no signature, or too large.
base::Result<Note> parse_note(std::string_view text);

/// `— NAME BASE64\n`, to be appended to a note. `name` is a key name.
std::string signature_line(std::string_view name, std::uint32_t key_id, base::ByteView signature);

/// The whole note of a text (ending in a newline) and its first signature line; further lines are appended.
std::string make_note(std::string_view text, std::string_view first_signature_line);

/// The message that a cosignature of kind `cosignature_v1` signs: `cosignature/v1`, the time, the checkpoint's text.
std::string cosigned_message(std::string_view checkpoint_text, std::uint64_t seconds_since_epoch);
/// The signature bytes of a cosignature: the time as 8 bytes big-endian, then the Ed25519 signature.
base::Bytes cosignature_bytes(std::uint64_t seconds_since_epoch, const crypto::Ed25519Signature& signature);

/// One good signature of a known key.
struct VerifiedSignature {
  std::size_t key = 0;        ///< index into the keys given
  std::uint64_t seconds = 0;  ///< a cosignature's time, seconds since 1970; 0 for plain signatures
};

/// Checks all signatures of known keys (name and id match) and ignores the others. A key counts once, whatever the
/// number of its lines. Errors `note_signature_wrong` (a known key's signature does not verify, which spoils the note),
/// `note_signed_by_no_known_key`.
base::Result<std::vector<VerifiedSignature>> verify_note(const Note& note, std::span<const NoteKey> keys);

}  // namespace audit
