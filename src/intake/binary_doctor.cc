// Formats known by their first bytes.
#include <algorithm>
#include <string_view>

#include "intake/keystore.h"
#include "intake/layers.h"

namespace intake {
namespace {

bool starts(base::ByteView bytes, std::string_view magic) { return base::as_text(bytes).substr(0, magic.size()) == magic; }

}  // namespace

bool examine_magic(Examination& run, const Content& content) {
  using namespace std::string_view_literals;
  const base::ByteView bytes = content.bytes;
  const Place place = content.place_at(0, bytes.size());
  if (starts(bytes, "\xFE\xED\xFE\xED"sv) || starts(bytes, "\xCE\xCE\xCE\xCE"sv) || looks_like_bks(bytes)) {
    examine_java_keystore(run, content);
    return true;
  }
  struct Magic {
    std::string_view bytes, name;
  };
  static constexpr Magic archives[] = {{"PK\x03\x04"sv, "ZIP"}, {"\x1F\x8B\x08"sv, "gzip"}, {"BZh"sv, "bzip2"},
                                       {"7z\xBC\xAF\x27\x1C"sv, "7-Zip"}, {"\xFD" "7zXZ\x00"sv, "xz"}, {"Rar!\x1A\x07"sv, "RAR"},
                                       {"\x28\xB5\x2F\xFD"sv, "Zstandard"}};
  for (const Magic& magic : archives) {
    // A short magic of printable letters alone does not make text an archive.
    if (!starts(bytes, magic.bytes) || (magic.bytes == "BZh"sv && bytes.size() > 4 && bytes[4] != 0x31)) continue;
    run.notes.add(Cause::content_is_an_archive, place, std::string(magic.name));
    return true;
  }
  for (const Magic& magic : {Magic{"%PDF-"sv, "PDF"}, Magic{"\x89PNG"sv, "PNG"}, Magic{"\xFF\xD8\xFF"sv, "JPEG"}, Magic{"\xD0\xCF\x11\xE0"sv, "Office"}}) {
    if (!starts(bytes, magic.bytes)) continue;
    run.notes.add(Cause::content_is_not_recognised, place, "a document or picture (" + std::string(magic.name) + ")");
    return true;
  }
  if (starts(bytes, "openssh-key-v1\0"sv)) {
    examine_openssh_private(run, content);
    return true;
  }
  if (bytes.size() > 15 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] >= 7 && bytes[3] < 48 &&
      (starts(bytes.subspan(4), "ssh-"sv) || starts(bytes.subspan(4), "ecdsa-"sv) || starts(bytes.subspan(4), "sk-"sv))) {
    examine_ssh_wire(run, content, {}, "openssh");
    return true;
  }
  // OpenPGP packets: public key (6) or secret key (5), old and new header, version 3, 4, 5 or 6.
  if (bytes.size() > 8 && (bytes[0] == 0x99 || bytes[0] == 0x98 || bytes[0] == 0x95 || bytes[0] == 0x94 || bytes[0] == 0xC6 || bytes[0] == 0xC5)) {
    const std::size_t at = bytes[0] == 0x99 || bytes[0] == 0x95 ? 3 : bytes[0] >= 0xC0 && bytes[1] >= 192 ? 3 : 2;
    if (bytes[at] >= 3 && bytes[at] <= 6) {
      if (bytes[0] == 0x95 || bytes[0] == 0x94 || bytes[0] == 0xC5) run.seems_private = true;
      Item item;
      item.kind = Kind::pgp_key;
      item.format = "openpgp";
      item.place = place;
      run.add(std::move(item));
      run.notes.add(Cause::pgp_key_given, place, "binary packets");
      return true;
    }
  }
  return false;
}

}  // namespace intake
