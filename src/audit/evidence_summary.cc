#include "audit/evidence_summary.h"

#include <vector>

#include "audit/evidence_lines.h"
#include "base/text.h"

namespace audit {
namespace {

std::string statement_of(const VerifiedEvidence& verified, bool chinese) {
  const bool import = verified.evidence.kind == EvidenceKind::import;
  if (chinese) {
    return "所示每一事件均在该日志的树中；日志方签名声明：截至该树，" + std::string(import ? "此次导入" : "此笔转账") + "仅有这些事件，别无其他。";
  }
  return "Every event shown is in the log's tree; the log signed that, up to this tree, the " + std::string(name_of(verified.evidence.kind)) +
         " had these events and no others.";
}

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

std::string evidence_summary(const VerifiedEvidence& verified, SummaryLanguage language) {
  const bool chinese = language == SummaryLanguage::chinese;
  std::string text;
  for (const EvidenceLine& line : evidence_lines(verified)) {
    text += chinese ? line.chinese + "：" + printable(line.value_chinese) : line.english + ": " + printable(line.value_english);
    text += '\n';
  }
  return text + statement_of(verified, chinese) + "\n";
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
    const bool import = verified.evidence.kind == EvidenceKind::import;
    page += chinese ? "<section lang=\"zh\">\n<h1>" : "<section>\n<h1>";
    page += chinese ? (import ? "密钥导入证据" : "转账证据") : (import ? "Evidence of an import" : "Evidence of a transfer");
    page += "</h1>\n";
    page += "<table>\n";
    for (const EvidenceLine& line : evidence_lines(verified)) {
      page += "<tr><th>" + (chinese ? line.chinese : line.english) + "</th><td>" + escaped(chinese ? line.value_chinese : line.value_english) + "</td></tr>\n";
    }
    page += "</table>\n<p>";
    page += statement_of(verified, chinese);
    page += "</p>\n</section>\n";
  }
  return page + "</body>\n</html>\n";
}

std::string evidence_facts(const VerifiedEvidence& verified) {
  std::string out = "{\"verified\":true";
  std::string witnesses, attempts, steps;
  const std::vector<EvidenceLine> lines = evidence_lines(verified);
  for (const EvidenceLine& line : lines) {
    const std::string_view name(line.name);
    if (name == "witness" || name == "anchor") continue;
    if (name == "attempt" || name == "step") {
      std::string& list = name == "attempt" ? attempts : steps;
      list += list.empty() ? "" : ",";
      put_json_string(list, line.value_english);
      continue;
    }
    out += ",\"" + std::string(name) + "\":";
    put_json_string(out, line.value_english);
  }
  if (!attempts.empty()) out += ",\"attempts\":[" + attempts + "]";
  if (!steps.empty()) out += ",\"steps\":[" + steps + "]";
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
