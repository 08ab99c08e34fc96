// The first look at bytes, and at text after its characters are in order.
#include <algorithm>

#include "base/text.h"
#include "intake/examination.h"
#include "intake/layers.h"
#include "intake/pem.h"

namespace intake {
namespace {

using base::ByteView;

// Text inside of another layer: its bytes have places in the input only through that layer.
void relocate(Traced& text, const Content& content) {
  if (content.origin == Content::Origin::binary && content.base == 0) return;
  std::vector<std::uint32_t> origin(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Place place = content.place_at(text.origin_of(i));
    origin[i] = place.known() ? static_cast<std::uint32_t>(place.begin) : 0;
  }
  text.origin = std::move(origin);
}

bool starts_like_der(ByteView bytes) {
  if (bytes.size() < 4 || bytes[0] != tag::sequence) return false;
  // Text starting with '0' has a printable second byte, which would announce a short sequence.
  const auto size = announced_size(bytes);
  return bytes[1] == 0x80 || (size && (*size >= bytes.size() / 2 || bytes[1] >= 0x80));
}

struct LabelUse {
  std::string_view label;
  bool misspelt = false;
};

void examine_block(Examination& run, const Traced& text, const PemBlock& block, bool typographic) {
  Notes& notes = run.notes;
  const Place boundary = text.place(block.begin, std::max(block.begin + 1, block.body_begin));
  std::string_view written = block.has_begin ? std::string_view(block.begin_label) : std::string_view(block.end_label);
  std::string_view label = known_label(written);
  if (block.has_begin && block.has_end && block.begin_label != block.end_label) {
    const std::string_view end_known = known_label(block.end_label);
    if (label.empty() || (label != block.begin_label && end_known == block.end_label)) {
      label = end_known;  // one of the two is spelt right
      notes.add(Cause::pem_label_is_misspelt, boundary);
    } else if (end_known == label) {
      notes.add(Cause::pem_label_is_misspelt, text.place(block.body_end, block.end));
    } else {
      notes.add(Cause::pem_labels_disagree, text.place(block.body_end, block.end));
    }
  } else if (!label.empty() && label != written) {
    notes.add(Cause::pem_label_is_misspelt, boundary, "taken for " + std::string(label));
  }
  if (label.find("PRIVATE") != std::string_view::npos || written.find("PRIVATE") != std::string_view::npos) {
    run.seems_private = true;
  }
  if (label.starts_with("PGP ") || written.starts_with("PGP ")) {
    Item item;
    item.kind = Kind::pgp_key;
    item.format = "openpgp";
    item.place = boundary;
    run.add(std::move(item));
    notes.add(Cause::pgp_key_given, boundary);
    return;
  }
  const PemHeaders headers = read_pem_headers(text.view(), block);
  Base64Scan scan = scan_base64(text, headers.data_begin, block.body_end);
  if (scan.elided) {
    notes.add(Cause::text_has_elided_part, text.place(scan.bad_at, scan.bad_at + 1));
    return;
  }
  const bool tiny = scan.digits >= 8 && scan.content.bytes[0] == tag::oid && announced_size(scan.content.bytes) == scan.content.bytes.size();
  if (scan.digits < 24 && !tiny) {
    const bool words = scan.digits != 0 || scan.bad_at != std::string_view::npos;
    notes.add(words && scan.bad_at != std::string_view::npos ? Cause::input_is_a_placeholder : Cause::content_is_truncated, boundary,
              "the block holds no data");
    return;
  }
  if (scan.bad_at != std::string_view::npos) {
    const std::string_view rest = text.view().substr(scan.bad_at, 8);
    if (rest.starts_with("<") || rest.starts_with("$") || rest.starts_with("{")) {
      notes.add(Cause::input_is_a_placeholder, text.place(scan.bad_at, scan.bad_at + 1));
      return;
    }
    // After the last digit without an END line, whatever follows is not part of the block.
    Base64Scan before = scan_base64(text, headers.data_begin, scan.bad_at);
    const bool after_data = !block.has_end && before.padding != 0 && before.digits >= 24;
    if (!after_data) {
      const auto c = static_cast<unsigned char>(text.text[scan.bad_at]);
      notes.add(Cause::base64_has_invalid_character, text.place(scan.bad_at, scan.bad_at + 1),
                c >= 0x80 ? "a character outside of ASCII" : scan.padding != 0 ? "data after the padding" : "a punctuation or control character");
      return;
    }
    scan = std::move(before);
  }
  if (!headers.lines.empty()) notes.add(Cause::pem_headers_inside_block, boundary, std::to_string(headers.lines.size()) + " lines");
  if (block.one_line) notes.add(Cause::pem_is_on_one_line, boundary);
  bool indented = block.indented;
  for (std::size_t at = text.view().find('\n', block.body_begin); !indented && at != std::string_view::npos && at + 1 < block.body_end;
       at = text.view().find('\n', at + 1)) {
    indented = text.text[at + 1] == ' ' || text.text[at + 1] == '\t';
  }
  if (indented && !block.one_line) notes.add(Cause::text_is_indented, boundary);
  if (block.boundary_damaged && !typographic) notes.add(Cause::pem_boundary_is_damaged, boundary);
  if (scan.url_alphabet) notes.add(Cause::base64_uses_url_alphabet, boundary);
  if (label == "OPENSSH PRIVATE KEY") {
    if (!block.has_end) notes.add(Cause::pem_footer_missing, boundary);
    if (!block.has_begin) notes.add(Cause::pem_header_line_missing_only, boundary);
    examine_openssh_private(run, scan.content);
    return;
  }
  if (label == "SSH2 PUBLIC KEY") {
    std::string comment(headers.find("Comment"));
    if (comment.size() >= 2 && comment.front() == '"') comment = comment.substr(1, comment.size() - 2);
    examine_ssh_wire(run, scan.content, std::move(comment), "rfc4716");
    return;
  }
  const ByteView bytes = scan.content.bytes;
  if (!headers.find("DEK-Info").empty()) {
    examine_traditional_encryption(run, scan.content, label, headers.find("DEK-Info"));
    return;
  }
  const bool nested_text = bytes.size() >= 8 && bytes[0] != tag::sequence &&
                           std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) {
                             return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t';
                           });
  if (nested_text) {
    notes.add(Cause::base64_is_double, boundary);
    examine_bytes(run, scan.content);
    return;
  }
  const auto size = announced_size(bytes);
  if (bytes[0] == tag::sequence && size && *size > bytes.size()) {
    const std::size_t missing = *size - bytes.size();
    notes.add(Cause::content_is_truncated, text.place(block.body_end > 0 ? block.body_end - 1 : 0, block.body_end),
              std::to_string(missing) + " of " + std::to_string(*size) + " bytes are missing" +
                  (missing == 48 ? ", as much as one line" : missing == 1 ? ": a single character was lost" : ""));
    return;
  }
  if (scan.lone_digit) {
    notes.add(Cause::content_is_truncated, text.place(block.body_end - 1, block.body_end), "a character was lost or added");
    return;
  }
  if (size && *size < bytes.size() && scan.repeated_line != 0 && (bytes.size() - *size) * 4 / 3 >= scan.repeated_line - 3) {
    notes.add(Cause::text_line_is_repeated, boundary);
    return;
  }
  if (scan.padding_wrong) {
    notes.add(Cause::base64_padding_is_wrong, text.place(block.body_end - 1, block.body_end));
  }
  const bool malformed_before = notes.has(Cause::der_is_malformed);
  examine_der(run, scan.content, label);
  const bool readable = malformed_before == notes.has(Cause::der_is_malformed);
  if (readable && !block.has_end) notes.add(Cause::pem_footer_missing, boundary);
  if (readable && !block.has_begin) notes.add(Cause::pem_header_line_missing_only, boundary);
  if (readable && label.empty()) notes.add(Cause::pem_label_is_misspelt, boundary, "the label is unknown");
}

// Anything but blanks, comments of known tools and quotes between the blocks.
void note_surroundings(Examination& run, const Traced& text, const std::vector<PemBlock>& blocks) {
  std::size_t at = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= blocks.size(); ++i) {
    const std::size_t end = i < blocks.size() ? blocks[i].begin : text.size();
    std::string_view between = text.view().substr(at, end > at ? end - at : 0);
    while (!between.empty() && is_blank(between.front())) between.remove_prefix(1);
    while (!between.empty() && is_blank(between.back())) between.remove_suffix(1);
    if (!between.empty()) {
      const char last = between.back();
      const char first = between.front();
      const auto is_quote = [](char c) { return c == '"' || c == '\'' || c == '`'; };
      if ((i == 0 && (is_quote(last) || last == '=')) || (i == blocks.size() && is_quote(first) && between.size() <= 3)) {
        if (!quoted) run.notes.add(Cause::text_is_quoted, text.place(at, at + 1));
        quoted = true;
      } else if (i == blocks.size() && between.size() < 4096 && between.find('\n') == std::string_view::npos) {
        run.notes.add(Cause::trailing_data_after_content, text.place(at, end), "text after the END line");
      } else {
        run.notes.add(Cause::explanatory_text_around_block, text.place(at, end));
      }
    }
    if (i < blocks.size()) at = blocks[i].end;
  }
}

void examine_blocks(Examination& run, const Traced& text, const std::vector<PemBlock>& blocks) {
  const bool typographic = run.notes.has(Cause::dashes_are_typographic);
  for (const PemBlock& block : blocks) examine_block(run, text, block, typographic);
  if (blocks.size() > 1) run.notes.add(Cause::several_blocks_found, {}, std::to_string(blocks.size()) + " blocks");
  note_surroundings(run, text, blocks);
  // OpenSSL writes EC PARAMETERS in front of the key they belong to.
  const bool has_key = std::any_of(run.items.begin(), run.items.end(), [](const Item& i) { return i.kind != Kind::parameters; });
  if (has_key) std::erase_if(run.items, [](const Item& item) { return item.kind == Kind::parameters && item.format == "ec"; });
}

}  // namespace

Content content_of(const Traced& text, std::size_t begin, Secret bytes) {
  Content out;
  out.bytes = std::move(bytes);
  out.origin = Content::Origin::binary;
  out.base = text.origin_of(begin);
  return out;
}

void examine_bytes(Examination& run, const Content& content) {
  Layer layer(run);
  if (!layer.ok()) return;
  const ByteView bytes = content.bytes;
  if (bytes.empty()) {
    run.notes.add(Cause::input_is_empty);
    return;
  }
  const bool has_control = std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t c) {
    return c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  });
  if (starts_like_der(bytes) && has_control) {
    if (run.depth == 1) run.notes.add(Cause::content_is_binary_der);
    examine_der(run, content, {});
    return;
  }
  if (examine_magic(run, content)) return;
  auto text = decode_text(bytes, run.text_work());
  if (!text) {
    if (examine_raw_key(run, content)) return;
    run.notes.add(Cause::content_is_not_recognised, content.place_at(0), std::to_string(bytes.size()) + " binary bytes");
    return;
  }
  relocate(*text, content);
  examine_text(run, std::move(*text));
}

void examine_text(Examination& run, Traced text) {
  repair_characters(text, run.text_work());
  trim(text);
  if (text.text.empty()) {
    run.notes.add(Cause::input_is_empty, {}, "only blanks");
    return;
  }
  if (examine_hex_dump(run, text) || examine_phrase(run, text)) return;
  const auto starts_json = [&] { return text.text[0] == '{' || text.text[0] == '['; };
  if (starts_json() && examine_json(run, text)) return;
  if (text.text[0] == '<' && examine_markup(run, text)) return;
  if (examine_stand_in(run, text)) return;
  if (examine_putty(run, text)) return;
  repair_quotes(text, run.text_work());
  repair_escapes(text, run.text_work());
  trim(text);
  if (text.text.empty()) {
    run.notes.add(Cause::input_is_empty, {}, "only quotation marks");
    return;
  }
  if (starts_json() && examine_json(run, text)) return;
  if (text.text[0] == '<' && examine_markup(run, text)) return;
  if (examine_stand_in(run, text)) return;
  if (examine_putty(run, text)) return;
  const auto blocks = find_pem_blocks(text.view(), run.expected.policy.blocks_max);
  if (!blocks.empty()) {
    examine_blocks(run, text, blocks);
    return;
  }
  if (examine_ssh_line(run, text)) return;
  if (examine_phrase(run, text)) return;
  if (examine_wallet_text(run, text)) return;
  if (examine_secret_text(run, text)) return;
  if (examine_digits(run, text)) return;
  run.notes.add(Cause::content_is_not_recognised, text.place(0, text.size()), std::to_string(text.size()) + " characters of text");
}

}  // namespace intake
