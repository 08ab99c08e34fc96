#pragma once
// The data directory: what lies where, whose it is, and the keys that open it.
//
//   DIR/format          which version, and whether --dev made it (store/journal/data_format.h)
//   DIR/lock            held by the one process that works on the directory
//   DIR/keys/           the service's own keys, sealed under the master key (custody/soft/keyring.h)
//   DIR/journal/        the truth
//   DIR/audit/      the last checkpoint of the audit log that was published, and time-stamps over checkpoints
//   DIR/snapshots/  DIR/keys-index/  DIR/views.sqlite  DIR/tiles/    derived, may be thrown away
//   DIR/deliveries.sqlite                            how far webhooks were told; without it some are told again
//   DIR/dev/            only with --dev: master key, CA, certificate, a client's credentials
//
// The master key lies outside (`DIR.master-key` beside the directory unless told otherwise), so that a copy of the
// directory alone opens nothing; only with --dev it lies in DIR/dev.

#include <memory>
#include <string>

#include "audit/blinding.h"
#include "base/result.h"
#include "custody/soft/keyring.h"
#include "gate/keys.h"
#include "io/file.h"
#include "io/random.h"
#include "store/journal/data_format.h"

namespace node {

/// Where things are. `directory` is absolute and without symbolic links.
struct DataPlace {
  std::string directory;
  store::DataMode mode = store::DataMode::standard;
  std::string master_key_file;   ///< empty: the usual place of the mode
  std::string published_file = {};   ///< empty: the usual place of the mode
};

/// Paths within a data directory.
std::string journal_directory(const std::string& directory);
std::string keys_directory(const std::string& directory);
std::string key_index_directory(const std::string& directory);
std::string snapshot_directory(const std::string& directory);
std::string views_file(const std::string& directory);
std::string deliveries_file(const std::string& directory);
std::string dev_directory(const std::string& directory);
/// Where the master key lies unless told otherwise.
std::string usual_master_key_file(const DataPlace& place);
custody::MasterKeyPlace master_key_place(const DataPlace& place);
/// Where the last published checkpoint of the audit log is remembered unless told otherwise: beside the directory.
std::string usual_published_file(const DataPlace& place);

/// A locked, opened data directory. Lives as long as anything that was made from it; its addresses do not move.
class DataDirectory {
 public:
  /// Makes directory, format file, master key (if there is none) and keys. Called again after it died in the middle, it
  /// finishes. Errors: `data_directory_locked`, `keys_already_present` (it was finished before), `data_directory_is_dev`,
  /// those of the format file, of custody and of io/file.h.
  static base::Result<std::unique_ptr<DataDirectory>> create(io::FileSystem& files, io::Random& random, const DataPlace& place);

  /// Opens what create() made. Errors: `data_directory_not_initialized`, `data_directory_locked`,
  /// `data_directory_is_dev`, `data_directory_is_not_dev`, and those above.
  static base::Result<std::unique_ptr<DataDirectory>> open(io::FileSystem& files, const DataPlace& place);

  /// The one or the other: what --dev does.
  static base::Result<std::unique_ptr<DataDirectory>> open_or_create(io::FileSystem& files, io::Random& random,
                                                                     const DataPlace& place);

  /// How a directory was made, without locking it: for commands that work on either kind. Errors:
  /// `data_directory_not_initialized`, `data_format_malformed`, `data_format_newer`.
  static base::Result<store::DataMode> mode_of(io::FileSystem& files, const std::string& directory);

  /// Takes the lock and nothing else. Errors: `data_directory_not_initialized`, `data_directory_locked`.
  static base::Result<std::unique_ptr<io::FileLock>> lock(io::FileSystem& files, const std::string& directory);

  const DataPlace& place() const { return place_; }
  const std::string& path() const { return place_.directory; }
  const custody::Keyring& keyring() const { return keyring_; }
  const audit::Blinding& blinding() const { return blinding_; }
  const gate::GateKeys& gate_keys() const { return gate_keys_; }

 private:
  struct Root;   // the gate's root key, wiped when it was used
  DataDirectory(DataPlace place, std::unique_ptr<io::FileLock> lock, custody::Keyring keyring, const Root& root);
  static base::Result<std::unique_ptr<DataDirectory>> assemble(const DataPlace& place, std::unique_ptr<io::FileLock> lock,
                                                               custody::Keyring keyring);

  DataPlace place_;
  std::unique_ptr<io::FileLock> lock_;
  custody::Keyring keyring_;
  audit::Blinding blinding_;
  gate::GateKeys gate_keys_;
};

}  // namespace node
