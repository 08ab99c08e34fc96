// holdfast import: the offline doctor. Nothing is sent anywhere; private output goes to --out only.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/import_folder.h"
#include "apps/holdfast/try_case.h"
#include "intake/doctor.h"
#include "intake/wiped.h"
#include "io/posix_file.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t input_bytes_max = 1 << 20;

// Passwords are lines: one line end, as editors add it, is not part of one.
base::Result<intake::Text> read_password(std::string_view name) {
  io::RealFileSystem files;
  auto bytes = io::read_whole_file(files, std::string(name), 4096);
  if (!bytes.ok()) return bytes.error();
  intake::Text out(base::as_text(*bytes));
  intake::wipe(bytes->data(), bytes->size());
  if (!out.empty() && out.back() == '\n') out.pop_back();
  if (!out.empty() && out.back() == '\r') out.pop_back();
  return out;
}

void write_item(wire::JsonWriter& json, const intake::Item& item) {
  json.begin_object();
  json.member("kind", intake::name_of(item.kind));
  json.member("format", std::string_view(item.format));
  const auto optional = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) json.member(name, value);
  };
  optional("algorithm", item.algorithm);
  if (item.bits != 0) json.member("bits", std::uint64_t{item.bits});
  optional("curve", item.curve);
  optional("name", item.name);
  optional("fingerprint_sha256", item.fingerprint_sha256);
  optional("thumbprint", item.thumbprint);
  optional("pin_sha256", item.pin_sha256);
  if (!intake::is_secret(item.kind) && !item.canonical.empty()) {
    const intake::Text text = item.label.empty() ? intake::Text(base::as_text(item.canonical)) : intake::to_pem(item.label, item.canonical);
    json.member("canonical", std::string_view(text));
  }
  json.end_object();
}

std::string report_json(const intake::Report& report, const std::optional<trial::Answer>& tried) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  json.member("usable", report.usable);
  json.member("private", report.is_private);
  if (report.top() != nullptr) json.member("code", report.top()->code());
  if (report.chosen) json.member("chosen", std::uint64_t{*report.chosen});
  json.key("items");
  json.begin_array();
  for (const intake::Item& item : report.items) write_item(json, item);
  json.end_array();
  json.key("findings");
  json.begin_array();
  for (const intake::Finding& finding : report.findings) {
    json.begin_object();
    json.member("code", finding.code());
    json.member("number", static_cast<std::uint64_t>(finding.cause));
    json.member("severity", intake::name_of(finding.severity));
    if (finding.place.known()) {
      json.member("begin", std::uint64_t{finding.place.begin});
      json.member("end", std::uint64_t{finding.place.end});
    }
    if (finding.place.line != 0) {
      json.member("line", std::uint64_t{finding.place.line});
      json.member("column", std::uint64_t{finding.place.column});
    }
    json.member("evidence", std::string_view(finding.evidence));
    json.member("remedy_en", finding.remedy_en());
    json.member("remedy_zh", finding.remedy_zh());
    if (!finding.repair.empty()) json.member("repair", std::string_view(finding.repair));
    json.end_object();
  }
  json.end_array();
  if (tried) {
    json.key("trial");
    json.raw(trial::to_json(*tried));
  }
  json.end_object();
  return out;
}

std::string report_text(const std::string& name, const intake::Report& report) {
  std::string out = name + ": " + (report.usable ? "usable" : "refused") + "\n";
  for (std::size_t i = 0; i < report.items.size(); ++i) {
    const intake::Item& item = report.items[i];
    out += (report.chosen == i ? "* " : "  ") + std::string(intake::name_of(item.kind)) + " (" + item.format + ")";
    if (!item.algorithm.empty()) out += ", " + item.algorithm + (item.curve.empty() || item.curve == item.algorithm ? "" : " " + item.curve);
    if (item.bits != 0) out += ", " + std::to_string(item.bits) + " bits";
    if (!item.name.empty()) out += ", " + item.name;
    out += "\n";
    if (!item.fingerprint_sha256.empty()) out += "    SHA-256     " + item.fingerprint_sha256 + "\n";
    if (!item.pin_sha256.empty()) out += "    pin-sha256  " + item.pin_sha256 + "\n";
    if (!item.thumbprint.empty()) out += "    thumbprint  " + item.thumbprint + "\n";
  }
  for (const intake::Finding& finding : report.findings) {
    out += "\n" + std::string(intake::name_of(finding.severity)) + " " + std::string(finding.code());
    if (finding.place.line != 0) {
      out += " at line " + std::to_string(finding.place.line) + ", column " + std::to_string(finding.place.column);
    } else if (finding.place.known()) {
      out += " at byte " + std::to_string(finding.place.begin);
    }
    out += "\n";
    if (!finding.evidence.empty()) out += "  " + finding.evidence + "\n";
    out += "  " + std::string(finding.remedy_en()) + "\n  " + std::string(finding.remedy_zh()) + "\n";
    for (std::string_view rest = finding.repair; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out += "    " + std::string(rest.substr(0, end)) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

// The public half of what the doctor took, on a message that its owner signed.
base::Result<trial::Answer> try_captured(const intake::Report& report, std::string_view name) {
  TRY_ASSIGN(base::Bytes input, read_input(std::string(name), trial::case_bytes_max));
  auto one = trial::read_captured(base::as_text(input));
  intake::wipe(input.data(), input.size());
  if (!one.ok()) return one.error();
  const intake::Item& item = *report.item();
  const bool certificate = item.kind == intake::Kind::certificate;
  one->keys.push_back({.bytes = intake::to_secret(certificate ? item.canonical : item.spki), .key_id = {}});
  return try_in_time(*one);
}

// A progress bar is for people who watch; what a program reads stays clean of it.
int run_folder(const Arguments& arguments, const std::string& name, const intake::Expectations& expected) {
  if (arguments.has("--out")) return fail({"options_contradict", "--out takes the canonical form of one file, not of a folder"});
  if (arguments.has("--captured")) return fail({"options_contradict", "--captured is of one key, not of a folder"});
  const bool watched = ::isatty(STDERR_FILENO) != 0;
  const auto told = [watched](std::uint64_t done, std::uint64_t total) {
    if (watched) std::fprintf(stderr, "\r%s%s", progress_bar(done, total).c_str(), done == total ? "\n" : "");
  };
  const auto summary = examine_folder(name, expected, told);
  if (!summary.ok()) return fail(summary.error());
  print(arguments.json() ? summary_json(*summary) : summary_text(*summary));
  return summary->usable == summary->files.size() ? exit_done : exit_failed;
}

int run_import(const Arguments& arguments) {
  intake::Expectations expected;
  if (const auto name = arguments.value("--expect")) {
    expected.kind = intake::kind_of_name(*name);
    if (!expected.kind) {
      say("--expect takes a kind such as public_key, private_key, certificate, extended_public_key; not `" + std::string(*name) + "`");
      return exit_misuse;
    }
  }
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  expected.now = base::Instant{std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()};
  intake::Text password;
  if (const auto file = arguments.value("--password-file")) {
    auto read = read_password(*file);
    if (!read.ok()) return fail(read.error());
    password = std::move(*read);
    expected.password = std::string_view(password);
  }
  const std::string& name = arguments.operands()[0];
  std::error_code ignored;
  if (name != "-" && std::filesystem::is_directory(name, ignored)) return run_folder(arguments, name, expected);
  auto input = read_input(name, input_bytes_max);
  if (!input.ok()) return fail(input.error());
  const intake::Report report = intake::examine(*input, expected);
  intake::wipe(input->data(), input->size());
  std::optional<trial::Answer> tried;
  if (const auto file = arguments.value("--captured"); file && report.usable) {
    auto answer = try_captured(report, *file);
    if (!answer.ok()) return fail(answer.error());
    tried = std::move(*answer);
  }
  print(arguments.json() ? report_json(report, tried) : report_text(name == "-" ? "standard input" : name, report) + (tried ? "\n" + trial::to_text(*tried) : ""));
  if (const auto file = arguments.value("--out"); file && report.usable) {
    const intake::Item& item = *report.item();
    const intake::Text text = item.label.empty() ? intake::Text(base::as_text(item.canonical)) : intake::to_pem(item.label, item.canonical);
    io::RealFileSystem files;
    const base::Status written = io::replace_file(files, std::string(*file), base::as_bytes(std::string_view(text)));
    if (!written.ok()) return fail(written.error());
  }
  return report.usable && (!tried || tried->verified) ? exit_done : exit_failed;
}

}  // namespace

Command import_command() {
  return {.name = "import",
          .summary = "say what a key file is and what is wrong with it; offline",
          .examples = "  holdfast import partner.pem --expect public_key\n"
                      "  holdfast import store.p12 --password-file pw.txt --out key.pem\n"
                      "  holdfast import partner.pem --captured callback.json   # and does it verify what its owner signed?\n"
                      "  holdfast import partners/ --expect public_key\n"
                      "  curl -s https://partner.example/jwks.json | holdfast import - --json\n",
          .verbs = {{"",
                     "FILE|DIR|-",
                     1,
                     1,
                     "examines one file, every file of a folder, or standard input",
                     {{"--expect", "KIND", "what it should be: public_key, private_key, certificate, ..."},
                      {"--password-file", "FILE", "password of an encrypted container"},
                      {"--captured", "CASE.json", "a message that its owner signed (docs/trial.md, without key and secret): tries the key on it"},
                      {"--out", "FILE", "writes the canonical form there, mode 0600"}},
                     run_import}},
          .notes = "Exit codes: 0 usable, 1 refused (of a folder: any of its files) or not verified, 2 misuse. Private keys are never printed. The codes: docs/import-codes.md.\n"};
}

}  // namespace holdfast
