#pragma once
// The master key: 32 random bytes in a file of their own, outside the data directory, that wrap the data key of every
// sealed record (soft/sealed_record.h). Whoever has a copy of the data directory alone has nothing.
//
// The file is one line, `holdfast-master-key-1 ` and 64 lower-case hex digits (docs/format/keys.md).

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "io/random.h"
#include "io/secret_memory.h"

namespace custody {

/// Names a master key without giving anything of it away.
using MasterKeyId = std::array<std::uint8_t, 8>;

/// Where the file may be. Paths are absolute and without symbolic links; `.` and `..` are understood.
struct MasterKeyPlace {
  std::string path;
  std::string data_directory;
  /// Only `--dev` allows a master key inside the data directory it protects.
  bool may_be_inside_data_directory = false;
};

/// Who may have touched the file: it belongs to this user and nobody else can use it, or to root, who lets at most a
/// group read it (a systemd credential is shown like that). Errors `master_key_not_a_file`,
/// `master_key_owned_by_another`, `master_key_permissions_too_open`.
base::Status check_master_key_file(const io::FileInfo& info, const std::string& path);

/// In locked memory until destroyed. Movable; reading is safe from any thread.
class MasterKey {
 public:
  /// Errors: `master_key_path_not_absolute`, `master_key_inside_data_directory`, `master_key_missing`,
  /// `master_key_malformed`, those of check_master_key_file, of files and of locked memory.
  static base::Result<MasterKey> load(io::FileSystem& files, const MasterKeyPlace& place);

  /// Draws a new key and writes it with mode 0400, durably. Errors: `master_key_path_not_absolute`,
  /// `master_key_inside_data_directory`, `master_key_exists`, and those of files and locked memory.
  static base::Result<MasterKey> create(io::FileSystem& files, io::Random& random, const MasterKeyPlace& place);

  std::span<const std::uint8_t, 32> bytes() const {
    return std::span<const std::uint8_t, 32>(secret_.view().data(), 32);
  }
  /// HKDF-SHA-256 of the key for the purpose `holdfast master key id`, 8 bytes.
  const MasterKeyId& id() const { return id_; }

 private:
  explicit MasterKey(io::SecretMemory secret);

  io::SecretMemory secret_;
  MasterKeyId id_{};
};

}  // namespace custody
