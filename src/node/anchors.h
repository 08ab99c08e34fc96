#pragma once
// Time-stamps over checkpoints, as files beside the published one (docs/format/tiles.md). Asking and storing needs no lock:
// a service may be at work, and the next evidence it makes carries what was stored.
//
//   DIR/audit/anchors/SIZE-HASH.tsq    a request that is under way, DER
//   DIR/audit/anchors/SIZE-HASH.tst    a time-stamp token that was checked, DER
//
// SIZE is the number of leaves of the stamped tree, HASH the first 8 bytes of the file's SHA-256 in hex.

#include <cstdint>
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

struct StoredAnchor {
  std::uint64_t size = 0;
  std::string name;           ///< of the file, within the directory
};

/// The tokens there are, smallest tree first. Errors: those of io/file.h.
base::Result<std::vector<StoredAnchor>> stored_anchors(io::FileSystem& files, const std::string& directory);
/// One of them. Errors: `anchor_damaged` (not the bytes that its name says), those of io/file.h.
base::Result<base::Bytes> read_anchor(io::FileSystem& files, const std::string& directory, const StoredAnchor& anchor);

/// Where they are.
std::string anchors_directory(const std::string& directory);

}  // namespace node
