#pragma once
// Whom a verifier believes (C2SP tlog-policy): keys of logs, keys of witnesses, and how many of them are enough. One text
// file, obtained from somewhere else than what it is used to check.
//
//   log VKEY [URL]
//   witness NAME VKEY [URL]
//   group NAME all|any|K MEMBER...
//   quorum NAME|none
//   #holdfast-retired VKEY SIZE      ours, a comment to others: this log key signs no tree of SIZE leaves or more
//   #holdfast-tsa NAME SHA256        ours as well: time-stamps count whose certificate, or one above it, has this fingerprint
//   #holdfast-evm-block NAME CHAIN_ID NUMBER HASH   ours as well: this block is in that chain, so what is in it counts

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.h"
#include "audit/note.h"

namespace audit {

struct PolicyLog {
  NoteKey key;
  std::string url;                              ///< empty if not given
  std::optional<std::uint64_t> retired_at;      ///< signs only trees with fewer leaves
};

struct PolicyWitness {
  std::string name;                             ///< within the policy
  NoteKey key;
  std::string url;
};

struct PolicyGroup {
  std::string name;
  std::size_t enough = 1;
  std::vector<std::string> members;             ///< witnesses and earlier groups
};

/// A time-stamping authority. One name may have several lines, for the certificates of several years.
struct PolicyTsa {
  std::string name;                             ///< within the policy
  Digest fingerprint{};                         ///< SHA-256 of a whole certificate (DER)
};

/// A block of an EVM chain that somebody looked up. One name may have several lines.
struct PolicyEvmBlock {
  std::string name;                             ///< within the policy
  std::uint64_t chain_id = 0;
  std::uint64_t number = 0;
  Digest hash{};                                ///< Keccak-256 of its header; in text `0x` and 64 lower-case hex digits
};

struct Policy {
  std::vector<PolicyLog> logs;
  std::vector<PolicyWitness> witnesses;
  std::vector<PolicyGroup> groups;
  std::vector<PolicyTsa> tsas = {};
  std::vector<PolicyEvmBlock> evm_blocks = {};
  std::string quorum = "none";

  /// Keys of the witnesses, in order.
  std::vector<NoteKey> witness_keys() const;
  /// Is the quorum there, if these witnesses (indexes) cosigned?
  bool satisfied_by(std::span<const std::size_t> witnesses) const;
};

/// Error `policy_malformed`, naming the line.
base::Result<Policy> parse_policy(std::string_view text);
/// The inverse.
std::string policy_text(const Policy& policy);
/// The line of one block, with a newline at its end.
std::string policy_line(const PolicyEvmBlock& block);

}  // namespace audit
