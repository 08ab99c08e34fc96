#include "intake/statement/statement.h"
#include "intake/statement/words.h"

#include <sys/resource.h>

#include <doctest/doctest.h>

namespace intake {

namespace {

std::string code_of(const base::Result<Statement>& read) { return read.ok() ? "ok" : read.error().code; }
std::string csv(const std::string& lines) { return code_of(read_statement_csv(lines)); }
std::string camt(const std::string& text) { return code_of(read_statement_camt(text)); }
std::string mt940(const std::string& text) { return code_of(read_statement_mt940(text)); }

std::string lines_of(const Statement& statement) {
  std::string text;
  for (const BookedLine& line : statement.lines) {
    text += std::to_string(line.line) + " " + base::to_rfc3339(line.booked_at).substr(0, 16) + (line.credit ? " +" : " -") + base::to_decimal(line.amount) + " " +
            model::to_text(line.asset) + " " + line.our_reference + "|" + line.rail_reference + "\n";
  }
  return text;
}

const std::string header = "booked_at,reference,rail_reference,amount,asset,direction,type\n";
const std::string ours = "tr_0000000000041";

std::string document(const std::string& inside, const std::string& version = "08") {
  return "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001." + version +
         "\"><BkToCstmrStmt><GrpHdr/><Stmt><Id>S-7</Id><Acct><Id><IBAN>DE02</IBAN></Id></Acct>" + inside + "</Stmt></BkToCstmrStmt></Document>";
}
std::string balance(const std::string& kind, const std::string& amount, const std::string& day, const std::string& side = "CRDT") {
  return "<Bal><Tp><CdOrPrtry><Cd>" + kind + "</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">" + amount + "</Amt><CdtDbtInd>" + side + "</CdtDbtInd><Dt><Dt>" + day +
         "</Dt></Dt></Bal>";
}
std::string entry(const std::string& amount, const std::string& side, const std::string& details, const std::string& status = "BOOK") {
  return "<Ntry><Amt Ccy=\"EUR\">" + amount + "</Amt><CdtDbtInd>" + side + "</CdtDbtInd><Sts><Cd>" + status +
         "</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>B1</AcctSvcrRef>" + details + "</Ntry>";
}
std::string details(const std::string& refs, const std::string& more = "") {
  return "<NtryDtls><TxDtls><Refs>" + refs + "</Refs>" + more + "</TxDtls></NtryDtls>";
}

const std::string opening = ":20:STMT1\n:25:DE02\n:28C:12/1\n:60F:C261119EUR100,00\n";

}  // namespace

TEST_CASE("CSV as the sandbox rail writes it, and in other dialects") {
  auto read = read_statement_csv(header + "2026-11-20T10:00:00Z," + ours + ",bp-1,1050,USD/2,debit,payout\n2026-11-20T11:00:00.5Z,x,,7,JPY/0,credit,\n");
  REQUIRE(read.ok());
  CHECK(lines_of(*read) == "2 2026-11-20T10:00 -1050 USD/2 " + ours + "|bp-1\n3 2026-11-20T11:00 +7 JPY/0 x|\n");
  CHECK(base::to_rfc3339(read->from).starts_with("2026-11-20T10:00"));
  CHECK(read->until.ns == read->lines[1].booked_at.ns + 1);

  read = read_statement_csv("\xEF\xBB\xBF" "booked_at;amount_decimal;currency;reference;name;statement_id;account\r\n"
                            "2026-11-20;\"-10,50\";EUR;\"a\"\"b;c\";\"Anna\nB\";S1;A1\r\n2026-11-21;3,00;EUR;;;;\r\n\r\n");
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(lines_of(*read) == "2 2026-11-20T00:00 -1050 EUR/2 a\"b;c|\n4 2026-11-21T00:00 +300 EUR/2 |\n");
  CHECK(read->id == "S1");
  CHECK(read->account == "A1");
  CHECK(read_statement_csv("booked_at\tamount\tcurrency\tdirection\n2026-11-20\t5\tKWD\tRC\n")->lines[0].asset == *model::parse_asset("KWD/3"));
  CHECK(read_statement_csv(header).ok());
}

TEST_CASE("CSV that is refused says where and why") {
  CHECK(csv("") == "statement_empty");
  CHECK(csv("\xff\xfe") == "statement_not_utf8");
  CHECK(csv("amount,asset,direction\n") == "statement_column_missing");
  CHECK(csv("booked_at,amount,amount_decimal,asset,direction\n") == "statement_column_missing");
  CHECK(csv("booked_at,amount,direction\n") == "statement_column_missing");
  CHECK(csv("booked_at,amount,asset\n") == "statement_column_missing");
  CHECK(csv("booked_at,booked_at,amount,asset,direction\n") == "statement_column_twice");
  CHECK(csv(header + "2026-11-20,a,b,1,USD/2\n") == "statement_field_missing");
  CHECK(csv(header + "2026-11-31,a,b,1,USD/2,debit,\n") == "statement_date_malformed");
  CHECK(csv(header + "2026-11-20,a,b,1.5,USD/2,debit,\n") == "statement_amount_malformed");
  CHECK(csv(header + "2026-11-20,a,b,,USD/2,debit,\n") == "statement_amount_malformed");
  CHECK(csv(header + "2026-11-20,a,b,170141183460469231731687303715884105728,USD/2,debit,\n") == "statement_amount_malformed");
  CHECK(csv(header + "2026-11-20,a,b,1,usd,debit,\n") == "statement_currency_malformed");
  CHECK(csv(header + "2026-11-20,a,b,1,USD/2,out,\n") == "statement_direction_malformed");
  CHECK(csv("booked_at,amount_decimal,asset,direction\n2026-11-20,-1.00,USD/2,credit\n") == "statement_direction_malformed");
  CHECK(csv("booked_at,amount_decimal,asset\n2026-11-20,1.5,USD/2\n") == "statement_amount_malformed");
  CHECK(csv("booked_at,amount_decimal,asset\n2026-11-20,1.500,USD/2\n") == "statement_amount_malformed");
  CHECK(csv(header + "\"2026-11-20,a,b,1,USD/2,debit,\n") == "statement_quote_unclosed");
  CHECK(csv(header + "2026-11-20," + std::string(141, 'a') + ",b,1,USD/2,debit,\n") == "statement_reference_too_long");
  CHECK(csv(header + std::string(100, ',') + "\n") == "statement_field_malformed");
  CHECK(read_statement_csv(header + "2026-11-20,a,b,1,USD/2,debit,\nx\n").error().message.starts_with("line 3: "));
  std::string many = header;
  for (std::size_t i = 0; i <= statement_lines_max; ++i) many += "2026-11-20,,,1,USD/2,debit,\n";
  CHECK(csv(many) == "statement_too_many_lines");
  CHECK(code_of(read_statement(model::StatementFormat::csv, std::string(statement_bytes_max + 1, ' '))) == "statement_too_large");
}

TEST_CASE("camt.053: references, batches, reversals, periods, versions") {
  const std::string text =
      document(balance("OPBD", "100.00", "2026-11-19") + balance("CLBD", "72.5", "2026-11-20") +
               entry("10.00", "DBIT", details("<EndToEndId>" + ours + "</EndToEndId><TxId>T1</TxId><AcctSvcrRef>B2</AcctSvcrRef>")) +
               entry("99.00", "DBIT", "", "PDNG") +
               entry("20.00", "DBIT",
                     "<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId><InstrId>i</InstrId></Refs><Amt Ccy=\"EUR\">5</Amt></TxDtls><TxDtls><Refs/>"
                     "<AmtDtls><TxAmt><Amt Ccy=\"EUR\">15.00</Amt></TxAmt></AmtDtls><RmtInf><Ustrd>for " + ours + " thanks</Ustrd></RmtInf></TxDtls></NtryDtls>") +
               entry("2.50", "CRDT", ""));
  auto read = read_statement_camt(text);
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(lines_of(*read) == "1 2026-11-20T00:00 -1000 EUR/2 " + ours + "|B2\n3 2026-11-20T00:00 -500 EUR/2 i|\n3 2026-11-20T00:00 -1500 EUR/2 " + ours +
                               "|\n4 2026-11-20T00:00 +250 EUR/2 |B1\n");
  CHECK(read->id == "S-7");
  CHECK(read->account == "DE02");
  CHECK(base::to_rfc3339(read->from).starts_with("2026-11-20T00:00"));
  CHECK(base::to_rfc3339(read->until).starts_with("2026-11-21T00:00"));
  for (const char* version : {"02", "04", "06", "08", "13"}) CHECK(camt(document("", version)) == "ok");
  std::string prefixed = "<d:Document xmlns:d=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><d:BkToCstmrStmt><d:Stmt><d:Id>P</d:Id></d:Stmt></d:BkToCstmrStmt></d:Document>";
  CHECK(read_statement_camt(prefixed)->id == "P");
  read = read_statement_camt(document("<FrToDt><FrDtTm>2026-11-20T00:00:00+01:00</FrDtTm><ToDtTm>2026-11-20T23:59:59</ToDtTm></FrToDt>"));
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(base::to_rfc3339(read->until).starts_with("2026-11-21T00:00"));
}

TEST_CASE("camt.053 that is refused") {
  CHECK(camt("") == "statement_empty");
  CHECK(camt("<Document") == "statement_xml_malformed");
  CHECK(camt("<!DOCTYPE a [<!ENTITY b \"c\">]><Document/>") == "statement_xml_malformed");
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "<a>";
  for (int i = 0; i < 50; ++i) deep += "</a>";
  CHECK(camt(deep) == "statement_xml_too_deep");
  CHECK(camt("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\"/>") == "statement_not_camt053");
  CHECK(camt(document("</Stmt><Stmt>")) == "statement_not_camt053");
  CHECK(camt(document(entry("1,00", "DBIT", ""))) == "statement_amount_malformed");
  CHECK(camt(document(entry("1.001", "DBIT", ""))) == "statement_amount_too_precise");
  CHECK(camt(document(entry("1.00", "OUT", ""))) == "statement_direction_malformed");
  CHECK(camt(document("<Ntry><CdtDbtInd>DBIT</CdtDbtInd></Ntry>")) == "statement_field_missing");
  CHECK(camt(document("<Ntry><Amt Ccy=\"E\">1</Amt><CdtDbtInd>DBIT</CdtDbtInd></Ntry>")) == "statement_currency_malformed");
  CHECK(camt(document("<Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>DBIT</CdtDbtInd></Ntry>")) == "statement_date_malformed");
  CHECK(camt(document(entry("1.00", "DBIT", details("<EndToEndId>" + std::string(141, 'x') + "</EndToEndId>")))) == "statement_reference_too_long");
  CHECK(camt(document(balance("OPBD", "1.00", "2026-11-19") + balance("CLBD", "1.00", "2026-11-20") + entry("1.00", "DBIT", ""))) == "statement_sum_differs");
  CHECK(camt(document(balance("OPBD", "1.00", "someday"))) == "statement_date_malformed");
  CHECK(camt(document(entry("3.00", "DBIT", "<NtryDtls><TxDtls><Amt Ccy=\"EUR\">1</Amt></TxDtls><TxDtls><Amt Ccy=\"EUR\">1</Amt></TxDtls></NtryDtls>"))) ==
        "statement_sum_differs");
  CHECK(camt(document("<FrToDt><FrDtTm>x</FrDtTm></FrToDt>")) == "statement_date_malformed");
}

TEST_CASE("MT940: both dates, reversals, references, balances") {
  const std::string text = "{1:F01}{4:\r\n" + opening +
                           ":61:2611201120D10,00NTRF" + ours + "//B1\r\n:86:?20for Anna\r\n"
                           ":61:261120RD2,5NTRFNONREF//B2\n"
                           ":61:2612310102CR7,NMSCx\nmore\n:86:EREF+" + ours.substr(0, 10) + "\r\n" + ours.substr(10) + "\n"
                           ":61:261120RC1,00NTRFNONREF//NONREF\n"
                           ":62F:C270102EUR98,50\n-}\n";
  const auto read = read_statement(model::StatementFormat::mt940, text);
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(lines_of(*read) == "6 2026-11-20T00:00 -1000 EUR/2 " + ours + "|B1\n8 2026-11-20T00:00 +250 EUR/2 |B2\n9 2027-01-02T00:00 +700 EUR/2 " + ours +
                               "|\n13 2026-11-20T00:00 -100 EUR/2 |\n");
  CHECK(read->id == "STMT1/12/1");
  CHECK(read->account == "DE02");
  CHECK(read->opening == StatedBalance{10000, false});
  CHECK(base::to_rfc3339(read->from).starts_with("2026-11-20"));
  CHECK(base::to_rfc3339(read->until).starts_with("2027-01-03"));
}

TEST_CASE("lines of which only the value day is known say nothing of the time that a statement shows") {
  const std::string text = opening + ":61:261101D1,00NTRFearly//B1\n:61:2611251120D2,00NTRFbooked//B2\n:61:261231C3,00NTRFlate//B3\n:62F:C261120EUR100,00\n";
  const auto read = read_statement_mt940(text);
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(read->lines.size() == 3);
  CHECK(read->lines[0].by_value_day);
  CHECK_FALSE(read->lines[1].by_value_day);
  CHECK(base::to_rfc3339(read->lines[2].booked_at).starts_with("2026-12-31"));
  CHECK(base::to_rfc3339(read->from).starts_with("2026-11-20"));
  CHECK(base::to_rfc3339(read->until).starts_with("2026-11-21"));
}

TEST_CASE("MT940 of nothing but small fields takes no memory, and a name of many pages stays short") {
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const auto repeated = [](std::string_view unit) {
    std::string text;
    text.reserve(statement_bytes_max);
    while (text.size() + unit.size() <= statement_bytes_max) text += unit;
    return text;
  };
  for (const std::string_view unit : {":20:\n", "-\n", ":86:x\n", "-}\n:20:x\n"}) {
    const std::string text = repeated(unit);
    const long before = peak_kib();
    CHECK_FALSE(read_statement_mt940(text).ok());
    CHECK(peak_kib() - before < 16 * 1024);
  }
  std::string pages = opening;
  for (int page = 0; page < 10'000; ++page) pages += ":28C:12/" + std::to_string(page) + "\n";
  const auto read = read_statement_mt940(pages + ":62F:C261120EUR100,00\n");
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(read->id.size() < 2 * statement_reference_bytes_max);
}

TEST_CASE("MT940 that is refused") {
  const std::string closing = ":62F:C261120EUR100,00\n";
  CHECK(mt940("hello") == "statement_empty");
  CHECK(mt940(":20:X\n" + closing) == "statement_field_missing");
  CHECK(mt940(opening) == "statement_field_missing");
  CHECK(mt940(":20:X\n:61:261120D1,00NTRFx\n") == "statement_field_missing");
  CHECK(mt940(opening + opening) == "statement_field_malformed");
  CHECK(mt940(":60F:X261119EUR100,00\n") == "statement_field_malformed");
  CHECK(mt940(":60F:C261199EUR100,00\n") == "statement_date_malformed");
  CHECK(mt940(":60F:C261119eur100,00\n") == "statement_currency_malformed");
  CHECK(mt940(opening + ":62F:C261120USD100,00\n") == "statement_currency_malformed");
  CHECK(mt940(":60F:C261119EUR100.00\n") == "statement_amount_malformed");
  CHECK(mt940(opening + ":61:261120D1,005NTRFx\n") == "statement_amount_too_precise");
  CHECK(mt940(opening + ":61:26112D1,00NTRFx\n") == "statement_date_malformed");
  CHECK(mt940(opening + ":61:2611201399D1,00NTRFx\n") == "statement_date_malformed");
  CHECK(mt940(opening + ":61:261120X1,00NTRFx\n") == "statement_direction_malformed");
  CHECK(mt940(opening + ":61:261120EC1,00NTRFx\n") == "statement_direction_malformed");   // expected, not booked
  CHECK(mt940(opening + ":61:261120D1,00N\n") == "statement_field_malformed");
  CHECK(mt940(opening + ":61:261120D1,00NTRFx\n" + closing) == "statement_sum_differs");
  CHECK(mt940(opening + closing) == "ok");
}

TEST_CASE("a file is known by its beginning") {
  CHECK(sniff_statement("\xEF\xBB\xBF" + header) == model::StatementFormat::csv);
  CHECK(sniff_statement("\n<?xml") == model::StatementFormat::camt053);
  CHECK(sniff_statement(opening) == model::StatementFormat::mt940);
  CHECK(sniff_statement("{1:F01") == model::StatementFormat::mt940);
  CHECK_FALSE(sniff_statement("hello"));
  CHECK(code_of(read_statement(static_cast<model::StatementFormat>(9), "")) == "statement_format_unknown");
}

TEST_CASE("a reference is found in free text, with its epoch and without what follows it") {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"EREF+" + ours + " KREF+x", ours}, {"/" + ours + "-2/", ours + "-2"}, {ours + "-17", ours + "-17"}, {ours + "-", ours},
           {ours + "-x", ours}, {"tr_1 tr_000000000004! " + ours, ours}, {"tr_000000000004", ""}}) {
    CHECK(statement::our_reference_in(text) == expected);
  }
}

}  // namespace intake
