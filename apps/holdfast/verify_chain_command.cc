// holdfast verify-chain: a certificate path from a file. Nothing is fetched; what is missing is named.

#include <chrono>

#include "apps/holdfast/chain_case.h"
#include "apps/holdfast/commands.h"
#include "base/text.h"
#include "crypto/chain/lint.h"
#include "crypto/hash.h"
#include "wire/json_writer.h"

namespace holdfast {
namespace {

namespace chain = crypto::chain;
using chain::Finding;
using chain::Role;

constexpr std::uint64_t input_bytes_max = std::uint64_t{64} << 20;

const chain::Certificate* certificate_at(const ChainCase& one, Role role, std::size_t index) {
  if (role == Role::leaf) return one.leaf_is_readable ? &one.leaf : nullptr;
  const auto* const list = role == Role::intermediate ? &one.intermediates : role == Role::anchor ? &one.anchors : nullptr;
  if (list == nullptr || index >= list->size() || (*list)[index].der.empty()) return nullptr;
  return &(*list)[index];
}

struct Judged {
  ChainCase input;
  chain::Verdict verdict;
};

Judged judge(ChainCase input, chain::SignatureChecker& checker) {
  chain::Verdict verdict;
  if (input.leaf_is_readable) {
    verdict = chain::verify(input.materials(), input.demands, checker);
  }
  for (Finding& finding : input.unreadable) {
    if (finding.role == Role::leaf) {
      verdict.refusal = std::move(finding);
    } else {
      verdict.findings.push_back(std::move(finding));
    }
  }
  return {std::move(input), std::move(verdict)};
}

void write_place(wire::JsonWriter& json, const ChainCase& input, Role role, std::size_t index) {
  json.member("role", chain::name_of(role));
  json.member("index", std::uint64_t{index});
  const chain::Certificate* const certificate = certificate_at(input, role, index);
  if (certificate == nullptr) return;
  json.member("subject", std::string_view(chain::name_text(certificate->subject)));
  json.member("fingerprint_sha256", std::string_view(base::to_hex(crypto::sha256(certificate->der))));
}

void write_step(wire::JsonWriter& json, const ChainCase& input, chain::Step step) {
  json.begin_object();
  write_place(json, input, step.role, step.index);
  if (const chain::Certificate* const certificate = certificate_at(input, step.role, step.index)) {
    json.member("issuer", std::string_view(chain::name_text(certificate->issuer)));
    json.member("not_before", std::string_view(chain::time_text(certificate->not_before_s)));
    json.member("not_after", std::string_view(chain::time_text(certificate->not_after_s)));
    json.member("key", std::string_view(chain::describe(certificate->key)));
  }
  json.end_object();
}

void write_verdict(wire::JsonWriter& json, const Judged& judged) {
  const ChainCase& input = judged.input;
  const chain::Verdict& verdict = judged.verdict;
  json.begin_object();
  if (!input.id.empty()) json.member("id", std::string_view(input.id));
  json.member("accept", verdict.accepted);
  if (input.expected_accept) json.member("as_expected", *input.expected_accept == verdict.accepted);
  json.member("code", verdict.refusal ? verdict.refusal->code() : std::string_view("path_is_valid"));
  json.key("certificate");
  if (verdict.refusal && verdict.refusal->role <= Role::anchor) {
    json.begin_object();
    write_place(json, input, verdict.refusal->role, verdict.refusal->index);
    json.end_object();
  } else {
    json.null();
  }
  json.member("detail", std::string_view(verdict.refusal ? verdict.refusal->evidence : std::string()));
  if (verdict.refusal) {
    const chain::ReasonRow& row = chain::row_of(verdict.refusal->reason);
    json.member("remedy_en", row.remedy_en);
    json.member("remedy_zh", row.remedy_zh);
  }
  json.member("profile", name_of(input.demands.profile));
  json.member("validation_time", std::string_view(chain::time_text(input.demands.now_s)));
  json.key("path");
  json.begin_array();
  for (const chain::Step step : verdict.path) write_step(json, input, step);
  json.end_array();
  if (verdict.missing) {
    json.key("missing");
    json.begin_object();
    json.member("issuer", std::string_view(verdict.missing->name));
    if (!verdict.missing->key_id.empty()) json.member("key_id", std::string_view(verdict.missing->key_id));
    json.key("proposed_urls");
    json.begin_array();
    for (const std::string& url : verdict.missing->addresses) json.string(url);
    json.end_array();
    json.end_object();
  }
  json.member("revocation_policy", name_of(input.demands.revocation));
  json.key("revocation");
  json.begin_array();
  for (const chain::StepRevocation& one : verdict.revocation) {
    json.begin_object();
    const chain::Step step = verdict.path[one.step];
    json.member("role", chain::name_of(step.role));
    json.member("index", std::uint64_t{step.index});
    json.member("status", chain::name_of(one.answer.standing));
    if (one.answer.source != Role::whole_case) {
      json.member("source", chain::name_of(one.answer.source));
      json.member("source_index", std::uint64_t{one.answer.index});
    }
    json.member("detail", std::string_view(one.answer.evidence));
    json.end_object();
  }
  json.end_array();
  json.key("findings");
  json.begin_array();
  for (const Finding& finding : verdict.findings) {
    const chain::ReasonRow& row = chain::row_of(finding.reason);
    json.begin_object();
    json.member("code", row.code);
    json.member("severity", chain::name_of(row.weight));
    json.member("role", chain::name_of(finding.role));
    json.member("index", std::uint64_t{finding.index});
    json.member("detail", std::string_view(finding.evidence));
    json.member("remedy_en", row.remedy_en);
    json.member("remedy_zh", row.remedy_zh);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

std::string place_text(Role role, std::size_t index) {
  std::string text(chain::name_of(role));
  if (role != Role::leaf && role != Role::whole_case) text += " " + std::to_string(index);
  return text;
}

std::string finding_text(std::string_view head, const Finding& finding) {
  const chain::ReasonRow& row = chain::row_of(finding.reason);
  std::string text = std::string(head) + " " + std::string(row.code) + " (" + place_text(finding.role, finding.index) + ")\n";
  if (!finding.evidence.empty()) text += "  " + finding.evidence + "\n";
  return text + "  " + std::string(row.remedy_en) + "\n  " + std::string(row.remedy_zh) + "\n";
}

std::string verdict_text(const Judged& judged) {
  const chain::Verdict& verdict = judged.verdict;
  std::string text;
  if (verdict.refusal) {
    text = finding_text("refused:", *verdict.refusal);
  } else {
    text = "accepted: the path is valid\n";
  }
  for (const chain::Step step : verdict.path) {
    const chain::Certificate* const certificate = certificate_at(judged.input, step.role, step.index);
    text += "  " + place_text(step.role, step.index) + ": " + (certificate == nullptr ? std::string() : chain::name_text(certificate->subject)) + "\n";
  }
  for (const chain::StepRevocation& one : verdict.revocation) {
    const chain::Step step = verdict.path[one.step];
    text += "  revocation of " + place_text(step.role, step.index) + ": " + std::string(chain::name_of(one.answer.standing)) + ", " + one.answer.evidence + "\n";
  }
  if (verdict.missing) {
    for (const std::string& url : verdict.missing->addresses) text += "  the certificate proposes " + url + "\n";
  }
  for (const Finding& finding : verdict.findings) text += "\n" + finding_text(chain::name_of(chain::row_of(finding.reason).weight), finding);
  return text;
}

// Every case of a suite, one line or one member each. Done when each answered as it expects.
int run_suite(const wire::JsonValue cases, base::Instant now, std::optional<chain::Profile> profile, bool as_json) {
  chain::SignatureChecker checker;
  std::string out;
  wire::JsonWriter json(out);
  std::uint64_t expected = 0, total = 0;
  json.begin_object();
  json.key("results");
  json.begin_array();
  std::string lines;
  for (const wire::JsonValue one : cases.elements()) {
    auto input = read_chain_case(one, now, profile);
    if (!input.ok()) {
      say("case " + std::to_string(total) + ": " + input.error().message + " [" + input.error().code + "]");
      return exit_misuse;
    }
    const Judged judged = judge(std::move(*input), checker);
    const bool as_expected = !judged.input.expected_accept || *judged.input.expected_accept == judged.verdict.accepted;
    ++total;
    expected += as_expected ? 1 : 0;
    write_verdict(json, judged);
    lines += std::string(as_expected ? "ok    " : "DIFFERS ") + (judged.input.id.empty() ? std::to_string(total - 1) : judged.input.id) + ": " +
             (judged.verdict.refusal ? std::string(judged.verdict.refusal->code()) : "path_is_valid") + "\n";
  }
  json.end_array();
  json.member("cases", total);
  json.member("as_expected", expected);
  json.end_object();
  print(as_json ? out : lines + std::to_string(expected) + " of " + std::to_string(total) + " as expected\n");
  return expected == total ? exit_done : exit_failed;
}

int run_verify_chain(const Arguments& arguments) {
  const auto name = arguments.value("--input");
  if (!name) {
    say("verify-chain needs --input CASE.json, or --input - for standard input");
    return exit_misuse;
  }
  std::optional<chain::Profile> profile;
  if (const auto text = arguments.value("--profile")) {
    profile = profile_of_name(*text);
    if (!profile) {
      say("--profile takes webpki, rfc5280 or private; not `" + std::string(*text) + "`");
      return exit_misuse;
    }
  }
  auto input = read_input(std::string(*name), input_bytes_max);
  if (!input.ok()) {
    fail(input.error());
    return exit_misuse;
  }
  auto document = wire::parse_json(*input, {.bytes_max = input_bytes_max, .depth_max = 16});
  if (!document.ok()) {
    say("the case is not JSON: " + document.error().message + " [" + document.error().code + "]");
    return exit_misuse;
  }
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const base::Instant now{std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()};
  const wire::JsonValue root = document->root();
  if (const auto cases = root.find("testcases"); cases && cases->is_array()) return run_suite(*cases, now, profile, arguments.json());
  auto one = read_chain_case(root, now, profile);
  if (!one.ok()) {
    say(one.error().message + " [" + one.error().code + "]");
    return exit_misuse;
  }
  chain::SignatureChecker checker;
  const Judged judged = judge(std::move(*one), checker);
  if (arguments.json()) {
    std::string out;
    wire::JsonWriter json(out);
    write_verdict(json, judged);
    print(out);
  } else {
    print(verdict_text(judged));
  }
  return judged.verdict.accepted ? exit_done : exit_failed;
}

}  // namespace

Command verify_chain_command() {
  return {.name = "verify-chain",
          .summary = "judge a certificate path: accept or refuse, why, and which certificate; offline",
          .examples = "  holdfast verify-chain --input case.json\n"
                      "  holdfast verify-chain --input - --json < case.json\n",
          .verbs = {{"",
                     "",
                     0,
                     0,
                     "judges one case, or every case of a suite",
                     {{"--input", "FILE|-", "the case as JSON: anchors, intermediates, leaf, CRLs, OCSP responses, time, names, profile"},
                      {"--profile", "NAME", "webpki (the default), rfc5280 or private, for cases that name none"}},
                     run_verify_chain}},
          .notes = "Exit codes: 0 accepted, 1 refused, 2 misuse. The format and the codes: docs/verify-chain.md.\n"};
}

}  // namespace holdfast
