// holdfast verify: does evidence hold? Reads two files and asks nobody.

#include <charconv>

#include "apps/holdfast/commands.h"
#include "audit/evidence_check.h"
#include "audit/evidence_summary.h"
#include "io/posix_file.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t policy_bytes_max = 1u << 20;

// `witness:2,anchor:1`
base::Result<audit::EvidenceRequirements> requirements_of(std::string_view text) {
  const base::Error malformed{"option_value_malformed", "--require takes witness:N, anchor:K, or both with a comma"};
  audit::EvidenceRequirements required;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t colon = std::min(part.find(':'), part.size());
    const std::string_view name = part.substr(0, colon);
    const std::string_view digits = part.substr(std::min(colon + 1, part.size()));
    std::size_t* const into = name == "witness" ? &required.witnesses : name == "anchor" ? &required.anchors : nullptr;
    if (into == nullptr) return malformed;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *into);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return malformed;
  }
  return required;
}

int say_refused(const Arguments& arguments, const base::Error& error) {
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("verified", false);
    json.member("code", error.code);
    json.member("message", std::string_view(error.message));
    json.end_object();
    print(text);
  } else {
    // What does not hold is a stranger's text.
    print("NOT VERIFIED: " + audit::printable(error.message) + " [" + error.code + "]\n不成立：" + error.code);
  }
  return exit_failed;
}

int run_verify(const Arguments& arguments) {
  const auto policy_file = arguments.value("--policy");
  if (!policy_file) {
    return fail({"options_contradict", "this needs --policy FILE: whom to believe does not come from the bundle (holdfast audit policy)"});
  }
  const auto required = requirements_of(arguments.value_or("--require", ""));
  if (!required.ok()) return fail(required.error());
  const auto policy_text = read_input(std::string(*policy_file), policy_bytes_max);
  if (!policy_text.ok()) return fail(policy_text.error());
  const auto bundle = read_input(arguments.operands()[0], audit::evidence_bytes_max);
  if (!bundle.ok()) return fail(bundle.error());
  const auto policy = audit::parse_policy(base::as_text(*policy_text));
  if (!policy.ok()) return fail(policy.error());

  const auto verified = audit::check_evidence(base::as_text(*bundle), *policy, *required);
  if (!verified.ok()) return say_refused(arguments, verified.error());
  if (const auto page = arguments.value("--html")) {
    io::RealFileSystem files;
    const base::Status written = io::replace_file(files, absolute_path(*page), base::as_bytes(audit::evidence_page(*verified)), 0644);
    if (!written.ok()) return fail(written.error());
  }
  if (arguments.json()) {
    print(audit::evidence_facts(*verified));
  } else {
    print("VERIFIED\n" + audit::evidence_summary(*verified, audit::SummaryLanguage::english) + "\n已验证\n" +
          audit::evidence_summary(*verified, audit::SummaryLanguage::chinese));
  }
  return exit_done;
}

}  // namespace

Command verify_command() {
  return {.name = "verify",
          .summary = "check evidence of a transfer or an import, offline",
          .examples = "  holdfast verify evidence.json --policy policy.txt\n"
                      "  holdfast verify evidence.json --policy policy.txt --require witness:2 --html page.html\n",
          .verbs = {{.name = "",
                     .operands = "EVIDENCE.json",
                     .operands_min = 1,
                     .operands_max = 1,
                     .summary = "exit code 0 only if everything holds; otherwise says the first thing that does not",
                     .options = {{"--policy", "FILE", "keys of the log and of witnesses, from somewhere else than the bundle"},
                                 {"--require", "WHAT", "witness:N, anchor:K or both, with a comma"},
                                 {"--html", "FILE", "writes a page for printing, in English and Chinese"}},
                     .run = run_verify}},
          .notes = "The bundle comes from GET /v1/transfers/{id}/evidence or /v1/imports/{id}/evidence; its form is docs/format/evidence.md, that of the policy\n"
                   "is C2SP tlog-policy. Without a witness in the policy that saw the checkpoint, a split view is not excluded.\n"};
}

}  // namespace holdfast
