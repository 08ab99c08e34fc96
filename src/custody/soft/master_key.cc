#include "custody/soft/master_key.h"

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "crypto/derive.h"
#include "crypto/wipe.h"

namespace custody {
namespace {

constexpr std::string_view line_start = "holdfast-master-key-1 ";
constexpr std::size_t key_bytes = 32;
constexpr std::size_t line_bytes = line_start.size() + 2 * key_bytes + 1;

// Lexical only: asks nothing of the operating system.
std::string normal_directory(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  if (!normal.ends_with('/')) normal += '/';
  return normal;
}

base::Status check_place(const MasterKeyPlace& place) {
  if (!place.path.starts_with('/') || !place.data_directory.starts_with('/')) {
    return base::Error{
        "master_key_path_not_absolute",
        "the master key's path and the data directory must be absolute: " + place.path + ", " + place.data_directory};
  }
  if (!place.may_be_inside_data_directory &&
      normal_directory(place.path).starts_with(normal_directory(place.data_directory))) {
    return base::Error{"master_key_inside_data_directory", place.path + " is inside the data directory " +
                                                               place.data_directory +
                                                               ": a copy of the directory would carry its own key"};
  }
  return base::ok();
}

// The value of a lower-case hex digit, or -1.
int digit_value(std::uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// Straight from the line into locked memory, so that no further copy needs wiping.
bool parse_line(base::ByteView line, std::span<std::uint8_t> key) {
  if (line.size() != line_bytes || !base::as_text(line).starts_with(line_start) || line.back() != '\n') return false;
  const base::ByteView digits = line.subspan(line_start.size(), 2 * key_bytes);
  for (std::size_t i = 0; i < key_bytes; ++i) {
    const int high = digit_value(digits[2 * i]);
    const int low = digit_value(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace

base::Status check_master_key_file(const io::FileInfo& info, const std::string& path) {
  if (!info.is_regular) return base::Error{"master_key_not_a_file", path + " is not a regular file"};
  const bool owned_by_root = info.owner == 0;
  if (!info.owned_by_this_user && !owned_by_root) {
    return base::Error{"master_key_owned_by_another",
                       path + " belongs to user " + std::to_string(info.owner) + ", who could change it"};
  }
  const std::uint32_t too_much = info.owned_by_this_user ? 0077 : 0037;
  if ((info.mode & too_much) != 0) {
    return base::Error{"master_key_permissions_too_open", path + " can be used by others than its owner: chmod 0400"};
  }
  return base::ok();
}

MasterKey::MasterKey(io::SecretMemory secret) : secret_(std::move(secret)) {
  crypto::hkdf_sha256(secret_.view(), {}, base::as_bytes("holdfast master key id"), id_);
}

base::Result<MasterKey> MasterKey::load(io::FileSystem& files, const MasterKeyPlace& place) {
  TRY(check_place(place));
  const auto info = files.info(place.path);
  if (!info.ok() && std::string_view(info.error().code) == "file_not_found") {
    return base::Error{"master_key_missing", "there is no master key at " + place.path};
  }
  if (!info.ok()) return info.error();
  TRY(check_master_key_file(*info, place.path));
  auto line = io::read_whole_file(files, place.path, line_bytes);
  if (!line.ok() && std::string_view(line.error().code) == "file_too_large") {
    return base::Error{"master_key_malformed", place.path + " is not a master key"};
  }
  if (!line.ok()) return line.error();
  auto secret = io::SecretMemory::allocate(key_bytes);
  const bool good = secret.ok() && parse_line(*line, secret->bytes());
  crypto::wipe(*line);
  if (!secret.ok()) return secret.error();
  if (!good) return base::Error{"master_key_malformed", place.path + " is not a master key"};
  return MasterKey(std::move(*secret));
}

base::Result<MasterKey> MasterKey::create(io::FileSystem& files, io::Random& random, const MasterKeyPlace& place) {
  TRY(check_place(place));
  TRY_ASSIGN(const bool exists, files.exists(place.path));
  if (exists) return base::Error{"master_key_exists", place.path + " exists and is not overwritten"};
  TRY_ASSIGN(io::SecretMemory secret, io::SecretMemory::allocate(key_bytes));
  random.fill(secret.bytes());
  constexpr std::string_view digits = "0123456789abcdef";
  crypto::ShortLived<line_bytes> line;
  std::uint8_t* at = line.bytes().data();
  for (const char c : line_start) *at++ = static_cast<std::uint8_t>(c);
  for (const std::uint8_t byte : secret.view()) {
    *at++ = static_cast<std::uint8_t>(digits[byte >> 4]);
    *at++ = static_cast<std::uint8_t>(digits[byte & 15]);
  }
  *at = '\n';
  TRY(io::replace_file(files, place.path, line.bytes(), 0400));
  return MasterKey(std::move(secret));
}

}  // namespace custody
