#include "wire/structured_dictionary.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "wire/structured_field.h"

namespace wire {

namespace {

constexpr std::size_t integer_digits_max = 15;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool begins_key(char c) { return is_lower(c) || c == '*'; }
bool continues_key(char c) { return begins_key(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }
bool begins_token(char c) { return is_letter(c) || c == '*'; }
bool continues_token(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
}

class Reader {
 public:
  Reader(std::string_view rest, const StructuredLimits& limits) : rest_(rest), limits_(limits) {}

  std::optional<StructuredDictionary> dictionary() {
    StructuredDictionary members;
    if (rest_.empty()) return members;
    while (true) {
      auto member = this->member();
      if (!member || members.size() == limits_.members_max) return std::nullopt;
      for (const StructuredMember& other : members) {
        if (other.name == member->name) return std::nullopt;
      }
      members.push_back(std::move(*member));
      optional_white_space();
      if (rest_.empty()) return members;
      if (!take(',')) return std::nullopt;
      optional_white_space();
      if (rest_.empty()) return std::nullopt;   // a comma promises another member
    }
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool blanks() {
    bool any = false;
    while (take(' ')) any = true;
    return any;
  }
  void optional_white_space() {
    while (take(' ') || take('\t')) {
    }
  }
  template <typename Continues>
  std::string word(Continues continues) {
    std::size_t bytes = 0;
    while (bytes < rest_.size() && continues(rest_[bytes])) ++bytes;
    std::string taken(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::optional<std::string> key() {
    if (rest_.empty() || !begins_key(rest_.front())) return std::nullopt;
    return word(continues_key);
  }

  std::optional<StructuredMember> member() {
    auto name = key();
    if (!name) return std::nullopt;
    StructuredMember member{.name = std::move(*name), .is_list = false, .items = {}, .parameters = {}};
    if (!take('=')) {   // a bare name is true
      auto parameters = this->parameters();
      if (!parameters) return std::nullopt;
      member.items.push_back({StructuredValue{StructuredKind::boolean, 1, {}}, std::move(*parameters)});
      return member;
    }
    if (!take('(')) {
      auto item = this->item();
      if (!item) return std::nullopt;
      member.items.push_back(std::move(*item));
      return member;
    }
    member.is_list = true;
    while (true) {
      const bool apart = blanks();
      if (take(')')) break;
      if (!member.items.empty() && !apart) return std::nullopt;
      auto item = this->item();
      if (!item || member.items.size() == limits_.items_max) return std::nullopt;
      member.items.push_back(std::move(*item));
    }
    auto parameters = this->parameters();
    if (!parameters) return std::nullopt;
    member.parameters = std::move(*parameters);
    return member;
  }

  std::optional<StructuredItem> item() {
    auto value = this->value();
    if (!value) return std::nullopt;
    auto parameters = this->parameters();
    if (!parameters) return std::nullopt;
    return StructuredItem{std::move(*value), std::move(*parameters)};
  }

  std::optional<StructuredParameters> parameters() {
    StructuredParameters parameters;
    while (take(';')) {
      blanks();
      auto name = key();
      if (!name || parameters.size() == limits_.parameters_max || find_parameter(parameters, *name) != nullptr) return std::nullopt;
      StructuredValue value{StructuredKind::boolean, 1, {}};
      if (take('=')) {
        auto read = this->value();
        if (!read) return std::nullopt;
        value = std::move(*read);
      }
      parameters.push_back({std::move(*name), std::move(value)});
    }
    return parameters;
  }

  std::optional<StructuredValue> value() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    if (c == '"') return string();
    if (c == ':') return bytes();
    if (c == '?') return boolean();
    if (c == '-' || is_digit(c)) return integer();
    if (begins_token(c)) return StructuredValue{StructuredKind::token, 0, word(continues_token)};
    return std::nullopt;
  }

  std::optional<StructuredValue> string() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;
    auto text = parse_sf_string(rest_.substr(0, end + 1));
    if (!text) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return StructuredValue{StructuredKind::string, 0, std::move(*text)};
  }

  std::optional<StructuredValue> bytes() {
    const std::size_t end = rest_.find(':', 1);
    if (end == std::string_view::npos) return std::nullopt;
    const auto octets = base::parse_base64(rest_.substr(1, end - 1));
    if (!octets) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return StructuredValue::of_bytes(*octets);
  }

  std::optional<StructuredValue> boolean() {
    if (rest_.size() < 2 || (rest_[1] != '0' && rest_[1] != '1')) return std::nullopt;
    const StructuredValue value{StructuredKind::boolean, rest_[1] - '0', {}};
    rest_.remove_prefix(2);
    return value;
  }

  std::optional<StructuredValue> integer() {
    const bool negative = take('-');
    const std::string digits = word(is_digit);
    if (digits.empty() || digits.size() > integer_digits_max || (!rest_.empty() && rest_.front() == '.')) return std::nullopt;
    std::int64_t number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    return StructuredValue::of_integer(negative ? -number : number);
  }

  std::string_view rest_;
  const StructuredLimits limits_;
};

void append(const StructuredValue& value, std::string& out) {
  switch (value.kind) {
    case StructuredKind::boolean:
      out += value.integer == 0 ? "?0" : "?1";
      break;
    case StructuredKind::integer:
      CHECK(value.integer > -1'000'000'000'000'000 && value.integer < 1'000'000'000'000'000);
      out += std::to_string(value.integer);
      break;
    case StructuredKind::string: {
      const auto quoted = to_sf_string(value.text);
      CHECK_THAT(quoted.has_value(), "a structured string holds printable ASCII");
      out += *quoted;
      break;
    }
    case StructuredKind::token:
      out += value.text;
      break;
    case StructuredKind::bytes:
      out.append(":").append(base::to_base64(base::as_bytes(value.text))).append(":");
      break;
  }
}

void append(const StructuredParameters& parameters, std::string& out) {
  for (const StructuredParameter& parameter : parameters) {
    out.append(";").append(parameter.name);
    if (parameter.value.kind == StructuredKind::boolean && parameter.value.integer == 1) continue;
    out += '=';
    append(parameter.value, out);
  }
}

}  // namespace

std::optional<StructuredDictionary> parse_structured_dictionary(std::string_view value, const StructuredLimits& limits) {
  return Reader(value, limits).dictionary();
}

std::string to_text(const StructuredValue& value) {
  std::string out;
  append(value, out);
  return out;
}

std::string to_text(const StructuredItem& item) {
  std::string out;
  append(item.value, out);
  append(item.parameters, out);
  return out;
}

std::string to_text(const std::vector<StructuredItem>& items, const StructuredParameters& parameters) {
  std::string out = "(";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ' ';
    append(items[i].value, out);
    append(items[i].parameters, out);
  }
  out += ')';
  append(parameters, out);
  return out;
}

const StructuredValue* find_parameter(const StructuredParameters& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &StructuredParameter::name);
  return found == parameters.end() ? nullptr : &found->value;
}

}  // namespace wire
