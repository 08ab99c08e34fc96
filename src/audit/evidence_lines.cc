#include "audit/evidence_lines.h"

#include <array>
#include <optional>
#include <utility>

#include "base/instant.h"
#include "base/text.h"
#include "model/registry.h"

namespace audit {
namespace {

class Lines {
 public:
  /// Without a Chinese value it is the same in both languages.
  void add(const char* name, std::string english, std::string chinese, std::string value, std::string value_chinese = {}) {
    if (value_chinese.empty()) value_chinese = value;
    lines_.push_back({std::move(english), std::move(chinese), std::move(value), std::move(value_chinese), name});
  }
  /// A bundle's text is never markup, and a person should see where it ends. Nothing for what is not disclosed.
  void quote(const char* name, const char* english, const char* chinese, const std::string& text) {
    if (!text.empty()) add(name, english, chinese, "\"" + text + "\"");
  }
  std::vector<EvidenceLine> take() { return std::move(lines_); }

 private:
  std::vector<EvidenceLine> lines_;
};

std::string seconds_text(std::uint64_t seconds) {
  constexpr std::uint64_t seconds_max = 9'000'000'000;
  if (seconds > seconds_max) return std::to_string(seconds);
  return base::to_rfc3339({static_cast<std::int64_t>(seconds) * 1'000'000'000});
}

std::string account_text(const NamedAccount& account, bool chinese) {
  const std::string number = (chinese ? "账户第 " : "account number ") + std::to_string(account.number) + (chinese ? " 号" : "");
  return account.name.empty() ? number : "\"" + account.name + "\" (" + number + ")";
}

std::string amount_text(base::U128 amount, const std::optional<model::Asset>& asset) {
  if (!asset) return base::to_decimal(amount) + " (asset not disclosed)";
  return decimal_amount(amount, asset->scale) + " " + model::to_text(*asset);
}

// --- a transfer between accounts ---------------------------------------------------------------------------------------------

void add_movement(Lines& lines, const VerifiedEvidence& verified, const MovementStory& story) {
  const model::Event& created = verified.events[story.created];
  const auto* held = std::get_if<model::HoldPlaced>(&created.body);
  const auto* posted = std::get_if<model::TransferPosted>(&created.body);
  const model::HoldResolved* end = story.resolved ? std::get_if<model::HoldResolved>(&verified.events[*story.resolved].body) : nullptr;
  std::string state = "settled at once", state_zh = "已即时入账";
  if (held != nullptr) {
    state = "held, not resolved in this tree";
    state_zh = "已冻结，在此账簿中尚未了结";
  }
  if (end != nullptr) {
    switch (end->resolution) {
      case model::HoldResolution::captured: state = "hold captured", state_zh = "冻结已扣款"; break;
      case model::HoldResolution::voided: state = "hold voided", state_zh = "冻结已撤销"; break;
      case model::HoldResolution::expired: state = "hold expired", state_zh = "冻结已过期"; break;
    }
  }
  lines.add("transfer", "Transfer", "转账编号", verified.evidence.id);
  lines.add("state", "What happened", "结果", state, state_zh);
  lines.add("amount", held != nullptr ? "Amount held" : "Amount", held != nullptr ? "冻结金额" : "金额",
            amount_text(held != nullptr ? held->amount : posted->amount, story.asset));
  if (end != nullptr && end->resolution == model::HoldResolution::captured) {
    lines.add("captured", "Amount captured", "扣款金额", amount_text(end->captured, story.asset));
  }
  lines.add("debit_account", "Debited", "付款方", account_text(story.debit, false), account_text(story.debit, true));
  lines.add("credit_account", "Credited", "收款方", account_text(story.credit, false), account_text(story.credit, true));
  lines.quote("reference", "Reference", "附言", story.reference);
  lines.add("at", "Recorded at", "记录时间", base::to_rfc3339(created.at));
  if (story.resolved) lines.add("resolved_at", "Resolved at", "了结时间", base::to_rfc3339(verified.events[*story.resolved].at));
}

// --- a transfer over rails -----------------------------------------------------------------------------------------------------

constexpr std::array<const char*, model::transfer_state_count> states_zh = {
    "已受理", "人工审核中", "资金已冻结", "暂候通道", "发送中", "通道已受理", "结果未知", "人工核查中",
    "已结算", "已失败", "已退回",   "已拒绝",   "已取消", "冲正中",   "已冲正"};

std::string state_zh(model::TransferState state) { return states_zh[static_cast<std::size_t>(state) - 1]; }

const char* kind_zh(model::TransferKind kind) {
  switch (kind) {
    case model::TransferKind::payout: return "出款";
    case model::TransferKind::collect: return "收款";
    case model::TransferKind::recall: break;
  }
  return "追回";
}

void add_attempt(Lines& lines, const VerifiedEvidence& verified, const AttemptStory& attempt) {
  const model::Event& event = verified.events[attempt.started];
  const auto& started = std::get<model::AttemptStarted>(event.body);
  const std::string number = std::to_string(started.attempt), rail = std::to_string(started.rail), at = base::to_rfc3339(event.at);
  std::string text = "number " + number + " over rail " + rail + ", sent from " + at;
  std::string text_zh = "第 " + number + " 次，通道 " + rail + "，自 " + at + " 发送";
  if (attempt.reported) {
    const model::Event& said = verified.events[*attempt.reported];
    const auto& reported = std::get<model::AttemptReported>(said.body);
    std::string result(model::name_of(reported.result));
    if (reported.reason != model::RailReason::none) result += " (" + std::string(model::row_of(reported.reason).name) + ")";
    text += "; last heard at " + base::to_rfc3339(said.at) + ": " + result;
    text_zh += "；最近回报 " + base::to_rfc3339(said.at) + "：" + result;
  } else {
    text += "; nothing was heard of it";
    text_zh += "；尚无回报";
  }
  if (!attempt.rail_reference.empty()) {
    text += "; the rail calls it \"" + attempt.rail_reference + "\"";
    text_zh += "；通道流水号 \"" + attempt.rail_reference + "\"";
  }
  lines.add("attempt", "Attempt", "发送", text, text_zh);
}

void add_rail_transfer(Lines& lines, const VerifiedEvidence& verified, const RailStory& story) {
  const model::Event& event = verified.events[story.requested];
  const auto& request = std::get<model::TransferRequested>(event.body);
  const bool out = request.kind == model::TransferKind::payout;
  lines.add("transfer", "Transfer", "转账编号", verified.evidence.id);
  lines.add("kind", "Kind", "种类", std::string(model::name_of(request.kind)), kind_zh(request.kind));
  const auto* last = story.moves.empty() ? nullptr : &std::get<model::TransferMoved>(verified.events[story.moves.back()].body);
  const model::TransferState state = last == nullptr ? model::TransferState::requested : last->to;
  const std::string open = model::is_final(state) ? "" : ", not ended in this tree", open_zh = model::is_final(state) ? "" : "，在此账簿中尚未了结";
  lines.add("state", "What happened", "结果", std::string(model::name_of(state)) + open, state_zh(state) + open_zh);
  lines.add("amount", "Amount", "金额", amount_text(request.amount, story.asset));
  lines.add("account", out ? "Debited" : "Credited", out ? "付款方" : "收款方", account_text(story.account, false), account_text(story.account, true));
  lines.quote("beneficiary", out ? "Beneficiary" : "Payer", out ? "收款人" : "付款人", story.beneficiary);
  lines.quote("reference", "Reference", "附言", story.reference);
  lines.add("at", "Requested at", "请求时间", base::to_rfc3339(event.at));
  for (const AttemptStory& attempt : story.attempts) add_attempt(lines, verified, attempt);
  for (const std::size_t i : story.moves) {
    const auto& moved = std::get<model::TransferMoved>(verified.events[i].body);
    const std::string at = base::to_rfc3339(verified.events[i].at) + " ";
    lines.add("step", "Step", "步骤", at + std::string(model::name_of(moved.from)) + " to " + std::string(model::name_of(moved.to)),
              at + state_zh(moved.from) + " → " + state_zh(moved.to));
  }
}

// --- an import -------------------------------------------------------------------------------------------------------------------

void add_import(Lines& lines, const VerifiedEvidence& verified, const ImportStory& story) {
  const model::Event& event = verified.events[story.received];
  const auto& received = std::get<model::ImportReceived>(event.body);
  lines.add("import", "Import", "导入编号", verified.evidence.id);
  const auto* last = story.moved ? &std::get<model::ImportMoved>(verified.events[*story.moved].body) : nullptr;
  std::string state(model::to_text(last == nullptr ? model::ImportState::received : last->to));
  if (last != nullptr) state += ", by " + std::string(model::to_text(last->cause));
  lines.add("state", "What happened", "结果", state);
  lines.add("key", "Key", "密钥", std::string(model::to_text(received.partner_name)) + "/" + std::string(model::to_text(received.key_name)) + ", to " +
                                     std::string(model::to_text(received.purpose)));
  if (received.facts) {
    const model::KeyFacts& facts = **received.facts;
    lines.add("material", "Material", "密钥材料",
              std::string(model::to_text(facts.algorithm)) + ", " + std::to_string(facts.bits) + " bits, SHA-256 of its SPKI " + base::to_hex(facts.pin));
  }
  std::string findings;
  for (const std::uint16_t cause : received.causes) {
    if (cause != 0) findings += (findings.empty() ? "" : ", ") + std::to_string(cause);
  }
  if (!findings.empty()) lines.add("findings", "Findings", "诊断结果", "numbers " + findings + " of docs/import-codes.md", "docs/import-codes.md 中的编号 " + findings);
  lines.quote("responsible", "Responsible", "负责人", story.responsible);
  lines.add("at", "Received at", "接收时间", base::to_rfc3339(event.at));
  if (story.added) {
    const auto& added = std::get<model::KeyVersionAdded>(verified.events[*story.added].body);
    lines.add("version", "Version", "版本", std::to_string(added.version) + (added.proven ? ", its holder proved to have the private half" : ", not proven when it was added"),
              std::to_string(added.version) + (added.proven ? "，持有人已证明持有私钥" : "，加入时未经证明"));
  }
  for (const std::size_t i : story.version_moves) {
    const auto& moved = std::get<model::KeyVersionMoved>(verified.events[i].body);
    lines.add("step", "Step", "步骤", base::to_rfc3339(verified.events[i].at) + " " + std::string(model::to_text(moved.from)) + " to " +
                                         std::string(model::to_text(moved.to)) + ", " + std::string(model::to_text(moved.cause)));
  }
}

struct AddStory {
  Lines& lines;
  const VerifiedEvidence& verified;
  void operator()(const MovementStory& story) const { add_movement(lines, verified, story); }
  void operator()(const RailStory& story) const { add_rail_transfer(lines, verified, story); }
  void operator()(const ImportStory& story) const { add_import(lines, verified, story); }
};

// --- log, tree, witnesses, anchors ---------------------------------------------------------------------------------------------------

void add_tree(Lines& lines, const VerifiedEvidence& verified) {
  lines.add("log", "Log", "审计日志", verified.evidence.origin);
  lines.add("log_key", "Key of the log", "日志密钥", to_vkey(verified.log_key));
  const std::string size = std::to_string(verified.checkpoint.size), root = base::to_base64(verified.checkpoint.root);
  lines.add("tree", "Tree", "账簿状态", size + " leaves, root " + root, size + " 个叶节点，根 " + root);
  for (const WitnessSeen& witness : verified.witnesses) {
    lines.add("witness", "Seen by witness", "见证方", witness.name + " at " + seconds_text(witness.seconds), witness.name + "，" + seconds_text(witness.seconds));
  }
  if (verified.split_view_excluded()) {
    lines.add("split_view", "Split view", "分叉视图", "excluded as far as these witnesses are believed", "在信任上述见证方的前提下已排除");
  } else {
    lines.add("split_view", "Split view", "分叉视图", "not excluded: no witness saw this checkpoint", "未排除：没有见证方见过此检查点");
  }
}

void add_anchor(Lines& lines, const AnchorSeen& anchor) {
  const std::string at = seconds_text(anchor.seconds), size = std::to_string(anchor.size);
  const std::string what = at + ": a tree of " + size + " leaves with these events was there then";
  const std::string what_zh = at + "：此时已存在含这些事件的 " + size + " 个叶节点的树";
  if (!anchor.block) {
    lines.add("anchor", "Time-stamped", "时间戳", "by " + anchor.name + " at " + what, anchor.name + "，" + what_zh);
    return;
  }
  const std::string chain = std::to_string(anchor.block->chain_id), number = std::to_string(anchor.block->number);
  const std::string hash = "0x" + base::to_hex(anchor.block->hash);
  lines.add("anchor", "Anchored on a chain", "链上锚定", anchor.name + ", chain " + chain + ", block " + number + " (" + hash + "), at " + what,
            anchor.name + "，链 " + chain + "，区块 " + number + "（" + hash + "），" + what_zh);
}

void add_anchors(Lines& lines, const VerifiedEvidence& verified) {
  for (const AnchorSeen& anchor : verified.anchors) add_anchor(lines, anchor);
  for (const auto& [kind, why] : verified.anchors_not_counted) {
    const bool chain = kind == evm_kind;
    // Where a transaction is can be looked up.
    const std::string what = std::string(why.code) + (chain ? " (" + why.message + ")" : "");
    lines.add("anchor", chain ? "Anchor on a chain" : "Time-stamp", chain ? "链上锚定" : "时间戳", "one that does not count: " + what, "有一个，但不计入：" + what);
  }
}

}  // namespace

std::string decimal_amount(base::U128 amount, unsigned scale) {
  std::string digits = base::to_decimal(amount);
  if (scale == 0) return digits;
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  digits.insert(digits.size() - scale, ".");
  return digits;
}

std::vector<EvidenceLine> evidence_lines(const VerifiedEvidence& verified) {
  Lines lines;
  std::visit(AddStory{lines, verified}, verified.story);
  add_tree(lines, verified);
  add_anchors(lines, verified);
  return lines.take();
}

}  // namespace audit
