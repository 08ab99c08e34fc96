#include "node/anchors.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "audit/checkpoint.h"
#include "audit/evidence.h"
#include "base/text.h"
#include "crypto/evm/inclusion.h"
#include "crypto/hash.h"
#include "crypto/time_stamp.h"
#include "node/audit_log.h"

namespace node {

namespace {

constexpr std::uint64_t anchor_bytes_max = 256u << 10;
constexpr std::string_view request_ending = ".tsq", token_ending = ".tst";
constexpr std::string_view evm_request_ending = ".evq", evm_token_ending = ".evm";

std::string_view ending_of(std::string_view kind) { return kind == audit::evm_kind ? evm_token_ending : token_ending; }

std::string name_of(std::uint64_t size, base::ByteView bytes, std::string_view ending) {
  const base::Digest hash = crypto::sha256(bytes);
  return std::to_string(size) + "-" + base::to_hex(base::ByteView(hash).first(8)) + std::string(ending);
}

// The files of one ending; what has another name is none of ours.
base::Result<std::vector<StoredAnchor>> files_ending(io::FileSystem& files, const std::string& directory, std::string_view ending) {
  std::vector<StoredAnchor> found;
  TRY_ASSIGN(const bool there, files.exists(anchors_directory(directory)));
  if (!there) return found;
  TRY_ASSIGN(const std::vector<std::string> names, files.list(anchors_directory(directory)));
  for (const std::string& name : names) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), size);
    if (error == std::errc() && size != 0 && *end == '-' && name.ends_with(ending)) found.push_back({size, name, {}});
  }
  return found;
}

void put_in_order(std::vector<StoredAnchor>& anchors) {
  std::ranges::sort(anchors, [](const StoredAnchor& a, const StoredAnchor& b) { return a.size != b.size ? a.size < b.size : a.name < b.name; });
}

base::Result<base::Bytes> read_named(io::FileSystem& files, const std::string& directory, const StoredAnchor& anchor, std::string_view ending) {
  const std::string path = io::join_path(anchors_directory(directory), anchor.name);
  TRY_ASSIGN(base::Bytes bytes, io::read_whole_file(files, path, anchor_bytes_max));
  if (name_of(anchor.size, bytes, ending) != anchor.name) return base::Error{"anchor_damaged", path + " does not hold what its name says"};
  return bytes;
}

base::Status write_named(io::FileSystem& files, const std::string& directory, const std::string& name, base::ByteView bytes) {
  const std::string place = anchors_directory(directory);
  TRY_ASSIGN(const bool there, files.exists(place));
  if (!there) {
    TRY(files.make_dir(place, 0700));
    TRY(files.sync_dir(audit_directory(directory)));
  }
  return io::replace_file(files, io::join_path(place, name), bytes);
}

// The newest published checkpoint: how many leaves, and SHA-256 of what the log signs of it.
struct Imprint {
  std::uint64_t size = 0;
  base::Digest hash{};
};
base::Result<Imprint> published_imprint(io::FileSystem& files, const std::string& directory) {
  const std::string path = io::join_path(audit_directory(directory), "checkpoint");
  TRY_ASSIGN(const bool there, files.exists(path));
  const base::Error nothing{"no_checkpoint_published", "nothing was published from " + directory + " that could be anchored"};
  if (!there) return nothing;
  TRY_ASSIGN(const base::Bytes bytes, io::read_whole_file(files, path, audit::note_bytes_max));
  const auto note = audit::parse_note(base::as_text(bytes));
  if (!note.ok()) return base::Error{"published_checkpoint_damaged", path + ": " + note.error().message};
  const auto checkpoint = audit::parse_checkpoint_text(note->text);
  if (!checkpoint.ok()) return base::Error{"published_checkpoint_damaged", path + ": " + checkpoint.error().message};
  if (checkpoint->size == 0) return nothing;
  return Imprint{.size = checkpoint->size, .hash = crypto::sha256(base::as_bytes(note->text))};
}

// What a proof says for its tree; nothing if it names no chain.
std::optional<EvmAnchorStored> stored_as(const crypto::EvmInclusion& found, std::uint64_t size) {
  const auto chain = found.call.chain_id;
  if (!chain || *chain > std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return EvmAnchorStored{.size = size,
                         .seconds = found.block.seconds,
                         .block = {.name = {}, .chain_id = base::low64(*chain), .number = found.block.number, .hash = found.block.hash}};
}

base::Result<EvmAnchorStored> store_proven(io::FileSystem& files, const std::string& directory, base::ByteView token,
                                           const crypto::EvmInclusion& found, std::uint64_t size) {
  const auto stored = stored_as(found, size);
  if (!stored) {
    return base::Error{"evm_transaction_names_no_chain", "a transaction that says no chain's id of 64 bits may be in any chain, and never counts"};
  }
  TRY(write_named(files, directory, name_of(size, token, evm_token_ending), token));
  return *stored;
}

}  // namespace

std::string anchors_directory(const std::string& directory) { return io::join_path(audit_directory(directory), "anchors"); }

base::Result<AnchorRequest> request_anchor(io::FileSystem& files, io::Random& random, const std::string& directory,
                                           const std::string& tsa_policy) {
  TRY_ASSIGN(const Imprint imprint, published_imprint(files, directory));
  crypto::TimeStampRequest request{.imprint = imprint.hash, .nonce = {}, .policy = tsa_policy};
  random.fill(request.nonce);
  AnchorRequest made{.size = imprint.size, .request = {}};
  TRY_ASSIGN(made.request, crypto::time_stamp_request(request));
  TRY(write_named(files, directory, name_of(made.size, made.request, request_ending), made.request));
  return made;
}

base::Result<AnchorStored> store_anchor(io::FileSystem& files, const std::string& directory, base::ByteView response,
                                        const audit::Policy& policy) {
  if (policy.tsas.empty()) return base::Error{"policy_without_tsa", "the policy has no line #holdfast-tsa NAME SHA256: no authority is believed"};
  std::vector<base::Digest> trusted;
  for (const audit::PolicyTsa& tsa : policy.tsas) trusted.push_back(tsa.fingerprint);
  TRY_ASSIGN(const base::Bytes token, crypto::token_of_response(response));
  TRY_ASSIGN(std::vector<StoredAnchor> requests, files_ending(files, directory, request_ending));
  put_in_order(requests);
  base::Error refused{"time_stamp_imprint_differs", "it answers no request that is under way in " + anchors_directory(directory)};
  for (const StoredAnchor& asked : requests) {
    TRY_ASSIGN(const base::Bytes bytes, read_named(files, directory, asked, request_ending));
    TRY_ASSIGN(const crypto::TimeStampRequest request, crypto::parse_time_stamp_request(bytes));
    const auto stamp = crypto::verify_time_stamp(token, request.imprint, trusted, &request);
    if (!stamp.ok()) {
      const std::string_view code = stamp.error().code;
      if (code == "time_stamp_imprint_differs") continue;
      refused = stamp.error();
      // Another request of the same tree may have this nonce.
      if (code == "time_stamp_nonce_differs") continue;
      return refused;
    }
    TRY(write_named(files, directory, name_of(asked.size, token, token_ending), token));
    TRY(files.remove(io::join_path(anchors_directory(directory), asked.name)));
    return AnchorStored{.size = asked.size, .authority = policy.tsas[stamp->trusted].name, .seconds = stamp->seconds};
  }
  return refused;
}

base::Result<EvmAnchorRequest> published_evm_request(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const Imprint imprint, published_imprint(files, directory));
  return EvmAnchorRequest{.size = imprint.size, .calldata = imprint.hash};
}

base::Result<EvmAnchorRequest> request_evm_anchor(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const EvmAnchorRequest asked, published_evm_request(files, directory));
  TRY(write_named(files, directory, name_of(asked.size, asked.calldata, evm_request_ending), asked.calldata));
  return asked;
}

base::Result<EvmAnchorStored> store_evm_anchor(io::FileSystem& files, const std::string& directory, base::ByteView token) {
  TRY_ASSIGN(const crypto::EvmInclusion found, crypto::verify_evm_inclusion(token));
  TRY_ASSIGN(const std::vector<StoredAnchor> requests, files_ending(files, directory, evm_request_ending));
  for (const StoredAnchor& asked : requests) {
    TRY_ASSIGN(const base::Bytes calldata, read_named(files, directory, asked, evm_request_ending));
    if (found.call.data != calldata) continue;
    TRY_ASSIGN(EvmAnchorStored stored, store_proven(files, directory, token, found, asked.size));
    TRY(files.remove(io::join_path(anchors_directory(directory), asked.name)));
    return stored;
  }
  return base::Error{"evm_calldata_differs", "the transaction's data answers no request that is under way in " + anchors_directory(directory)};
}

base::Result<EvmAnchorStored> store_evm_anchor(io::FileSystem& files, const std::string& directory, base::ByteView token,
                                               const EvmAnchorRequest& asked) {
  TRY_ASSIGN(const crypto::EvmInclusion found, crypto::verify_evm_inclusion(token));
  if (!std::ranges::equal(found.call.data, asked.calldata)) {
    return base::Error{"evm_calldata_differs", "the transaction's data is not what was asked for"};
  }
  return store_proven(files, directory, token, found, asked.size);
}

base::Result<std::optional<EvmAnchorStored>> find_evm_anchor(io::FileSystem& files, const std::string& directory, const EvmAnchorRequest& asked,
                                                             std::uint64_t chain_id) {
  TRY_ASSIGN(const std::vector<StoredAnchor> tokens, files_ending(files, directory, evm_token_ending));
  for (const StoredAnchor& one : tokens) {
    if (one.size != asked.size) continue;
    const auto token = read_named(files, directory, one, evm_token_ending);
    const auto found = token.ok() ? crypto::verify_evm_inclusion(*token) : token.error();
    if (!found.ok() || !std::ranges::equal(found->call.data, asked.calldata)) continue;
    const auto stored = stored_as(*found, one.size);
    if (stored && stored->block.chain_id == chain_id) return stored;
  }
  return std::optional<EvmAnchorStored>();
}

base::Result<std::vector<StoredAnchor>> stored_anchors(io::FileSystem& files, const std::string& directory) {
  std::vector<StoredAnchor> all;
  for (const std::string_view kind : {audit::time_stamp_kind, audit::evm_kind}) {
    TRY_ASSIGN(std::vector<StoredAnchor> found, files_ending(files, directory, ending_of(kind)));
    for (StoredAnchor& anchor : found) anchor.kind = kind;
    all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  put_in_order(all);
  return all;
}

base::Result<base::Bytes> read_anchor(io::FileSystem& files, const std::string& directory, const StoredAnchor& anchor) {
  return read_named(files, directory, anchor, ending_of(anchor.kind));
}

}  // namespace node
