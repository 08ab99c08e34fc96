#include "trial/challenge.h"

#include <algorithm>

#include "base/text.h"
#include "intake/doctor.h"
#include "trial/scheme.h"

namespace trial {
namespace {

constexpr std::string_view first_line = "holdfast-key-challenge-v1";
constexpr std::size_t value_bytes_max = 200;
constexpr std::int64_t second_ns = 1'000'000'000;

base::Error malformed(std::string what) { return {"challenge_malformed", std::move(what)}; }

bool is_visible(std::string_view text) {
  return !text.empty() && text.size() <= value_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

// `2026-02-02T10:00:00Z`
std::string seconds_text(base::Instant instant) {
  return base::to_rfc3339({instant.ns / second_ns * second_ns}).substr(0, 19) + "Z";
}

/// `name: value` and the end of the line; nothing if the text goes on otherwise.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name) || !text.substr(name.size()).starts_with(": ")) return std::nullopt;
  text.remove_prefix(name.size() + 2);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end + 1);
  return value;
}

std::string thumbprint_of(base::ByteView spki) {
  const intake::Report report = intake::examine(spki, {});
  return report.items.empty() ? std::string() : report.items.front().thumbprint;
}

}  // namespace

base::Result<std::string> make_challenge_text(const Challenge& challenge) {
  for (const std::string* const value :
       {&challenge.origin, &challenge.partner, &challenge.slot, &challenge.thumbprint}) {
    if (!is_visible(*value)) return malformed("a value of the challenge is empty, too long or not visible ASCII");
  }
  if (challenge.expires.ns < 0) return malformed("the challenge expires before 1970");
  std::string text(first_line);
  text.append("\norigin: ")
      .append(challenge.origin)
      .append("\npartner: ")
      .append(challenge.partner)
      .append("\nslot: ")
      .append(challenge.slot);
  text.append("\nkey: ")
      .append(challenge.thumbprint)
      .append("\nnonce: ")
      .append(base::to_hex(challenge.nonce))
      .append("\nexpires: ")
      .append(seconds_text(challenge.expires))
      .append("\n");
  return text;
}

base::Result<Challenge> parse_challenge_text(std::string_view text) {
  std::string_view rest = text;
  Challenge challenge;
  if (!rest.starts_with(first_line) || !rest.substr(first_line.size()).starts_with("\n"))
    return malformed("the first line is another");
  rest.remove_prefix(first_line.size() + 1);
  const std::pair<std::string_view, std::string*> values[] = {{"origin", &challenge.origin},
                                                              {"partner", &challenge.partner},
                                                              {"slot", &challenge.slot},
                                                              {"key", &challenge.thumbprint}};
  for (const auto& [name, into] : values) {
    const auto value = take_line(rest, name);
    if (!value) return malformed("the line " + std::string(name) + " is missing");
    *into = *value;
  }
  const auto nonce = take_line(rest, "nonce");
  const auto bytes = nonce ? base::parse_hex(*nonce) : std::nullopt;
  if (!bytes || bytes->size() != challenge.nonce.size()) return malformed("nonce is no hexadecimal of 32 bytes");
  std::ranges::copy(*bytes, challenge.nonce.begin());
  const auto expires = take_line(rest, "expires");
  const auto instant = expires ? base::parse_rfc3339(*expires) : std::nullopt;
  if (!instant || !rest.empty()) return malformed("expires is no instant, or not the last line");
  challenge.expires = *instant;
  TRY_ASSIGN(const std::string again, make_challenge_text(challenge));
  if (again != text) return malformed("the text is not in its one form");
  return challenge;
}

base::Status verify_challenge(const Challenge& given_out, const ChallengeAnswer& answer, base::ByteView spki,
                              base::Instant now) {
  TRY_ASSIGN(const std::string text, make_challenge_text(given_out));
  if (answer.text != text)
    return base::Error{"challenge_differs", "the text that was signed is not the one that was given out"};
  if (now.ns / second_ns >= given_out.expires.ns / second_ns)
    return base::Error{"challenge_expired", "the challenge expired " + seconds_text(given_out.expires)};
  if (thumbprint_of(spki) != given_out.thumbprint)
    return base::Error{"challenge_key_differs", "the challenge is for another key"};
  TRY_ASSIGN(const crypto::PublicVerifier key, crypto::PublicVerifier::of_spki(spki));
  auto scheme = answer.scheme.empty() ? usual_scheme(key.kind()) : scheme_of_name(answer.scheme);
  if (!scheme || !can_make(key.kind(), *scheme))
    return base::Error{"challenge_scheme_unknown", "no scheme of that name fits the key"};
  if (!answer.user_id.empty()) scheme->user_id = answer.user_id;
  const bool pair = scheme->algorithm == Algorithm::ecdsa || scheme->algorithm == Algorithm::sm2;
  // Both forms are unambiguous by their length, and the challenge is signed for us alone: either is taken.
  if (pair && answer.scheme.empty()) scheme->der = answer.signature.size() != key.signature_bytes();
  if (!is_good(key, *scheme, base::as_bytes(text), answer.signature)) {
    return base::Error{"challenge_signature_wrong",
                       "the signature is not that of the key over the challenge, as " + describe(*scheme)};
  }
  return base::ok();
}

}  // namespace trial
