// RFC 9421. The base is made by wire/message_signature, the same code that rails and callbacks are verified with.

#include <algorithm>

#include "base/text.h"
#include "trial/specimen.h"
#include "trial/text_variants.h"
#include "wire/message_signature.h"
#include "wire/structured_dictionary.h"

namespace trial {
namespace {

using intake::Cause;

constexpr std::int64_t second_ns = 1'000'000'000;

/// Where a request goes, in parts.
struct Target {
  std::string scheme = "https", authority, path, query;
};

Target target_of(const Message& message) {
  Target target;
  std::string_view rest = message.url;
  if (const std::size_t colon = rest.find("://"); colon != std::string_view::npos) {
    target.scheme = rest.substr(0, colon);
    rest.remove_prefix(colon + 3);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    target.authority = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  if (const auto host = message.header("host")) target.authority = *host;
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  target.path = rest.substr(0, mark);
  target.query = rest.substr(std::min(rest.size(), mark + 1));
  if (target.path.empty()) target.path = "/";
  return target;
}

base::Result<wire::Headers> headers_of(const Message& message) {
  wire::Headers headers;
  for (const auto& [name, value] : message.headers) {
    if (name == "host") continue;
    if (!wire::is_token(name) || !wire::is_field_value(value))
      return base::Error{"signature_malformed", "the header " + name + " cannot stand in a message"};
    headers.add(name, value);
  }
  return headers;
}

// Of several signatures the one of this label; the two fields are written again with it alone.
base::Status choose_label(Message& message) {
  for (Pair& header : message.headers) {
    if (header.first != "signature-input" && header.first != "signature") continue;
    const auto dictionary = wire::parse_structured_dictionary(header.second);
    if (!dictionary) return base::Error{"signature_malformed", header.first + " is not a structured dictionary"};
    const auto member = std::ranges::find(*dictionary, message.label, &wire::StructuredMember::name);
    if (member == dictionary->end())
      return base::Error{"signature_missing", header.first + " has no member `" + message.label + "`"};
    header.second =
        member->name + "=" +
        (member->is_list ? wire::to_text(member->items, member->parameters) : wire::to_text(member->items.front()));
  }
  return base::ok();
}

base::Result<wire::SignatureClaim> claim_of(const Message& message, const Target& target) {
  TRY_ASSIGN(wire::Headers headers, headers_of(message));
  wire::SignaturePolicy policy;
  policy.nonce_required = false;
  policy.age_max = policy.skew_max = base::seconds(9'100'000'000);  // times are judged apart
  policy.field_bytes_max = 16'384;
  if (message.status != 0) {
    wire::Response response;
    response.status = message.status;
    response.headers = std::move(headers);
    return wire::read_signature(wire::SignableMessage::of(response), policy, {});
  }
  wire::Request request;
  request.method = message.method;
  request.path = target.path;
  request.query = target.query;
  request.authority = target.authority;
  request.headers = std::move(headers);
  return wire::read_signature(wire::SignableMessage::of(request, target.scheme), policy, {});
}

// What proxies and frameworks change on the way.
std::vector<std::pair<std::string, Target>> target_variants(const Target& target) {
  std::vector<std::pair<std::string, Target>> out;
  const auto add = [&](std::string what, auto change) {
    Target other = target;
    change(other);
    out.emplace_back(std::move(what), std::move(other));
  };
  add("with the scheme http", [](Target& t) { t.scheme = t.scheme == "http" ? "https" : "http"; });
  add("without the port", [](Target& t) { t.authority.resize(std::min(t.authority.rfind(':'), t.authority.size())); });
  add("with the port 443 written out", [](Target& t) {
    t.authority += ":443";
    t.scheme = "http";
  });
  add("without the query", [](Target& t) { t.query.clear(); });
  add("with a slash at the end of the path", [](Target& t) { t.path += '/'; });
  add("without the slash at the end of the path", [](Target& t) {
    if (t.path.size() > 1 && t.path.ends_with('/')) t.path.pop_back();
  });
  add("without the first segment of the path", [](Target& t) {
    const std::size_t second = t.path.find('/', 1);
    if (second != std::string::npos) t.path.erase(0, second);
  });
  return out;
}

/// The digest of the body that the message states, if it does, and whether `body` has it.
std::optional<bool> digest_fits(std::string_view field, std::string_view body) {
  const auto dictionary = wire::parse_structured_dictionary(field);
  if (!dictionary) return std::nullopt;
  std::optional<bool> fits;
  for (const wire::StructuredMember& member : *dictionary) {
    const auto hash = member.name == "sha-256" ? crypto::chain::Hash::sha256 : crypto::chain::Hash::sha512;
    if ((member.name != "sha-256" && member.name != "sha-512") || member.is_list ||
        member.items.front().value.kind != wire::StructuredKind::bytes)
      continue;
    const base::Bytes digest = crypto::digest(hash, base::as_bytes(body));
    fits = fits.value_or(true) && base::as_text(digest) == member.items.front().value.text;
  }
  return fits;
}

void judge_body(const Message& message, const std::string& base_text, Specimen& specimen) {
  if (!message.body) return;
  const auto field = message.header("content-digest");
  if (!field || base_text.find("\"content-digest\": ") == std::string::npos) {
    if (!message.body->empty()) specimen.notes.add(Cause::signature_does_not_cover_body);
    return;
  }
  const auto fits = digest_fits(*field, *message.body);
  if (!fits) {
    specimen.notes.add_as(intake::Severity::warning, Cause::signature_does_not_cover_body, {},
                          "content-digest has neither sha-256 nor sha-512");
  } else if (!*fits) {
    specimen.notes.add(Cause::signature_body_digest_differs, {}, "content-digest is of another body");
    for (const BaseVariant& one : variants_of(*message.body)) {
      if (digest_fits(*field, one.bytes).value_or(false))
        specimen.notes.add(one.cause, {}, "the digest is that of the body " + one.what);
    }
  }
}

Specimen refused(const Message& message, const base::Error& error) {
  const auto signature = message.header("signature");
  if (signature && signature->find("keyId=") != std::string_view::npos) {
    return without_hope(Cause::protocol_version_differs,
                        "the Signature header is of draft-cavage-http-signatures; RFC 9421 is asked for");
  }
  const bool text = std::string_view(error.code) == "signature_malformed";
  return without_hope(text ? Cause::signature_text_is_malformed : Cause::signature_part_is_missing, error.message);
}

// Section 3.3: the algorithm the message names, else the one agreed on, else that of the key.
std::optional<Scheme> scheme_for(const wire::SignatureClaim& claim, const Message& message, const KeyRing& ring) {
  const std::string& name = claim.algorithm.empty() ? message.algorithm : claim.algorithm;
  if (!name.empty()) return scheme_of_name(name);
  if (ring.keys.empty()) return scheme_of_name("hmac-sha256");
  const crypto::PublicVerifier& key = ring.keys.front().verifier;
  if (key.kind() == crypto::chain::KeyKind::rsa || key.kind() == crypto::chain::KeyKind::rsa_pss)
    return scheme_of_name("rsa-pss-sha512");
  if (key.kind() == crypto::chain::KeyKind::ec && key.signature_bytes() == 96)
    return scheme_of_name("ecdsa-p384-sha384");
  return usual_scheme(key.kind());
}

}  // namespace

Specimen read_http_signature(const Case& one, const KeyRing& ring) {
  Message message = one.message;
  if (!message.label.empty()) {
    if (const auto chosen = choose_label(message); !chosen.ok()) return refused(message, chosen.error());
  }
  const Target target = target_of(message);
  const auto claim = claim_of(message, target);
  if (!claim.ok()) return refused(message, claim.error());
  const auto scheme = scheme_for(*claim, message, ring);
  if (!scheme)
    return without_hope(Cause::algorithm_not_allowed,
                        "no algorithm of RFC 9421 is called `" + claim->algorithm + message.algorithm + "`");
  Specimen specimen;
  specimen.base = claim->text;
  specimen.signature = base::as_text(claim->signature);
  specimen.text = SignatureText::octets;
  specimen.scheme = *scheme;
  specimen.key_name = claim->key_id;
  specimen.nonce = claim->nonce;
  specimen.stamps.push_back({"created", std::to_string(claim->created.ns / second_ns), claim->created, true});
  if (claim->expires)
    specimen.stamps.push_back({"expires", std::to_string(claim->expires->ns / second_ns), claim->expires});
  judge_body(message, claim->text, specimen);
  if (message.status == 0) {
    for (const auto& [what, other] : target_variants(target)) {
      const auto variant = claim_of(message, other);
      if (variant.ok() && variant->text != claim->text)
        specimen.variants.push_back({Cause::signature_base_differs, what, variant->text, {}});
    }
  }
  specimen.variants.push_back(
      {Cause::signature_line_ends_differ, "with a line feed at the end", claim->text + "\n", {}});
  return specimen;
}

}  // namespace trial
