// camt.053, versions 001.02 to 001.13: the same elements for what is read here. pugixml stands behind this file alone.

#include <pugixml.hpp>

#include <cstring>

#include "base/text.h"
#include "intake/statement/words.h"

namespace intake {

namespace {

using statement::broken;

constexpr int xml_depth_max = 32;

// Names may have a prefix for the namespace.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node one : node.children()) {
    if (local_name(one) == name) return one;
  }
  return {};
}

template <typename... Names>
pugi::xml_node child(const pugi::xml_node& node, std::string_view first, Names... rest) {
  return child(child(node, first), rest...);
}

std::string_view text_of(const pugi::xml_node& node) { return statement::trimmed(node.child_value()); }

// Nesting is bounded before the parser, which descends without recursion, hands out a tree.
bool is_too_deep(const pugi::xml_node& node, int depth) {
  if (depth > xml_depth_max) return true;
  for (const pugi::xml_node one : node.children()) {
    if (is_too_deep(one, depth + 1)) return true;
  }
  return false;
}

class CamtReader {
 public:
  base::Result<Statement> read(std::string_view text) {
    if (statement::trimmed(text).empty()) return base::Error{"statement_empty", "there is nothing in the file"};
    // A document type could define entities; camt has none.
    if (text.find("<!DOCTYPE") != std::string_view::npos) return base::Error{"statement_xml_malformed", "a statement has no document type"};
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size(), pugi::parse_default);
    if (!parsed) {
      return base::Error{"statement_xml_malformed", "byte " + std::to_string(parsed.offset) + ": " + parsed.description()};
    }
    if (is_too_deep(document, 0)) return base::Error{"statement_xml_too_deep", "elements lie at most 32 deep in each other"};
    pugi::xml_node root;
    for (const pugi::xml_node one : document.children()) {
      if (one.type() == pugi::node_element) root = one;
    }
    if (!is_camt053(root)) return base::Error{"statement_not_camt053", "the document is no camt.053 statement"};
    const pugi::xml_node stated = child(root, "BkToCstmrStmt", "Stmt");
    for (pugi::xml_node next = stated.next_sibling(); next; next = next.next_sibling()) {
      if (local_name(next) == "Stmt") return base::Error{"statement_not_camt053", "one file, one Stmt"};
    }
    result_.format = model::StatementFormat::camt053;
    result_.id = std::string(text_of(child(stated, "Id"))).substr(0, statement_reference_bytes_max);
    result_.account = std::string(text_of(child(stated, "Acct", "Id", "IBAN")));
    if (result_.account.empty()) result_.account = std::string(text_of(child(stated, "Acct", "Id", "Othr", "Id")));
    TRY(read_balances(stated));
    for (const pugi::xml_node one : stated.children()) {
      if (local_name(one) == "Ntry") TRY(read_entry(one));
    }
    if (!statement::balances_agree(result_)) {
      return base::Error{"statement_sum_differs", "the entries do not lead from the opening to the closing balance"};
    }
    TRY(set_period(stated));
    return std::move(result_);
  }

 private:
  static bool is_camt053(const pugi::xml_node& root) {
    if (local_name(root) != "Document" || !child(root, "BkToCstmrStmt", "Stmt")) return false;
    for (const pugi::xml_attribute attribute : root.attributes()) {
      if (std::strncmp(attribute.name(), "xmlns", 5) == 0 && std::strstr(attribute.value(), ":camt.053.001.") != nullptr) return true;
    }
    return false;
  }

  base::Status set_period(const pugi::xml_node& stated) {
    const pugi::xml_node period = child(stated, "FrToDt");
    if (!period) {
      statement::set_period(result_, opened_, closed_);
      return base::ok();
    }
    const auto from = statement::parse_day_or_time(text_of(child(period, "FrDtTm")));
    const auto until = statement::parse_day_or_time(text_of(child(period, "ToDtTm")));
    if (!from || !until) return base::Error{"statement_date_malformed", "FrToDt has FrDtTm and ToDtTm"};
    result_.from = *from;
    result_.until = *until;
    // "Until 23:59:59" is the whole day.
    if (result_.until.ns % statement::one_day.ns >= statement::one_day.ns - base::seconds(1).ns) result_.until = statement::day_of(result_.until) + statement::one_day;
    return base::ok();
  }

  base::Status read_balances(const pugi::xml_node& stated) {
    std::uint32_t number = 0;
    for (const pugi::xml_node one : stated.children()) {
      if (local_name(one) != "Bal") continue;
      ++number;
      const std::string_view kind = text_of(child(one, "Tp", "CdOrPrtry", "Cd"));
      const bool opening = kind == "OPBD" || (kind == "PRCD" && !result_.opening);
      if (!opening && kind != "CLBD") continue;
      BookedLine amount;
      TRY(read_amount(one, "balance", number, amount));
      const auto at = day_in(child(one, "Dt"));
      if (!at) return broken("statement_date_malformed", "balance", number, "Dt has Dt or DtTm");
      (opening ? result_.opening : result_.closing) = StatedBalance{amount.amount, !amount.credit && amount.amount != 0};
      (opening ? opened_ : closed_) = statement::day_of(*at);
    }
    return base::ok();
  }

  static std::optional<base::Instant> day_in(const pugi::xml_node& node) {
    const pugi::xml_node time = child(node, "DtTm");
    return statement::parse_day_or_time(text_of(time ? time : child(node, "Dt")));
  }

  // Amt with Ccy, and CdtDbtInd beside it.
  static base::Status read_amount(const pugi::xml_node& node, std::string_view where, std::uint32_t number, BookedLine& line) {
    TRY(read_amt(child(node, "Amt"), where, number, line));
    const std::string_view side = text_of(child(node, "CdtDbtInd"));
    if (side != "CRDT" && side != "DBIT") return broken("statement_direction_malformed", where, number, "CdtDbtInd is CRDT or DBIT");
    line.credit = side == "CRDT";
    return base::ok();
  }
  static base::Status read_amt(const pugi::xml_node& amt, std::string_view where, std::uint32_t number, BookedLine& line) {
    if (!amt) return broken("statement_field_missing", where, number, "Amt");
    const auto asset = statement::parse_currency(amt.attribute("Ccy").value());
    if (!asset) return broken("statement_currency_malformed", where, number, "Ccy is three letters");
    const std::string_view text = text_of(amt);
    if (text.find(',') != std::string_view::npos) return broken("statement_amount_malformed", where, number, "an amount has a decimal point");
    const auto parsed = statement::parse_decimal_amount(text, asset->scale, false);
    if (parsed.error != nullptr) return broken(parsed.error, where, number, "Amt is digits with at most the currency's decimals");
    line.asset = *asset;
    line.amount = parsed.value;
    return base::ok();
  }

  base::Status read_entry(const pugi::xml_node& entry) {
    ++entries_;
    const pugi::xml_node status = child(entry, "Sts");
    const std::string_view booked = child(status, "Cd") ? text_of(child(status, "Cd")) : text_of(status);
    if (booked != "BOOK" && !booked.empty()) return base::ok();   // pending or for information
    BookedLine line;
    line.line = entries_;
    TRY(read_amount(entry, "entry", entries_, line));
    auto at = day_in(child(entry, "BookgDt"));
    line.by_value_day = !at;
    if (!at) at = day_in(child(entry, "ValDt"));
    if (!at) return broken("statement_date_malformed", "entry", entries_, "BookgDt has Dt or DtTm");
    line.booked_at = *at;
    line.rail_reference = std::string(text_of(child(entry, "AcctSvcrRef")));
    std::vector<pugi::xml_node> details;
    for (const pugi::xml_node group : entry.children()) {
      if (local_name(group) != "NtryDtls") continue;
      for (const pugi::xml_node one : group.children()) {
        if (local_name(one) == "TxDtls") details.push_back(one);
      }
    }
    if (details.size() < 2) {
      if (!details.empty()) TRY(read_references(details[0], line));
      return add(std::move(line));
    }
    // Booked as one sum: each of its payments is a line, and together they are the sum.
    base::U128 left = line.amount;
    for (const pugi::xml_node& detail : details) {
      BookedLine part = line;
      part.rail_reference.clear();
      const pugi::xml_node amt = child(detail, "Amt");
      TRY(read_amt(amt ? amt : child(detail, "AmtDtls", "TxAmt", "Amt"), "entry", entries_, part));
      if (part.asset != line.asset || part.amount > left) return broken("statement_sum_differs", "entry", entries_, "its details are not its amount");
      left -= part.amount;
      TRY(read_references(detail, part));
      TRY(add(std::move(part)));
    }
    if (left != 0) return broken("statement_sum_differs", "entry", entries_, "its details are not its amount");
    return base::ok();
  }

  base::Status read_references(const pugi::xml_node& detail, BookedLine& line) const {
    const pugi::xml_node references = child(detail, "Refs");
    for (const char* name : {"EndToEndId", "TxId", "InstrId"}) {
      const std::string_view found = text_of(child(references, name));
      if (found.empty() || found == "NOTPROVIDED") continue;
      if (line.our_reference.empty() || statement::our_reference_in(line.our_reference).empty()) {
        if (line.our_reference.empty() || !statement::our_reference_in(found).empty()) line.our_reference = std::string(found);
      }
    }
    for (const pugi::xml_node text : child(detail, "RmtInf").children()) {
      if (!statement::our_reference_in(line.our_reference).empty()) break;
      if (const std::string_view found = statement::our_reference_in(text_of(text)); !found.empty()) line.our_reference = std::string(found);
    }
    if (const std::string_view theirs = text_of(child(references, "AcctSvcrRef")); !theirs.empty()) line.rail_reference = std::string(theirs);
    return base::ok();
  }

  base::Status add(BookedLine line) {
    if (result_.lines.size() >= statement_lines_max) return broken("statement_too_many_lines", "entry", entries_, "a statement has at most 200000 lines");
    if (line.our_reference.size() > statement_reference_bytes_max || line.rail_reference.size() > statement_reference_bytes_max) {
      return broken("statement_reference_too_long", "entry", entries_, "a reference has at most 140 bytes");
    }
    result_.lines.push_back(std::move(line));
    return base::ok();
  }

  Statement result_;
  std::optional<base::Instant> opened_, closed_;
  std::uint32_t entries_ = 0;
};

}  // namespace

base::Result<Statement> read_statement_camt(std::string_view text) { return CamtReader().read(text); }

}  // namespace intake
