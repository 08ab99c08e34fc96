#include "audit/evidence_summary.h"

#include <vector>

#include "base/instant.h"
#include "base/text.h"

namespace audit {
namespace {

// One fact in both languages.
struct Line {
  std::string english, chinese;
  std::string value_english, value_chinese;
  const char* name;   // for programs
};

std::string seconds_text(std::uint64_t seconds) {
  constexpr std::uint64_t seconds_max = 9'000'000'000;
  if (seconds > seconds_max) return std::to_string(seconds);
  return base::to_rfc3339({static_cast<std::int64_t>(seconds) * 1'000'000'000});
}

std::string account_text(const NamedAccount& account, bool chinese) {
  const std::string number = (chinese ? "账户第 " : "account number ") + std::to_string(account.number) + (chinese ? " 号" : "");
  // A bundle's text is never markup, and a person should see where it ends.
  return account.name.empty() ? number : "\"" + account.name + "\" (" + number + ")";
}

std::string amount_text(base::U128 amount, const VerifiedEvidence& verified) {
  if (!verified.asset) return base::to_decimal(amount) + " (asset not disclosed)";
  return decimal_amount(amount, verified.asset->scale) + " " + model::to_text(*verified.asset);
}

std::vector<Line> lines_of(const VerifiedEvidence& verified) {
  std::vector<Line> lines;
  const auto add = [&lines](const char* name, std::string english, std::string chinese, std::string value, std::string value_chinese = {}) {
    if (value_chinese.empty()) value_chinese = value;
    lines.push_back({std::move(english), std::move(chinese), std::move(value), std::move(value_chinese), name});
  };
  const model::Event& created = verified.events[verified.created];
  const auto* held = std::get_if<model::HoldPlaced>(&created.body);
  const auto* posted = std::get_if<model::TransferPosted>(&created.body);
  add("transfer", "Transfer", "转账编号", verified.evidence.id);
  const model::HoldResolved* end = nullptr;
  if (verified.resolved) end = std::get_if<model::HoldResolved>(&verified.events[*verified.resolved].body);
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
  add("state", "What happened", "结果", state, state_zh);
  add("amount", held != nullptr ? "Amount held" : "Amount", held != nullptr ? "冻结金额" : "金额",
      amount_text(held != nullptr ? held->amount : posted->amount, verified));
  if (end != nullptr && end->resolution == model::HoldResolution::captured) add("captured", "Amount captured", "扣款金额", amount_text(end->captured, verified));
  add("debit_account", "Debited", "付款方", account_text(verified.debit, false), account_text(verified.debit, true));
  add("credit_account", "Credited", "收款方", account_text(verified.credit, false), account_text(verified.credit, true));
  if (verified.reference) add("reference", "Reference", "附言", "\"" + *verified.reference + "\"");
  add("at", "Recorded at", "记录时间", base::to_rfc3339(created.at));
  if (verified.resolved) add("resolved_at", "Resolved at", "了结时间", base::to_rfc3339(verified.events[*verified.resolved].at));
  add("log", "Log", "审计日志", verified.evidence.origin);
  add("log_key", "Key of the log", "日志密钥", to_vkey(verified.log_key));
  add("tree", "Tree", "账簿状态", std::to_string(verified.checkpoint.size) + " leaves, root " + base::to_base64(verified.checkpoint.root),
      std::to_string(verified.checkpoint.size) + " 个叶节点，根 " + base::to_base64(verified.checkpoint.root));
  for (const WitnessSeen& witness : verified.witnesses) {
    add("witness", "Seen by witness", "见证方", witness.name + " at " + seconds_text(witness.seconds), witness.name + "，" + seconds_text(witness.seconds));
  }
  if (verified.split_view_excluded()) {
    add("split_view", "Split view", "分叉视图", "excluded as far as these witnesses are believed", "在信任上述见证方的前提下已排除");
  } else {
    add("split_view", "Split view", "分叉视图", "not excluded: no witness saw this checkpoint", "未排除：没有见证方见过此检查点");
  }
  for (const AnchorSeen& anchor : verified.anchors) {
    const std::string at = seconds_text(anchor.seconds), size = std::to_string(anchor.size);
    const std::string what = at + ": a tree of " + size + " leaves with these events was there then";
    const std::string what_zh = at + "：此时已存在含这些事件的 " + size + " 个叶节点的树";
    if (!anchor.block) {
      add("anchor", "Time-stamped", "时间戳", "by " + anchor.name + " at " + what, anchor.name + "，" + what_zh);
      continue;
    }
    const std::string chain = std::to_string(anchor.block->chain_id), number = std::to_string(anchor.block->number);
    const std::string hash = "0x" + base::to_hex(anchor.block->hash);
    add("anchor", "Anchored on a chain", "链上锚定", anchor.name + ", chain " + chain + ", block " + number + " (" + hash + "), at " + what,
        anchor.name + "，链 " + chain + "，区块 " + number + "（" + hash + "），" + what_zh);
  }
  for (const auto& [kind, why] : verified.anchors_not_counted) {
    const bool chain = kind == evm_kind;
    // Where a transaction is can be looked up.
    const std::string what = std::string(why.code) + (chain ? " (" + why.message + ")" : "");
    add("anchor", chain ? "Anchor on a chain" : "Time-stamp", chain ? "链上锚定" : "时间戳", "one that does not count: " + what, "有一个，但不计入：" + what);
  }
  return lines;
}

constexpr const char* statement =
    "Every event shown is in the log's tree; the log signed that, up to this tree, the transfer had these events and no others.";
constexpr const char* statement_zh = "所示每一事件均在该日志的树中；日志方签名声明：截至该树，此笔转账仅有这些事件，别无其他。";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

void put_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters as well, two bytes each in UTF-8.
    const bool wide = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    out += byte < 0x20 || byte == 0x7F || wide ? '?' : text[i];
    if (wide) ++i;
  }
  return out;
}

std::string decimal_amount(base::U128 amount, unsigned scale) {
  std::string digits = base::to_decimal(amount);
  if (scale == 0) return digits;
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  digits.insert(digits.size() - scale, ".");
  return digits;
}

std::string evidence_summary(const VerifiedEvidence& verified, SummaryLanguage language) {
  const bool chinese = language == SummaryLanguage::chinese;
  std::string text;
  for (const Line& line : lines_of(verified)) {
    text += chinese ? line.chinese + "：" + printable(line.value_chinese) : line.english + ": " + printable(line.value_english);
    text += '\n';
  }
  return text + (chinese ? statement_zh : statement) + "\n";
}

std::string evidence_page(const VerifiedEvidence& verified) {
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>" +
      escaped(verified.evidence.id) +
      "</title>\n<style>\nbody{font:11pt/1.5 serif;margin:2cm auto;max-width:18cm;color:#000;background:#fff}\n"
      "table{border-collapse:collapse;width:100%}\nth,td{text-align:left;vertical-align:top;padding:.3em .6em;border-bottom:1px solid #bbb}\n"
      "th{width:28%;font-weight:normal;color:#444}\ntd{overflow-wrap:anywhere}\nsection{break-inside:avoid;margin-top:1.5em}\n"
      "@page{size:A4;margin:2cm}\n@media print{body{margin:0;max-width:none}}\n</style>\n</head>\n<body>\n";
  for (const bool chinese : {false, true}) {
    page += chinese ? "<section lang=\"zh\">\n<h1>转账证据</h1>\n" : "<section>\n<h1>Evidence of a transfer</h1>\n";
    page += "<table>\n";
    for (const Line& line : lines_of(verified)) {
      page += "<tr><th>" + (chinese ? line.chinese : line.english) + "</th><td>" + escaped(chinese ? line.value_chinese : line.value_english) + "</td></tr>\n";
    }
    page += "</table>\n<p>";
    page += chinese ? statement_zh : statement;
    page += "</p>\n</section>\n";
  }
  return page + "</body>\n</html>\n";
}

std::string evidence_facts(const VerifiedEvidence& verified) {
  std::string out = "{\"verified\":true";
  std::string witnesses;
  for (const Line& line : lines_of(verified)) {
    if (std::string_view(line.name) == "witness" || std::string_view(line.name) == "anchor") continue;
    out += ",\"" + std::string(line.name) + "\":";
    put_json_string(out, line.value_english);
  }
  for (const WitnessSeen& witness : verified.witnesses) {
    witnesses += witnesses.empty() ? "" : ",";
    witnesses += "{\"name\":";
    put_json_string(witnesses, witness.name);
    witnesses += ",\"seconds\":" + std::to_string(witness.seconds) + "}";
  }
  out += ",\"split_view_excluded\":";
  out += verified.split_view_excluded() ? "true" : "false";
  out += ",\"witnesses\":[" + witnesses + "],\"anchors\":[";
  for (std::size_t i = 0; i < verified.anchors.size(); ++i) {
    const AnchorSeen& anchor = verified.anchors[i];
    out += i == 0 ? "{\"name\":" : ",{\"name\":";
    put_json_string(out, anchor.name);
    out += ",\"seconds\":" + std::to_string(anchor.seconds) + ",\"size\":" + std::to_string(anchor.size);
    if (anchor.block) {
      // Numbers of any size: what reads JSON may keep 53 bits only.
      out += ",\"chain_id\":\"" + std::to_string(anchor.block->chain_id) + "\",\"block\":\"" + std::to_string(anchor.block->number) +
             "\",\"block_hash\":\"0x" + base::to_hex(anchor.block->hash) + "\"";
    }
    out += "}";
  }
  out += "],\"anchors_not_counted\":[";
  for (std::size_t i = 0; i < verified.anchors_not_counted.size(); ++i) {
    const auto& [kind, why] = verified.anchors_not_counted[i];
    out += i == 0 ? "{\"kind\":" : ",{\"kind\":";
    put_json_string(out, kind);
    out += ",\"code\":";
    put_json_string(out, why.code);
    out += ",\"message\":";
    put_json_string(out, why.message);
    out += "}";
  }
  return out + "]}";
}

}  // namespace audit
