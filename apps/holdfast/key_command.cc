// holdfast key: keys of partners in a running service, for people and for deployment pipelines.

#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "base/text.h"
#include "intake/wiped.h"
#include "wire/http_message.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t material_bytes_max = 48 << 10;   // what base64 lets through the service's bound on bodies

std::string path_of(std::string_view list, const Arguments& arguments, std::string_view action = {}) {
  std::string path = std::string(list) + "/" + wire::encode_segment(arguments.operands()[0]);
  if (!action.empty()) path.append("/").append(action);
  return path;
}

ApiRequest list_request(const Arguments& arguments) {
  return {.path = "/v1/keys", .query = query_of(arguments, {{"--partner", "partner"}, {"--cursor", "cursor"}, {"--limit", "limit"}})};
}

int run_list(const Arguments& arguments) {
  return ask(arguments, list_request(arguments), [](std::string_view json) {
    return readable_table(json, "items", {"id", "partner", "key", "purpose", "active", "rolls_back_to", "responsible"});
  });
}

int run_inventory(const Arguments& arguments) {
  return ask(arguments, list_request(arguments), [](std::string_view json) { return std::string(json); });
}

int run_show(const Arguments& arguments) { return ask(arguments, {.path = path_of("/v1/keys", arguments)}, readable); }
int run_import_state(const Arguments& arguments) { return ask(arguments, {.path = path_of("/v1/imports", arguments)}, readable); }

int run_import(const Arguments& arguments) {
  auto material = read_input(arguments.operands()[0], material_bytes_max);
  if (!material.ok()) return fail(material.error());
  const auto overlap = arguments.number("--overlap-seconds", 1, UINT32_MAX);
  if (!overlap.ok()) return fail(overlap.error());
  ApiRequest request{.method = "POST", .path = "/v1/imports"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("partner", arguments.value_or("--partner", ""));
  json.member("key", arguments.value_or("--name", ""));
  json.member("purpose", arguments.value_or("--purpose", "verify_messages"));
  json.member("material_base64", std::string_view(base::to_base64(*material)));
  if (const auto responsible = arguments.value("--responsible")) json.member("responsible", *responsible);
  if (const auto at = arguments.value("--activate-at")) json.member("activate_at", *at);
  if (arguments.has("--staged")) json.member("staged", true);
  if (*overlap) json.member("overlap_seconds", **overlap);
  json.end_object();
  intake::wipe(material->data(), material->size());
  return ask(arguments, std::move(request), readable);
}

int run_challenge(const Arguments& arguments) {
  return ask(arguments, {.method = "POST", .path = path_of("/v1/imports", arguments, "challenge"), .query = {}, .body = "{}"}, readable);
}

int run_prove(const Arguments& arguments) {
  const auto signature = read_input(arguments.operands()[1], 4096);
  if (!signature.ok()) return fail(signature.error());
  ApiRequest request{.method = "POST", .path = path_of("/v1/imports", arguments, "prove")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("signature", std::string_view(base::to_base64(*signature)));
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

// A verb on an import or a key; `version` where the verb names one.
int post_verb(const Arguments& arguments, std::string_view list, std::string_view verb) {
  const auto version = arguments.number("--version", 1, UINT32_MAX);
  if (!version.ok()) return fail(version.error());
  ApiRequest request{.method = "POST", .path = path_of(list, arguments, verb)};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (*version) json.member("version", **version);
  if (const auto reason = arguments.value("--reason")) json.member("reason", *reason);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_approve(const Arguments& arguments) { return post_verb(arguments, "/v1/imports", "approve"); }
int run_reject(const Arguments& arguments) { return post_verb(arguments, "/v1/imports", "reject"); }
int run_apply(const Arguments& arguments) { return post_verb(arguments, "/v1/keys", "apply"); }
int run_rollback(const Arguments& arguments) { return post_verb(arguments, "/v1/keys", "rollback"); }
int run_retire(const Arguments& arguments) { return post_verb(arguments, "/v1/keys", "retire"); }
int run_compromise(const Arguments& arguments) { return post_verb(arguments, "/v1/keys", "compromise"); }
int run_destroy(const Arguments& arguments) { return post_verb(arguments, "/v1/keys", "destroy"); }

const Option reason_option{"--reason", "TEXT", "why; kept with the decision"};
const Option version_option{"--version", "N", "which version of the key"};

std::vector<Option> list_options() {
  return remote_options({{"--partner", "NAME", "keys of this partner only"},
                         {"--cursor", "CURSOR", "where the last page ended"},
                         {"--limit", "N", "at most so many, 1 to 100"}});
}

}  // namespace

Command key_command() {
  return {.name = "key",
          .summary = "keys of partners: import, prove, approve, rotate, roll back",
          .examples = "  holdfast key import partner.pem --partner bank-a --name callbacks --purpose verify_callbacks --staged\n"
                      "  holdfast key challenge im_000000000001z --json | jq -j .challenge > challenge.txt\n"
                      "  holdfast key prove im_000000000001z signature.bin\n"
                      "  holdfast key apply key_1 && deploy || holdfast key rollback key_1\n",
          .verbs = {{"list", "", 0, 0, "the keys there are", list_options(), run_list},
                    {"inventory", "", 0, 0, "all that is known of them, as JSON", list_options(), run_inventory},
                    {"show", "KEY", 1, 1, "a key with its versions", remote_options(), run_show},
                    {"import", "FILE", 1, 1, "sends public material; the doctor examines it",
                     changing_options({{"--partner", "NAME", "whose key it is"},
                                       {"--name", "NAME", "which of their keys"},
                                       {"--purpose", "PURPOSE", "verify_messages, verify_callbacks, encrypt or tls_peer"},
                                       {"--responsible", "WHO", "who answers for it"},
                                       {"--staged", "", "waits to be applied"},
                                       {"--activate-at", "INSTANT", "becomes active then"},
                                       {"--overlap-seconds", "N", "how long the version before still verifies"}}),
                     run_import},
                    {"state", "IMPORT", 1, 1, "what became of an import", remote_options(), run_import_state},
                    {"challenge", "IMPORT", 1, 1, "a text to be signed by the new key", changing_options(), run_challenge},
                    {"prove", "IMPORT FILE", 2, 2, "the signature over it, as bytes in a file", changing_options(), run_prove},
                    {"approve", "IMPORT", 1, 1, "lets it in for a day, if two people say so", changing_options({reason_option}), run_approve},
                    {"reject", "IMPORT", 1, 1, "ends it", changing_options({reason_option}), run_reject},
                    {"apply", "KEY", 1, 1, "makes a version active; the newest that can be unless one is named",
                     changing_options({version_option, reason_option}), run_apply},
                    {"rollback", "KEY", 1, 1, "one step back to the former version", changing_options({reason_option}), run_rollback},
                    {"retire", "KEY", 1, 1, "ends the use of a version", changing_options({version_option, reason_option}), run_retire},
                    {"compromise", "KEY", 1, 1, "ends the use of a version at once and for ever",
                     changing_options({version_option, reason_option}), run_compromise},
                    {"destroy", "KEY", 1, 1, "leaves nothing of a retired or compromised version",
                     changing_options({version_option, reason_option}), run_destroy}}};
}

}  // namespace holdfast
