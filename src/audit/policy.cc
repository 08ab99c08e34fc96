#include "audit/policy.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace audit {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view retired_directive = "#holdfast-retired";
constexpr std::string_view tsa_directive = "#holdfast-tsa";
constexpr std::string_view evm_block_directive = "#holdfast-evm-block";
constexpr std::size_t lines_max = 10'000;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t start = line.find_first_not_of(blanks);
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const std::size_t end = std::min(line.find_first_of(blanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  return value;
}

bool is_defined(const Policy& policy, std::string_view name) {
  return std::ranges::find(policy.witnesses, name, &PolicyWitness::name) != policy.witnesses.end() ||
         std::ranges::find(policy.groups, name, &PolicyGroup::name) != policy.groups.end();
}

bool is_new_name(const Policy& policy, std::string_view name) { return name != "none" && !is_defined(policy, name); }

// One line; what is wrong with it, or nothing.
const char* take_log(Policy& policy, std::span<const std::string_view> words) {
  if (words.size() < 2 || words.size() > 3) return "log VKEY [URL]";
  const auto key = parse_vkey(words[1]);
  if (!key.ok() || key->kind != NoteKeyKind::ed25519) return "not the verifier key of a log";
  for (const PolicyLog& known : policy.logs) {
    if (known.key.public_key == key->public_key) return "this key was given before";
  }
  policy.logs.push_back({*key, std::string(words.size() > 2 ? words[2] : ""), {}});
  return nullptr;
}

const char* take_witness(Policy& policy, std::span<const std::string_view> words) {
  if (words.size() < 3 || words.size() > 4) return "witness NAME VKEY [URL]";
  const auto key = parse_vkey(words[2]);
  if (!key.ok() || key->kind != NoteKeyKind::cosignature_v1) return "not the verifier key of a witness";
  if (!is_new_name(policy, words[1])) return "this name is taken";
  for (const PolicyWitness& known : policy.witnesses) {
    if (known.key.public_key == key->public_key) return "this key was given before";
  }
  policy.witnesses.push_back({std::string(words[1]), *key, std::string(words.size() > 3 ? words[3] : "")});
  return nullptr;
}

const char* take_group(Policy& policy, std::span<const std::string_view> words) {
  if (words.size() < 4) return "group NAME all|any|K MEMBER...";
  if (!is_new_name(policy, words[1])) return "this name is taken";
  PolicyGroup group{std::string(words[1]), 1, {}};
  for (const std::string_view member : words.subspan(3)) {
    if (!is_defined(policy, member)) return "a member that no line before defines";
    if (std::ranges::find(group.members, member) != group.members.end()) return "a member twice";
    group.members.emplace_back(member);
  }
  if (words[2] == "all") {
    group.enough = group.members.size();
  } else if (words[2] != "any") {
    const auto enough = number_of(words[2]);
    if (!enough || *enough < 1 || *enough > group.members.size()) return "all, any, or a number of members";
    group.enough = static_cast<std::size_t>(*enough);
  }
  policy.groups.push_back(std::move(group));
  return nullptr;
}

const char* take_retired(Policy& policy, std::span<const std::string_view> words) {
  if (words.size() != 3) return "#holdfast-retired VKEY SIZE";
  const auto key = parse_vkey(words[1]);
  const auto size = number_of(words[2]);
  if (!key.ok() || !size) return "#holdfast-retired VKEY SIZE";
  for (PolicyLog& log : policy.logs) {
    if (log.key != *key) continue;
    if (log.retired_at) return "retired twice";
    log.retired_at = *size;
    return nullptr;
  }
  return "no line before names this log key";
}

const char* take_tsa(Policy& policy, std::span<const std::string_view> words) {
  if (words.size() != 3) return "#holdfast-tsa NAME SHA256";
  const auto bytes = base::parse_hex(words[2]);
  PolicyTsa tsa{std::string(words[1]), {}};
  if (!bytes || bytes->size() != tsa.fingerprint.size() || base::to_hex(*bytes) != words[2]) {
    return "not the SHA-256 fingerprint of a certificate: 64 lower-case hex digits";
  }
  std::ranges::copy(*bytes, tsa.fingerprint.begin());
  if (std::ranges::find(policy.tsas, tsa.fingerprint, &PolicyTsa::fingerprint) != policy.tsas.end()) return "this fingerprint was given before";
  policy.tsas.push_back(std::move(tsa));
  return nullptr;
}

const char* take_evm_block(Policy& policy, std::span<const std::string_view> words) {
  constexpr const char* form = "#holdfast-evm-block NAME CHAIN_ID NUMBER HASH, the hash with 0x and 64 lower-case hex digits";
  if (words.size() != 5 || !words[4].starts_with("0x")) return form;
  const auto chain = number_of(words[2]), number = number_of(words[3]);
  const auto bytes = base::parse_hex(words[4].substr(2));
  PolicyEvmBlock block{.name = std::string(words[1]), .chain_id = chain.value_or(0), .number = number.value_or(0), .hash = {}};
  if (!chain || !number || !bytes || bytes->size() != block.hash.size() || base::to_hex(*bytes) != words[4].substr(2)) return form;
  std::ranges::copy(*bytes, block.hash.begin());
  if (std::ranges::find(policy.evm_blocks, block.hash, &PolicyEvmBlock::hash) != policy.evm_blocks.end()) return "this block was given before";
  policy.evm_blocks.push_back(std::move(block));
  return nullptr;
}

bool met(const Policy& policy, std::string_view name, std::span<const std::size_t> witnesses) {
  for (const std::size_t index : witnesses) {
    if (policy.witnesses[index].name == name) return true;
  }
  const auto group = std::ranges::find(policy.groups, name, &PolicyGroup::name);
  if (group == policy.groups.end()) return false;
  std::size_t count = 0;
  for (const std::string& member : group->members) count += met(policy, member, witnesses) ? 1 : 0;
  return count >= group->enough;
}

}  // namespace

std::vector<NoteKey> Policy::witness_keys() const {
  std::vector<NoteKey> keys;
  for (const PolicyWitness& witness : witnesses) keys.push_back(witness.key);
  return keys;
}

bool Policy::satisfied_by(std::span<const std::size_t> cosigners) const {
  return quorum == "none" || met(*this, quorum, cosigners);
}

base::Result<Policy> parse_policy(std::string_view text) {
  Policy policy;
  bool has_quorum = false;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::vector<std::string_view> words = words_of(line);
    const char* wrong = nullptr;
    if (number > lines_max) {
      wrong = "too many lines";
    } else if (words.empty()) {
      continue;
    } else if (words[0] == retired_directive) {
      wrong = take_retired(policy, words);
    } else if (words[0] == tsa_directive) {
      wrong = take_tsa(policy, words);
    } else if (words[0] == evm_block_directive) {
      wrong = take_evm_block(policy, words);
    } else if (words[0].starts_with('#')) {
      continue;
    } else if (words[0] == "log") {
      wrong = take_log(policy, words);
    } else if (words[0] == "witness") {
      wrong = take_witness(policy, words);
    } else if (words[0] == "group") {
      wrong = take_group(policy, words);
    } else if (words[0] == "quorum") {
      if (words.size() != 2 || has_quorum) wrong = "quorum NAME, once";
      else if (words[1] != "none" && !is_defined(policy, words[1])) wrong = "a name that no line before defines";
      else policy.quorum = words[1];
      has_quorum = true;
    } else {
      wrong = "a line begins with log, witness, group, quorum or #";
    }
    if (wrong != nullptr) return base::Error{"policy_malformed", "line " + std::to_string(number) + ": " + wrong};
  }
  if (!has_quorum) return base::Error{"policy_malformed", "there is no quorum line"};
  return policy;
}

std::string policy_text(const Policy& policy) {
  std::string text;
  const auto with_url = [](const std::string& url) { return (url.empty() ? "" : " " + url) + "\n"; };
  for (const PolicyLog& log : policy.logs) {
    text += "log " + to_vkey(log.key) + with_url(log.url);
    if (log.retired_at) text += std::string(retired_directive) + " " + to_vkey(log.key) + " " + std::to_string(*log.retired_at) + "\n";
  }
  for (const PolicyWitness& witness : policy.witnesses) text += "witness " + witness.name + " " + to_vkey(witness.key) + with_url(witness.url);
  for (const PolicyGroup& group : policy.groups) {
    text += "group " + group.name + " " + std::to_string(group.enough);
    for (const std::string& member : group.members) text += " " + member;
    text += "\n";
  }
  for (const PolicyTsa& tsa : policy.tsas) text += std::string(tsa_directive) + " " + tsa.name + " " + base::to_hex(tsa.fingerprint) + "\n";
  for (const PolicyEvmBlock& block : policy.evm_blocks) text += policy_line(block);
  return text + "quorum " + policy.quorum + "\n";
}

std::string policy_line(const PolicyEvmBlock& block) {
  return std::string(evm_block_directive) + " " + block.name + " " + std::to_string(block.chain_id) + " " + std::to_string(block.number) + " 0x" +
         base::to_hex(block.hash) + "\n";
}

}  // namespace audit
