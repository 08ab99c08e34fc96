// holdfast reconcile

#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "intake/statement/statement.h"
#include "wire/http_message.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

int run_take(const Arguments& arguments) {
  if (!arguments.has("--rail")) return fail({"options_contradict", "reconcile take needs --rail NAME: whose statement it is"});
  const auto bytes = read_input(arguments.operands()[0], intake::statement_bytes_max);
  if (!bytes.ok()) return fail(bytes.error());
  ApiRequest request{.method = "POST",
                     .path = "/v1/statements",
                     .query = query_of(arguments, {{"--rail", "rail"}, {"--format", "format"}, {"--from", "from"}, {"--until", "until"}}),
                     .body = std::string(base::as_text(*bytes))};
  request.content_type = "application/octet-stream";
  return ask(arguments, std::move(request), readable);
}

int run_list(const Arguments& arguments) {
  return ask(arguments,
             {.path = "/v1/reconciliations",
              .query = query_of(arguments, {{"--rail", "rail"}, {"--state", "state"}, {"--cursor", "cursor"}, {"--limit", "limit"}})},
             [](std::string_view json) {
               return readable_table(json, "items", {"id", "rail", "format", "from", "until", "lines", "compared", "open_exceptions"});
             });
}

int run_show(const Arguments& arguments) {
  return ask(arguments,
             {.path = "/v1/reconciliations/" + wire::encode_segment(arguments.operands()[0]),
              .query = query_of(arguments, {{"--cursor", "cursor"}, {"--limit", "limit"}})},
             [](std::string_view json) {
               return readable_table(json, "exceptions",
                                     {"id", "kind", "state", "responsible_party", "line", "transfer", "expected", "stated", "proposed"});
             });
}

int run_resolve(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.operands();
  const auto reason = arguments.value("--reason");
  if (!reason) return fail({"options_contradict", "reconcile resolve needs --reason TEXT: how it is known"});
  ApiRequest request{.method = "POST",
                     .path = "/v1/reconciliations/" + wire::encode_segment(words[0]) + "/exceptions/" + wire::encode_segment(words[1]) + "/resolve"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("resolution", std::string_view(words[2]));
  if (const auto transfer = arguments.value("--transfer")) json.member("transfer", *transfer);
  json.member("reason", *reason);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

}  // namespace

Command reconcile_command() {
  return {.name = "reconcile",
          .summary = "compare the books with the statements of rails; decide what does not agree",
          .examples = "  holdfast reconcile take monday.xml --rail bank-a\n"
                      "  holdfast reconcile take - --rail bank-b --format csv --from 2026-11-22T00:00:00Z --until 2026-11-23T00:00:00Z\n"
                      "  holdfast reconcile list --state open\n"
                      "  holdfast reconcile show st_0000000000042\n"
                      "  holdfast reconcile resolve st_0000000000042 ex_0000000000051 write_off --reason \"fee, contract 7.2\"\n",
          .verbs = {{"take", "FILE", 1, 1, "brings in a statement: CSV, camt.053 or MT940 (- is standard input)",
                     changing_options({{"--rail", "NAME", "whose statement it is"},
                                       {"--format", "FORMAT", "csv, camt.053 or mt940; by the beginning of the file unless given"},
                                       {"--from", "TIME", "it shows everything booked from then; as the file says unless given"},
                                       {"--until", "TIME", "until then, excluded"}}),
                     run_take},
                    {"list", "", 0, 0, "statements, newest first",
                     remote_options({{"--rail", "NAME", "of this rail"},
                                     {"--state", "STATE", "open: those with open exceptions"},
                                     {"--cursor", "CURSOR", "where the last page ended"},
                                     {"--limit", "N", "rows, at most 100"}}),
                     run_list},
                    {"show", "ID", 1, 1, "the exceptions of a statement; of `orphans`, what rails told by themselves",
                     remote_options({{"--cursor", "CURSOR", "where the last page ended"}, {"--limit", "N", "rows, at most 100"}}), run_show},
                    {"resolve", "ID EXCEPTION accept|write_off|link|wait", 3, 3, "one person's voice; what moves money needs two",
                     changing_options({{"--reason", "TEXT", "how it is known"}, {"--transfer", "ID", "of link: the transfer it belongs to"}}),
                     run_resolve}},
          .notes = "The columns, elements and fields that are read, and what the results mean: docs/reconciliation.md.\n"};
}

}  // namespace holdfast
