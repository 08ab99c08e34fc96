#include "gate/import_schema.h"

#include "base/text.h"
#include "crypto/wipe.h"
#include "wire/json_writer.h"

namespace gate {

namespace {

constexpr const char* malformed = "request_field_malformed";

// The value as JSON again, without blanks: what is tried, and what a repetition is compared with. As deep as a body may be.
void write_value(wire::JsonWriter& json, wire::JsonValue value) {
  switch (value.kind()) {
    case wire::JsonKind::null: return json.null();
    case wire::JsonKind::boolean: return json.boolean(*value.boolean());
    case wire::JsonKind::integer: return value.uint64() ? json.uint(*value.uint64()) : json.sint(*value.int64());
    case wire::JsonKind::inexact_number: return json.raw(*value.number_text());
    case wire::JsonKind::string: return json.string(*value.string());
    case wire::JsonKind::array:
      json.begin_array();
      for (const wire::JsonValue one : value.elements()) write_value(json, one);
      return json.end_array();
    case wire::JsonKind::object:
      json.begin_object();
      for (const wire::JsonMember member : value.members()) {
        json.key(member.name);
        write_value(json, member.value);
      }
      return json.end_object();
  }
}

std::vector<intake::Text> read_captured(wire::JsonFields& fields) {
  std::vector<intake::Text> captured;
  const auto list = fields.optional_array("captured");
  if (!list) return captured;
  if (list->size() == 0 || list->size() > captured_messages_max) {
    fields.report("request_field_out_of_range", "captured", "1 to 4 captured messages");
    return captured;
  }
  std::string text;
  text.reserve(body_bytes_max);   // it never moves, so that what is wiped is all there was
  for (const wire::JsonValue one : list->elements()) {
    wire::JsonWriter json(text);
    write_value(json, one);
    const std::string problem = captured_problem(text);
    if (!problem.empty()) fields.report(malformed, "captured", wire::pointer_to("", captured.size()) + problem);
    captured.emplace_back(text);
    intake::wipe(text.data(), text.size());
    text.clear();
  }
  return captured;
}

std::string_view read_reason(wire::JsonFields& fields) {
  const auto reason = fields.optional_string("reason");
  if (reason && reason->empty()) fields.report(malformed, "reason", "an empty reason: leave it out");
  return reason.value_or("");
}

std::uint64_t seconds_of(base::Duration duration) { return static_cast<std::uint64_t>(duration.ns / base::seconds(1).ns); }

}  // namespace

model::EventNumber read_import_id(const std::vector<std::string>& parameters, Problems& problems) {
  const auto id = parameters.empty() ? std::nullopt : model::parse_import_id(parameters[0]);
  if (!id) add_problem(problems, malformed, "/id", "not an import id");
  return id.value_or(0);
}

model::KeyNumber read_key_id(const std::vector<std::string>& parameters, Problems& problems) {
  const auto id = parameters.empty() ? std::nullopt : model::parse_key_id(parameters[0]);
  if (!id) add_problem(problems, malformed, "/id", "not a key id");
  return id.value_or(0);
}

intake::Secret read_material(wire::JsonFields& fields) {
  const auto text = fields.optional_string("material");
  const auto encoded = fields.optional_string("material_base64");
  if (text.has_value() == encoded.has_value()) {
    fields.report(malformed, "material", "either material, a text, or material_base64, bytes in base64");
    return {};
  }
  if (text) return intake::to_secret(base::as_bytes(*text));
  auto bytes = base::parse_base64(*encoded);
  if (!bytes) {
    fields.report(malformed, "material_base64", "base64 with padding and without blanks");
    return {};
  }
  intake::Secret material = intake::to_secret(*bytes);
  crypto::wipe(*bytes);
  return material;
}

KeyImport read_key_import(wire::JsonFields& fields) {
  KeyImport import;
  import.partner = fields.required_string("partner").value_or("");
  import.key = fields.required_string("key").value_or("");
  const auto purpose = fields.required_string("purpose");
  auto known = purpose ? model::parse_key_purpose(*purpose) : std::nullopt;
  if (known == model::KeyPurpose::watch) known.reset();   // by a confirmed wallet import alone
  if (purpose && !known) fields.report(malformed, "purpose", "verify_messages, verify_callbacks, encrypt or tls_peer");
  import.purpose = known.value_or(model::KeyPurpose::verify_messages);
  import.material = read_material(fields);
  import.captured = read_captured(fields);
  const auto responsible = fields.optional_string("responsible");
  if (responsible && responsible->empty()) fields.report(malformed, "responsible", "an empty name: leave it out");
  import.responsible = responsible.value_or("");
  import.staged = fields.optional_boolean("staged").value_or(false);
  if (const auto at = fields.optional_string("activate_at")) {
    const auto parsed = base::parse_rfc3339(*at);
    if (!parsed || parsed->ns <= 0) fields.report(malformed, "activate_at", "an RFC 3339 instant in UTC");
    else import.activate_at = *parsed;
  }
  const auto overlap = fields.optional_uint("overlap_seconds", 1, key_overlap_seconds_max);
  if (overlap) import.overlap = base::seconds(static_cast<std::int64_t>(*overlap));
  return import;
}

ImportProof read_import_proof(model::EventNumber import, wire::JsonFields& fields) {
  ImportProof proof{.import = import};
  const auto text = fields.required_string("signature");
  auto signature = text ? base::parse_base64(*text) : std::nullopt;
  if (text && !signature) fields.report(malformed, "signature", "base64 with padding and without blanks");
  proof.signature = std::move(signature).value_or(base::Bytes{});
  return proof;
}

ImportReview read_import_review(model::EventNumber import, bool approve, wire::JsonFields& fields) {
  return {.import = import, .approve = approve, .reason = read_reason(fields)};
}

KeySteering read_key_steering(model::KeyNumber key, model::KeyVerb verb, wire::JsonFields& fields) {
  KeySteering steering{.key = key, .verb = verb};
  if (verb == model::KeyVerb::apply) steering.version = static_cast<model::KeyVersion>(fields.optional_uint("version", 1, UINT32_MAX).value_or(0));
  const bool names_version = verb != model::KeyVerb::apply && verb != model::KeyVerb::rollback;
  if (names_version) steering.version = static_cast<model::KeyVersion>(fields.required_uint("version", 1, UINT32_MAX).value_or(1));
  steering.reason = read_reason(fields);
  return steering;
}

void give_fields(FingerprintMaker& maker, const KeyImport& body) {
  const bool secret = body.examined && body.examined->verdict == model::ImportVerdict::secret_sent;
  maker.text(1, body.partner);
  maker.text(2, body.key);
  maker.number(3, static_cast<std::uint64_t>(body.purpose));
  maker.bytes(4, secret ? base::ByteView() : base::ByteView(body.material));
  if (!body.responsible.empty()) maker.text(5, body.responsible);
  if (body.staged) maker.boolean(6, true);
  if (body.activate_at.ns != 0) maker.number(7, static_cast<std::uint64_t>(body.activate_at.ns));
  if (body.overlap.ns != 0) maker.number(8, seconds_of(body.overlap));
  if (body.captured.empty()) return;
  intake::Text captured;   // JSON without line feeds: one ends a message
  for (const intake::Text& one : body.captured) captured.append(one).append(1, '\n');
  maker.bytes(9, secret ? base::ByteView() : base::as_bytes(captured));
}

void give_fields(FingerprintMaker& maker, const ImportProof& body) {
  maker.number(1, body.import);
  maker.bytes(2, body.signature);
}

void give_fields(FingerprintMaker& maker, const ImportReview& body) {
  maker.number(1, body.import);
  maker.number(2, body.approve ? 1 : 2);
  if (!body.reason.empty()) maker.text(3, body.reason);
}

void give_fields(FingerprintMaker& maker, const KeySteering& body) {
  maker.number(1, body.key);
  maker.number(2, static_cast<std::uint64_t>(body.verb));
  if (body.version != 0) maker.number(3, body.version);
  if (!body.reason.empty()) maker.text(4, body.reason);
}

}  // namespace gate
