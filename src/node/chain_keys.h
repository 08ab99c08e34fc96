#pragma once
// Accounts on EVM chains: their keys, sealed beside the service's own, and their outboxes.
//
//   DIR/keys/chain-NAME.1.sealed    the private key (custody/soft/chain_key.h)
//   DIR/evm/NAME.outbox             what was signed with it (docs/format/evm-outbox.md); not in backups

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "custody/soft/chain_key.h"
#include "effects/rails/evm/address.h"
#include "io/file.h"
#include "io/random.h"
#include "node/data_directory.h"

namespace node {

std::string evm_outbox_file(const std::string& directory, std::string_view name);

/// Makes the account `name` on a chain, while no service runs: its key, drawn or read from `import_file` (a private key as 64 hex
/// digits, `0x` or not before them, in a file that nobody but its owner may read), and its empty outbox. An outbox that is there is
/// kept if it is that of the key. Errors: `chain_key_file_unusable`, those of DataDirectory::open, ChainKey and EvmOutbox.
base::Result<effects::EvmAddress> make_chain_key(io::FileSystem& files, io::Random& random, const DataPlace& place, std::string_view name,
                                                 std::uint64_t chain_id, const std::string& import_file);

/// The key of an account, for the process that holds the directory. Errors: those of MasterKey::load and ChainKey::open.
base::Result<std::unique_ptr<custody::ChainKey>> open_chain_key(io::FileSystem& files, const DataPlace& place, std::string_view name);

}  // namespace node
