#include "audit/evidence.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "crypto/hash.h"

namespace audit {
namespace {

// --- writing: JSON as ECMAScript's JSON.stringify writes it -----------------------------------------------------------

void put_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (byte < 0x20) {
          out += "\\u00";
          out += hex[byte >> 4];
          out += hex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

template <typename Items, typename Put>
void put_list(std::string& out, const Items& items, Put put) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    put(item);
  }
  out += ']';
}

void put_event(std::string& out, const EvidenceEvent& event) {
  out += "{\"number\":" + std::to_string(event.number) + ",\"role\":";
  put_string(out, event.item ? "item" : "context");
  out += ",\"leaf\":";
  put_string(out, base::to_base64(event.leaf));
  out += ",\"proof\":";
  put_list(out, event.proof, [&out](const Digest& hash) { put_string(out, base::to_base64(hash)); });
  out += ",\"personal\":";
  put_list(out, event.personal, [&out](const PersonalValue& value) {
    out += "{\"field\":";
    put_string(out, value.field);
    out += ",\"salt\":";
    put_string(out, base::to_base64(value.salt));
    out += ",\"value\":";
    put_string(out, base::to_base64(value.value));
    out += '}';
  });
  out += '}';
}

// --- reading: what comes next is known, or it is wrong --------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  bool done() const { return !failed_ && at_ == text_.size(); }
  std::size_t position() const { return at_; }
  void fail() { failed_ = true; }

  /// Exactly these bytes.
  void expect(std::string_view literal) {
    if (failed_ || !text_.substr(at_).starts_with(literal)) {
      failed_ = true;
      return;
    }
    at_ += literal.size();
  }
  /// True and consumed if these bytes come next.
  bool take(std::string_view literal) {
    if (failed_ || !text_.substr(at_).starts_with(literal)) return false;
    at_ += literal.size();
    return true;
  }
  std::string string() {
    expect("\"");
    std::string value;
    while (!failed_) {
      if (at_ >= text_.size()) {
        failed_ = true;
        break;
      }
      const char c = text_[at_++];
      if (c == '"') return value;
      if (static_cast<unsigned char>(c) < 0x20) failed_ = true;
      value += c == '\\' ? escaped() : c;
    }
    return {};
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    constexpr std::uint64_t exact_max = std::uint64_t{1} << 53;   // what every JSON reader keeps
    const char* const from = text_.data() + at_;
    const auto [end, error] = std::from_chars(from, text_.data() + text_.size(), value);
    if (failed_ || error != std::errc() || value > exact_max || (*from == '0' && end != from + 1)) {
      failed_ = true;
      return 0;
    }
    at_ += static_cast<std::size_t>(end - from);
    return value;
  }
  base::Bytes base64() {
    const auto bytes = base::parse_base64(string());
    if (!bytes) failed_ = true;
    return bytes.value_or(base::Bytes());
  }
  template <std::size_t size>
  void base64(std::array<std::uint8_t, size>& into) {
    const base::Bytes bytes = base64();
    if (bytes.size() == size) std::ranges::copy(bytes, into.begin());
    else failed_ = true;
  }
  template <typename Take>
  void list(std::size_t items_max, Take take_item) {
    expect("[");
    if (take("]")) return;
    for (std::size_t items = 1; !failed_; ++items) {
      if (items > items_max) failed_ = true;
      take_item();
      if (take("]")) return;
      expect(",");
    }
  }

 private:
  // Only the escapes that a writer needs.
  char escaped() {
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    switch (c) {
      case '"': case '\\': return c;
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'u': break;
      default: failed_ = true; return '\0';
    }
    unsigned value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    const bool lower = std::ranges::none_of(digits, [](char d) { return d >= 'A' && d <= 'F'; });
    const bool short_form = value == '\b' || value == '\f' || value == '\n' || value == '\r' || value == '\t';
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4 || !lower || value >= 0x20 || short_form) {
      failed_ = true;
      return '\0';
    }
    at_ += 4;
    return static_cast<char>(value);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

EvidenceEvent take_event(Reader& in) {
  constexpr std::size_t path_max = 64;
  EvidenceEvent event;
  in.expect("{\"number\":");
  event.number = in.number();
  in.expect(",\"role\":");
  event.item = in.take("\"item\"");
  if (!event.item) in.expect("\"context\"");
  in.expect(",\"leaf\":");
  event.leaf = in.base64();
  in.expect(",\"proof\":");
  in.list(path_max, [&] { in.base64(event.proof.emplace_back()); });
  in.expect(",\"personal\":");
  in.list(4, [&] {
    PersonalValue value;
    in.expect("{\"field\":");
    value.field = in.string();
    in.expect(",\"salt\":");
    in.base64(value.salt);
    in.expect(",\"value\":");
    value.value = in.base64();
    in.expect("}");
    event.personal.push_back(std::move(value));
  });
  in.expect("}");
  return event;
}

constexpr std::string_view first_member = "{\"format\":\"holdfast-evidence/1\",\"kind\":";

}  // namespace

std::string_view name_of(EvidenceKind kind) { return kind == EvidenceKind::import ? "import" : "transfer"; }

std::string evidence_body(const Evidence& evidence) {
  std::string out(first_member);
  put_string(out, name_of(evidence.kind));
  out += ",\"id\":";
  put_string(out, evidence.id);
  out += ",\"origin\":";
  put_string(out, evidence.origin);
  out += ",\"events\":";
  put_list(out, evidence.events, [&out](const EvidenceEvent& event) { put_event(out, event); });
  out += ",\"checkpoint\":";
  put_string(out, evidence.checkpoint);
  out += ",\"anchors\":";
  put_list(out, evidence.anchors, [&out](const EvidenceAnchor& anchor) {
    out += "{\"kind\":";
    put_string(out, anchor.kind);
    out += ",\"token\":";
    put_string(out, base::to_base64(anchor.token));
    out += ",\"size\":" + std::to_string(anchor.size) + ",\"root\":";
    put_string(out, base::to_base64(anchor.root));
    out += ",\"proof\":";
    put_list(out, anchor.proof, [&out](const Digest& hash) { put_string(out, base::to_base64(hash)); });
    out += '}';
  });
  return out;
}

std::string item_head_text(const Evidence& evidence, std::uint64_t size) {
  std::string text = "holdfast item head 1\n" + evidence.origin + "\n" + std::string(name_of(evidence.kind)) + " " + evidence.id + "\nsize " + std::to_string(size) + "\nbundle " +
                     base::to_base64(crypto::sha256(base::as_bytes(evidence_body(evidence)))) + "\n";
  for (const EvidenceEvent& event : evidence.events) {
    if (event.item) text += "event " + std::to_string(event.number) + " " + base::to_base64(leaf_hash(event.leaf)) + "\n";
  }
  return text;
}

std::string evidence_text(const Evidence& evidence) {
  std::string out = evidence_body(evidence);
  out += ",\"head\":";
  put_string(out, evidence.head);
  return out + "}\n";
}

base::Result<Evidence> parse_evidence(std::string_view text) {
  const auto malformed = [](std::size_t at, const char* what) {
    return base::Error{"evidence_malformed", std::string(what) + " at byte " + std::to_string(at)};
  };
  if (text.size() > evidence_bytes_max) return malformed(evidence_bytes_max, "larger than 4 MiB");
  if (!base::is_utf8(text)) return malformed(0, "not UTF-8");
  Evidence evidence;
  Reader in(text);
  in.expect(first_member);
  evidence.kind = in.take("\"import\"") ? EvidenceKind::import : EvidenceKind::transfer;
  if (evidence.kind == EvidenceKind::transfer) in.expect("\"transfer\"");
  in.expect(",\"id\":");
  evidence.id = in.string();
  in.expect(",\"origin\":");
  evidence.origin = in.string();
  in.expect(",\"events\":");
  in.list(evidence_events_max, [&] { evidence.events.push_back(take_event(in)); });
  in.expect(",\"checkpoint\":");
  evidence.checkpoint = in.string();
  in.expect(",\"anchors\":");
  in.list(evidence_anchors_max, [&] {
    constexpr std::size_t consistency_max = 65;
    EvidenceAnchor anchor;
    in.expect("{\"kind\":");
    anchor.kind = in.string();
    in.expect(",\"token\":");
    anchor.token = in.base64();
    in.expect(",\"size\":");
    anchor.size = in.number();
    in.expect(",\"root\":");
    in.base64(anchor.root);
    in.expect(",\"proof\":");
    in.list(consistency_max, [&] { in.base64(anchor.proof.emplace_back()); });
    in.expect("}");
    evidence.anchors.push_back(std::move(anchor));
  });
  in.expect(",\"head\":");
  evidence.head = in.string();
  in.expect("}\n");
  if (!in.done()) return malformed(in.position(), "not the form of evidence");
  // The one spelling: what was read, written again.
  if (evidence_text(evidence) != text) return malformed(0, "another spelling of the same content");
  return evidence;
}

}  // namespace audit
