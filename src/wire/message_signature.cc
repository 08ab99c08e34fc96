#include "wire/message_signature.h"

#include <algorithm>

#include "base/check.h"
#include "wire/structured_field.h"

namespace wire {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

base::Error missing(const std::string& name) {
  return {"signature_component_missing", "the signature covers \"" + name + "\", and the message has none"};
}
base::Error malformed(const std::string& name) {
  return {"signature_component_malformed", "the signature covers \"" + name + "\", which this message cannot have"};
}

/// Section 2.2.3: lower case, without the scheme's own port.
std::string normal_authority(const SignableMessage& message) {
  std::string authority = lower(message.request->authority);
  const std::string_view own_port = message.scheme == "http" ? ":80" : ":443";
  if (authority.ends_with(own_port)) authority.resize(authority.size() - own_port.size());
  return authority;
}

std::string path_of(const Request& request) { return request.path.empty() ? "/" : request.path; }

/// Section 2.2.8: decoded, then encoded again in one way.
base::Result<std::string> query_parameter(const Request& request, const StructuredItem& component) {
  const StructuredValue* const name = find_parameter(component.parameters, "name");
  if (name == nullptr || name->kind != StructuredKind::string || component.parameters.size() != 1) return malformed("@query-param");
  const auto parameters = parse_query(request.query);
  if (!parameters.ok()) return malformed("@query-param");
  for (const auto& [key, value] : parameters->all()) {
    if (encode_segment(key) == name->text) return encode_segment(value);
  }
  return missing("@query-param");
}

base::Result<std::string> derived(const SignableMessage& message, const StructuredItem& component) {
  const std::string& name = component.value.text;
  if (name == "@status") {
    if (message.response == nullptr) return malformed(name);
    return std::to_string(message.response->status);
  }
  if (message.request == nullptr) return malformed(name);
  const Request& request = *message.request;
  if (name == "@method") return request.method;
  if (name == "@authority") return normal_authority(message);
  if (name == "@scheme") return lower(message.scheme);
  if (name == "@path") return path_of(request);
  if (name == "@query") return "?" + request.query;
  if (name == "@query-param") return query_parameter(request, component);
  if (name == "@target-uri") {
    return lower(message.scheme) + "://" + normal_authority(message) + path_of(request) +
           (request.query.empty() ? "" : "?" + request.query);
  }
  return base::Error{"signature_component_not_supported", "the signature covers \"" + name + "\""};
}

/// Section 2.1: all lines of the field, trimmed, joined. Headers hold trimmed values.
base::Result<std::string> field_value(const Headers& headers, const std::string& name) {
  std::string value;
  bool found = false;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const Headers::Field field = headers.at(i);
    if (field.name != name) continue;
    if (found) value += ", ";
    value += field.value;
    found = true;
  }
  if (!found) return missing(name);
  return value;
}

base::Result<std::string> component_value(const SignableMessage& message, const StructuredItem& component) {
  const std::string& name = component.value.text;
  if (name.starts_with('@')) {
    if (!component.parameters.empty() && name != "@query-param") {
      return base::Error{"signature_component_not_supported", "the signature covers \"" + name + "\" with parameters"};
    }
    return derived(message, component);
  }
  if (!component.parameters.empty()) {
    return base::Error{"signature_component_not_supported", "the signature covers \"" + name + "\" with parameters"};
  }
  if (!is_token(name) || lower(name) != name) return malformed(name);
  return field_value(message.headers(), name);
}

StructuredParameters parameters_of(const SignatureTerms& terms) {
  StructuredParameters parameters;
  const auto add = [&](std::string_view name, StructuredValue value) { parameters.push_back({std::string(name), std::move(value)}); };
  add("created", StructuredValue::of_integer(terms.created.ns / second_ns));
  if (terms.expires) add("expires", StructuredValue::of_integer(terms.expires->ns / second_ns));
  if (!terms.nonce.empty()) add("nonce", StructuredValue::of_string(terms.nonce));
  if (!terms.algorithm.empty()) add("alg", StructuredValue::of_string(terms.algorithm));
  add("keyid", StructuredValue::of_string(terms.key_id));
  if (!terms.tag.empty()) add("tag", StructuredValue::of_string(terms.tag));
  return parameters;
}

base::Error malformed_field(const char* what) { return {"signature_malformed", what}; }

/// One of the two fields as a dictionary.
base::Result<StructuredDictionary> read_field(const SignableMessage& message, const char* name, const SignaturePolicy& policy) {
  const auto text = field_value(message.headers(), name);
  if (!text.ok()) return base::Error{"signature_missing", std::string("there is no ") + name};
  if (text->size() > policy.field_bytes_max) return malformed_field("Signature-Input or Signature is too long");
  auto dictionary = parse_structured_dictionary(*text);
  if (!dictionary) return malformed_field("Signature-Input or Signature is not a structured dictionary");
  return std::move(*dictionary);
}

std::string text_parameter(const StructuredParameters& parameters, std::string_view name) {
  const StructuredValue* const value = find_parameter(parameters, name);
  return value != nullptr && value->kind == StructuredKind::string ? value->text : std::string();
}

/// The one signature that is meant.
base::Result<const StructuredMember*> choose(const StructuredDictionary& inputs, const SignaturePolicy& policy) {
  const StructuredMember* chosen = nullptr;
  for (const StructuredMember& member : inputs) {
    if (!member.is_list) return malformed_field("a member of Signature-Input is not an inner list");
    if (!policy.tag.empty() && text_parameter(member.parameters, "tag") != policy.tag) continue;
    if (chosen != nullptr) return base::Error{"signature_ambiguous", "more than one signature could be meant"};
    chosen = &member;
  }
  if (chosen == nullptr) return base::Error{"signature_missing", "no signature has the tag that is asked for"};
  return chosen;
}

base::Status check_parameter_kinds(const StructuredParameters& parameters) {
  for (const StructuredParameter& parameter : parameters) {
    const bool number = parameter.name == "created" || parameter.name == "expires";
    const bool text = parameter.name == "nonce" || parameter.name == "alg" || parameter.name == "keyid" || parameter.name == "tag";
    if ((number && parameter.value.kind != StructuredKind::integer) || (text && parameter.value.kind != StructuredKind::string)) {
      return malformed_field("a parameter of the signature is of the wrong kind");
    }
    constexpr std::int64_t seconds_max = 9'000'000'000;   // fits an Instant
    if (number && (parameter.value.integer < 0 || parameter.value.integer > seconds_max)) {
      return malformed_field("created or expires is beyond all calendars");
    }
  }
  return base::ok();
}

base::Status check_coverage(const StructuredMember& input, const SignaturePolicy& policy) {
  for (const std::string_view name : policy.required) {
    const bool covered = std::ranges::any_of(input.items, [&](const StructuredItem& item) {
      return item.value.kind == StructuredKind::string && item.value.text == name && item.parameters.empty();
    });
    if (!covered) return base::Error{"signature_component_not_covered", "the signature does not cover \"" + std::string(name) + "\""};
  }
  return base::ok();
}

base::Status check_times(const SignatureClaim& claim, const SignaturePolicy& policy, base::Instant now) {
  if (claim.created.ns - now.ns > policy.skew_max.ns) return base::Error{"signature_from_the_future", "created lies ahead of our clock"};
  if (now.ns - claim.created.ns > policy.age_max.ns) return base::Error{"signature_too_old", "created lies too far back"};
  if (claim.expires && now.ns - claim.expires->ns > 0) return base::Error{"signature_expired", "the signature has expired"};
  return base::ok();
}

}  // namespace

base::Result<std::string> signature_base(const SignableMessage& message, const std::vector<StructuredItem>& components,
                                         const StructuredParameters& parameters) {
  CHECK((message.request == nullptr) != (message.response == nullptr));
  std::string text;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const StructuredItem& component = components[i];
    if (component.value.kind != StructuredKind::string) return malformed("a component that is not a string");
    // A component named twice, and the signature parameters themselves, are errors (section 2.5).
    if (component.value.text == "@signature-params") return malformed(component.value.text);
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (components[earlier] == component) return malformed(component.value.text);
    }
    TRY_ASSIGN(const std::string value, component_value(message, component));
    text.append(to_text(component)).append(": ").append(value).append("\n");
  }
  text.append("\"@signature-params\": ").append(to_text(components, parameters));
  return text;
}

base::Result<SignatureFields> sign_message(const SignableMessage& message, const SignatureTerms& terms, const SignText& sign) {
  std::vector<StructuredItem> components;
  components.reserve(terms.components.size());
  for (const std::string_view name : terms.components) components.push_back({StructuredValue::of_string(name), {}});
  const StructuredParameters parameters = parameters_of(terms);
  TRY_ASSIGN(const std::string text, signature_base(message, components, parameters));
  TRY_ASSIGN(const base::Bytes signature, sign(base::as_bytes(text)));
  const std::string label = std::string(terms.label) + "=";
  return SignatureFields{label + to_text(components, parameters), label + to_text(StructuredValue::of_bytes(signature))};
}

base::Result<SignatureClaim> read_signature(const SignableMessage& message, const SignaturePolicy& policy, base::Instant now) {
  TRY_ASSIGN(const StructuredDictionary inputs, read_field(message, "signature-input", policy));
  TRY_ASSIGN(const StructuredDictionary signatures, read_field(message, "signature", policy));
  TRY_ASSIGN(const StructuredMember* const input, choose(inputs, policy));
  const auto signature = std::ranges::find(signatures, input->name, &StructuredMember::name);
  if (signature == signatures.end() || signature->is_list || signature->items.front().value.kind != StructuredKind::bytes) {
    return malformed_field("Signature has no byte sequence under the label of Signature-Input");
  }
  TRY(check_parameter_kinds(input->parameters));
  TRY(check_coverage(*input, policy));
  SignatureClaim claim;
  claim.label = input->name;
  claim.key_id = text_parameter(input->parameters, "keyid");
  claim.algorithm = text_parameter(input->parameters, "alg");
  claim.nonce = text_parameter(input->parameters, "nonce");
  if (claim.key_id.empty()) return base::Error{"signature_key_not_named", "the signature names no key"};
  const StructuredValue* const created = find_parameter(input->parameters, "created");
  if (created == nullptr) return base::Error{"signature_created_missing", "the signature does not say when it was made"};
  claim.created = {created->integer * second_ns};
  const StructuredValue* const expires = find_parameter(input->parameters, "expires");
  if (expires != nullptr) claim.expires = base::Instant{expires->integer * second_ns};
  TRY(check_times(claim, policy, now));
  if (policy.nonce_required && claim.nonce.empty()) return base::Error{"signature_nonce_missing", "the signature has no nonce"};
  if (claim.nonce.size() > policy.nonce_bytes_max) return malformed_field("the nonce is too long");
  TRY_ASSIGN(claim.text, signature_base(message, input->items, input->parameters));
  claim.signature = base::to_bytes(base::as_bytes(signature->items.front().value.text));
  return claim;
}

base::Result<SignatureClaim> verify_message(const SignableMessage& message, const SignaturePolicy& policy, base::Instant now,
                                            const VerifySignature& verify) {
  TRY_ASSIGN(SignatureClaim claim, read_signature(message, policy, now));
  switch (verify(claim)) {
    case KeyVerdict::good:
      break;
    case KeyVerdict::wrong:
      return base::Error{"signature_wrong", "the signature is not that of the key it names over this message"};
    case KeyVerdict::key_unknown:
      return base::Error{"signature_key_unknown", "the signature names a key that is not known here"};
    case KeyVerdict::algorithm_not_allowed:
      return base::Error{"signature_algorithm_not_allowed", "the signature names another algorithm than its key has"};
  }
  return claim;
}

}  // namespace wire
