// Shared secrets, API keys, payment card numbers, TR-31 key blocks.
#include <algorithm>
#include <cctype>
#include <string>

#include "intake/layers.h"
#include "intake/pem.h"

namespace intake {
namespace {

// ISO/IEC 7812: 13 to 19 digits, a known first digit, the Luhn check.
bool is_card_number(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) digits.push_back(c);
    else if (c != ' ' && c != '-') return false;
  }
  bool good = digits.size() >= 13 && digits.size() <= 19 && (digits[0] >= '2' && digits[0] <= '6');
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int value = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  good = good && sum % 10 == 0;
  wipe(digits.data(), digits.size());
  return good;
}

// Version A to D, four digits that give the length, usage letters (ANSI X9.143).
bool is_key_block(std::string_view text) {
  if (text.size() < 48 || text.size() > 9999 || text[0] < 'A' || text[0] > 'D') return false;
  int length = 0;
  for (int i = 1; i <= 4; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    length = length * 10 + (c - '0');
  }
  const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return static_cast<std::size_t>(length) == text.size() && std::all_of(text.begin(), text.end(), upper);
}

void add_secret(Examination& run, const Traced& text, std::string format, Secret value) {
  run.seems_private = true;
  Item item;
  item.kind = Kind::symmetric_secret;
  item.format = std::move(format);
  item.bits = static_cast<unsigned>(value.size() * 8);
  item.canonical = std::move(value);
  item.place = text.place(0, text.size());
  run.add(std::move(item));
}

}  // namespace

bool examine_secret_text(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  if (is_card_number(view)) {
    run.seems_private = true;
    run.notes.add(Cause::card_number_given, text.place(0, text.size()));
    return true;
  }
  if (is_key_block(view)) {
    run.seems_private = true;
    Item item;
    item.kind = Kind::key_block;
    item.format = "tr31";
    item.name = std::string("version ") + view[0];
    item.place = text.place(0, text.size());
    run.add(std::move(item));
    run.notes.add(Cause::key_block_given, text.place(0, 16));
    return true;
  }
  // Standard Webhooks: whsec_ and base64 of 24 to 64 bytes.
  if (view.starts_with("whsec_")) {
    Base64Scan scan = scan_base64(text, 6, text.size());
    if (scan.bad_at != std::string_view::npos || scan.lone_digit) {
      run.seems_private = true;
      run.notes.add(Cause::base64_has_invalid_character,
                    text.place(scan.bad_at == std::string_view::npos ? text.size() - 1 : scan.bad_at, text.size()), "in a webhook secret");
      return true;
    }
    if (scan.padding_wrong && !scan.url_alphabet) run.notes.add(Cause::base64_padding_is_wrong, text.place(text.size() - 1, text.size()));
    add_secret(run, text, "whsec", std::move(scan.content.bytes));
    return true;
  }
  for (std::string_view prefix : {"sk_live_", "sk_test_", "rk_live_", "ghp_", "xoxb-", "AKIA", "AIza", "glpat-", "key-", "api_key_", "Bearer "}) {
    if (view.starts_with(prefix) && view.find('\n') == std::string_view::npos) {
      add_secret(run, text, "api_key", to_secret(bytes_of(text.text)));
      return true;
    }
  }
  // One word of 16 to 128 printable characters with no structure of its own: a shared secret. Digits and base64 that
  // decode to something are looked at first by the caller's other recognisers.
  // What looks like the wreck of a PEM block is no secret of this kind.
  const bool pem_like = view.find("-----") != std::string_view::npos || view.find("BEGIN") != std::string_view::npos;
  const bool one_word = !pem_like && std::all_of(view.begin(), view.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (one_word && view.size() >= 16 && view.size() <= 128) {
    const bool base64_like = std::all_of(view.begin(), view.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
    });
    if (base64_like) {
      const Base64Scan scan = scan_base64(text, 0, text.size());
      const base::ByteView bytes = scan.content.bytes;
      const std::string_view digits = view.starts_with("0x") || view.starts_with("0X") ? view.substr(2) : view;
      const bool hex = std::all_of(digits.begin(), digits.end(), [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
      const bool structured = bytes.size() > 8 && bytes[0] == tag::sequence && (bytes[1] >= 0x80 || announced_size(bytes) == bytes.size());
      const bool hex_content = hex && view.size() >= 40;
      const bool readable = bytes.size() > 16 && std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; });
      const bool key_sized = !hex && !scan.padding_wrong && (bytes.size() == 65 || bytes.size() == 33 || bytes.size() == 64) && !bytes.empty();
      if (structured || hex_content || readable || key_sized) return false;
    }
    std::size_t kinds = 0;
    kinds += std::any_of(view.begin(), view.end(), [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
    kinds += std::any_of(view.begin(), view.end(), [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; });
    kinds += std::any_of(view.begin(), view.end(), [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
    if (kinds >= 2) {
      add_secret(run, text, "shared_secret", to_secret(bytes_of(text.text)));
      return true;
    }
  }
  return false;
}

}  // namespace intake
