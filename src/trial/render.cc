// Answers as JSON and as text.

#include "base/text.h"
#include "trial/trial.h"
#include "wire/json_writer.h"

namespace trial {
namespace {

using intake::Finding;

void write_finding(wire::JsonWriter& json, const Finding& finding) {
  json.begin_object();
  json.member("code", finding.code());
  json.member("severity", intake::name_of(finding.severity));
  json.member("evidence", std::string_view(finding.evidence));
  json.member("remedy_en", finding.remedy_en());
  json.member("remedy_zh", finding.remedy_zh());
  json.end_object();
}

void write_stamp(wire::JsonWriter& json, const ShownStamp& stamp) {
  json.begin_object();
  json.member("name", std::string_view(stamp.name));
  json.member("text", std::string_view(stamp.text));
  if (stamp.at) json.member("at", std::string_view(base::to_rfc3339(*stamp.at)));
  if (stamp.offset_seconds) {
    json.key("offset_seconds");
    json.sint(*stamp.offset_seconds);
  }
  json.end_object();
}

std::string indented(const std::string& text) {
  std::string out = "    ";
  for (const char c : text) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n\n    ";
    } else {
      out += c;
    }
  }
  return out + "\n";
}

// What a message holds goes to a terminal: no control character of it may.
std::string without_controls(std::string text) {
  for (char& c : text) {
    if ((static_cast<std::uint8_t>(c) < 0x20 && c != '\n') || c == 0x7F) c = '?';
  }
  return text;
}

std::string finding_text(const Finding& finding) {
  std::string text = std::string(intake::name_of(finding.severity)) + ": " + std::string(finding.code()) + "\n";
  if (!finding.evidence.empty()) text += "  " + finding.evidence + "\n";
  return text + "  " + std::string(finding.remedy_en()) + "\n  " + std::string(finding.remedy_zh()) + "\n";
}

}  // namespace

std::string to_json(const Answer& answer) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  if (!answer.id.empty()) json.member("id", std::string_view(answer.id));
  json.member("verified", answer.verified);
  json.member("signature_is_good", answer.signature_is_good);
  json.member("code", answer.cause() != nullptr ? answer.cause()->code() : std::string_view("signature_is_verified"));
  json.member("convention", name_of(answer.convention));
  json.member("scheme", std::string_view(answer.scheme));
  json.member("key", std::string_view(answer.key));
  if (!answer.thumbprint.empty()) json.member("thumbprint", std::string_view(answer.thumbprint));
  if (!answer.fingerprint.empty()) json.member("fingerprint_sha256", std::string_view(answer.fingerprint));
  json.key("findings");
  json.begin_array();
  for (const Finding& finding : answer.findings) write_finding(json, finding);
  json.end_array();
  json.key("deviations");
  json.begin_array();
  for (const std::string& deviation : answer.deviations) json.string(deviation);
  json.end_array();
  json.member("signed_text_masked", std::string_view(answer.base_shown));
  if (!answer.difference.empty()) json.member("difference", std::string_view(answer.difference));
  json.key("stamps");
  json.begin_array();
  for (const ShownStamp& stamp : answer.stamps) write_stamp(json, stamp);
  json.end_array();
  json.member("variants_tried", std::uint64_t{answer.variants_tried});
  if (answer.reproduction) json.member("openssl", std::string_view(answer.reproduction->command));
  json.end_object();
  return out;
}

std::string to_text(const Answer& answer) {
  std::string text = answer.verified ? "verified: the signature is good as agreed\n" : "not verified\n";
  if (!answer.scheme.empty()) text += "  " + answer.scheme + "\n";
  if (!answer.key.empty()) text += "  " + answer.key + "\n";
  for (const Finding& finding : answer.findings) text += "\n" + finding_text(finding);
  if (!answer.base_shown.empty()) text += "\nsigned text, values masked:\n" + indented(answer.base_shown);
  if (!answer.difference.empty()) text += "\nwhat differs (- as agreed, + as signed):\n" + answer.difference;
  if (!answer.stamps.empty()) text += "\n";
  for (const ShownStamp& stamp : answer.stamps) {
    text += "  " + stamp.name + " " + stamp.text;
    if (stamp.offset_seconds) text += ", " + std::to_string(*stamp.offset_seconds) + " s from received_at";
    text += "\n";
  }
  if (answer.reproduction)
    text +=
        "\nto check it with OpenSSL, with the files that --out DIR writes:\n    " + answer.reproduction->command + "\n";
  return without_controls(text) + "\n" + std::to_string(answer.variants_tried) + " variants tried\n";
}

}  // namespace trial
