#pragma once
// Anchors of checkpoints, as files beside the published one (docs/format/tiles.md): time-stamps, and transactions on EVM
// chains. Asking and storing needs no lock: a service may be at work, and the next evidence it makes carries what was stored.
//
//   DIR/audit/anchors/SIZE-HASH.tsq    a request for a time-stamp that is under way, DER
//   DIR/audit/anchors/SIZE-HASH.tst    a time-stamp token that was checked, DER
//   DIR/audit/anchors/SIZE-HASH.evq    calldata that is to go into a transaction, 32 bytes
//   DIR/audit/anchors/SIZE-HASH.evm    a proof that it is in a block (crypto/evm/inclusion.h), RLP
//
// SIZE is the number of leaves of the anchored tree, HASH the first 8 bytes of the file's SHA-256 in hex.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "base/result.h"
#include "io/file.h"
#include "io/random.h"

namespace node {

struct AnchorRequest {
  std::uint64_t size = 0;     ///< leaves of the tree it is about
  base::Bytes request;        ///< for the authority, DER (application/timestamp-query)
};

/// Asks for a time-stamp of the newest published checkpoint: SHA-256 of its text, the lines that the log signs, up to and
/// with the newline before the blank line. `tsa_policy` is the object identifier of the authority's policy, or empty.
/// Errors: `no_checkpoint_published`, `published_checkpoint_damaged`, `time_stamp_policy_malformed`, those of io/file.h.
base::Result<AnchorRequest> request_anchor(io::FileSystem& files, io::Random& random, const std::string& directory,
                                           const std::string& tsa_policy);

struct AnchorStored {
  std::uint64_t size = 0;
  std::string authority;      ///< as the policy calls it
  std::uint64_t seconds = 0;  ///< since 1970, as the token says
};

/// Checks an authority's answer against the requests under way and the authorities of `policy`, and stores its token.
/// Errors: `policy_without_tsa`, `time_stamp_imprint_differs` and `time_stamp_nonce_differs` (it answers none of the
/// requests), those of crypto/time_stamp.h and io/file.h.
base::Result<AnchorStored> store_anchor(io::FileSystem& files, const std::string& directory, base::ByteView response,
                                        const audit::Policy& policy);

struct EvmAnchorRequest {
  std::uint64_t size = 0;     ///< leaves of the tree it is about
  base::Digest calldata{};    ///< of a transaction to anybody: SHA-256 of the checkpoint's text
};

/// What anchors the newest published checkpoint on an EVM chain. Errors: as request_anchor.
base::Result<EvmAnchorRequest> published_evm_request(io::FileSystem& files, const std::string& directory);
/// The same, remembered until its transaction is stored. Errors: as request_anchor.
base::Result<EvmAnchorRequest> request_evm_anchor(io::FileSystem& files, const std::string& directory);

struct EvmAnchorStored {
  std::uint64_t size = 0;
  std::uint64_t seconds = 0;      ///< since 1970, as the block says
  audit::PolicyEvmBlock block;    ///< without a name: what a policy has to say for this to count
};

/// Checks the proof of a transaction against the requests under way and stores it. Whether the block stays in its chain is not
/// known here. Errors: `evm_calldata_differs` (it answers none of the requests), `evm_transaction_names_no_chain` (it could
/// never count), those of crypto/evm/inclusion.h and io/file.h.
base::Result<EvmAnchorStored> store_evm_anchor(io::FileSystem& files, const std::string& directory, base::ByteView token);
/// The same for a request that the caller remembers itself; those under way stay as they are. Errors: as above.
base::Result<EvmAnchorStored> store_evm_anchor(io::FileSystem& files, const std::string& directory, base::ByteView token,
                                               const EvmAnchorRequest& asked);
/// What is stored in answer to a request on a chain; nothing if nothing is, or it cannot be read. Errors: those of io/file.h.
base::Result<std::optional<EvmAnchorStored>> find_evm_anchor(io::FileSystem& files, const std::string& directory, const EvmAnchorRequest& asked,
                                                             std::uint64_t chain_id);

struct StoredAnchor {
  std::uint64_t size = 0;
  std::string name;           ///< of the file, within the directory
  std::string_view kind;      ///< audit::time_stamp_kind or audit::evm_kind
};

/// The tokens there are, of both kinds, smallest tree first. Errors: those of io/file.h.
base::Result<std::vector<StoredAnchor>> stored_anchors(io::FileSystem& files, const std::string& directory);
/// One of them. Errors: `anchor_damaged` (not the bytes that its name says), those of io/file.h.
base::Result<base::Bytes> read_anchor(io::FileSystem& files, const std::string& directory, const StoredAnchor& anchor);

/// Where they are.
std::string anchors_directory(const std::string& directory);

}  // namespace node
