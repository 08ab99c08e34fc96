#include "tests/scenario/play.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "tests/scenario/expectation.h"
#include "tests/scenario/stage.h"
#include "wire/http_message.h"
#include "wire/json_value.h"

namespace scenario {

namespace {

using Complaint = std::optional<std::string>;

// Where a part of a message begins: its start line, its headers, its body.
struct Message {
  std::string start;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

Message message_of(const Block& block) {
  Message message;
  std::size_t i = 0;
  if (!block.lines.empty()) message.start = block.lines[i++].text;
  for (; i < block.lines.size() && !trimmed(block.lines[i].text).empty(); ++i) {
    const std::string& line = block.lines[i].text;
    const std::size_t colon = line.find(':');
    message.headers.emplace_back(trimmed(line.substr(0, colon)),
                                 colon == std::string::npos ? std::string() : std::string(trimmed(line.substr(colon + 1))));
  }
  for (++i; i < block.lines.size(); ++i) message.body += (message.body.empty() ? "" : "\n") + block.lines[i].text;
  return message;
}

// RFC 9110 section 5.1: names of fields are case-insensitive.
char in_lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same_name(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, in_lower_case, in_lower_case); }

class Player {
 public:
  Player(const Document& document, Played& played) : document_(document), played_(played) {}

  Complaint play() {
    for (const Block& block : document_.blocks) {
      const auto known = kinds().find(block.kind);
      if (known == kinds().end()) return at(block.line, "no such block: " + block.kind);
      if (asked_at_ != 0 && block.kind != "reply") return at(asked_at_, "a request needs a reply block right behind it");
      line_ = block.line;
      if (Complaint complaint = (this->*known->second)(block)) return at(line_, *complaint);
    }
    if (asked_at_ != 0) return at(asked_at_, "a request needs a reply block right behind it");
    if (played_.requests == 0) return at(1, "nothing is asked in this scenario");
    line_ = document_.blocks.back().line;
    if (Complaint complaint = check_trial_balance()) return at(line_, "at the end: " + *complaint);
    return std::nullopt;
  }

 private:
  using Play = Complaint (Player::*)(const Block&);
  static const std::map<std::string, Play, std::less<>>& kinds() {
    static const std::map<std::string, Play, std::less<>> table = {
        {"http", &Player::play_request},   {"reply", &Player::check_reply},       {"clock", &Player::play_clock},
        {"service", &Player::play_service}, {"balances", &Player::check_balances},
    };
    return table;
  }

  std::string at(std::size_t line, const std::string& text) const { return document_.path + ":" + std::to_string(line) + ": " + text; }

  Complaint fill_in(std::string& text) const {
    std::string unknown;
    auto full = filled_in(text, names_, unknown);
    if (!full) return "{{" + unknown + "}} has no value yet";
    text = std::move(*full);
    return std::nullopt;
  }

  Complaint play_request(const Block& block) {
    Message message = message_of(block);
    if (Complaint complaint = fill_in(message.start)) return complaint;
    if (Complaint complaint = fill_in(message.body)) return complaint;
    const std::size_t blank = message.start.find(' ');
    if (blank == std::string::npos) return "a request begins with METHOD TARGET";
    const std::string method = message.start.substr(0, blank);
    std::string bytes = message.start + " HTTP/1.1\r\nHost: localhost\r\n";
    bool authorized = false, typed = message.body.empty();
    for (auto& [name, value] : message.headers) {
      if (Complaint complaint = fill_in(value)) return complaint;
      if (same_name(name, "authorization")) authorized = true;
      if (same_name(name, "content-type")) typed = true;
      if (value != "(none)") bytes += name + ": " + value + "\r\n";
    }
    if (!authorized) bytes += "Authorization: Bearer " + stage_.token() + "\r\n";
    if (!typed) bytes += "Content-Type: application/json\r\n";
    if (method == "POST") bytes += "Content-Length: " + std::to_string(message.body.size()) + "\r\n";
    auto sent = stage_.send(method, bytes + "\r\n" + message.body);
    if (!sent.ok()) return sent.error().message + " [" + sent.error().code + "]";
    reply_ = std::move(sent).value();
    asked_at_ = block.line;
    ++played_.requests;
    return std::nullopt;
  }

  Complaint check_reply(const Block& block) {
    if (asked_at_ == 0) return "a reply block needs a request right before it";
    asked_at_ = 0;
    const Message expected = message_of(block);
    const auto complain = [&](const std::string& text) {
      return text + "\n--- expected\n" + text_of(block) + "--- got\n" + text_of(reply_);
    };
    if (std::to_string(reply_.status) != trimmed(expected.start)) {
      return complain("expected status " + expected.start + ", got " + std::to_string(reply_.status));
    }
    // The body first: it may give a name to what a header repeats.
    if (!expected.body.empty()) {
      const auto pattern = wire::parse_json(base::as_bytes(expected.body));
      if (!pattern.ok()) return "the expected body is no JSON: " + pattern.error().message;
      const auto actual = wire::parse_json(base::as_bytes(reply_.body), {.bytes_max = 64u << 20, .depth_max = 64});
      if (!actual.ok()) return complain("the reply's body is no JSON: " + actual.error().message);
      if (const auto complaint = difference(pattern->root(), actual->root(), names_)) return complain(*complaint);
    }
    for (const auto& [name, value] : expected.headers) {
      ++line_;
      std::string lower = name;
      std::ranges::transform(lower, lower.begin(), in_lower_case);
      const auto found = reply_.headers.find(lower);
      if (value == "(none)" ? found.has_value() : !found || !matches_text(value, *found, names_)) {
        return complain("header " + name + ": expected " + value + ", got " + std::string(found.value_or("(none)")));
      }
    }
    return compare_bytes(block);
  }

  // ```reply NAME keeps the bytes of the body, ```reply same as NAME compares with them.
  Complaint compare_bytes(const Block& block) {
    constexpr std::string_view same = "same as ";
    const std::string_view argument = block.argument;
    if (argument.empty()) return std::nullopt;
    if (!argument.starts_with(same)) {
      if (!bodies_.emplace(argument, reply_.body).second) return "there is a reply " + block.argument + " already";
      return std::nullopt;
    }
    const auto before = bodies_.find(argument.substr(same.size()));
    if (before == bodies_.end()) return "there is no reply " + std::string(argument.substr(same.size()));
    if (before->second == reply_.body) return std::nullopt;
    return "the bytes are not the same\n--- before\n" + before->second + "\n--- now\n" + reply_.body;
  }

  Complaint play_clock(const Block& block) {
    static constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> units = {
        {{"ms", 1'000'000}, {"s", 1'000'000'000}, {"min", 60'000'000'000}, {"h", 3'600'000'000'000}, {"days", 86'400'000'000'000}}};
    constexpr std::string_view advance = "advance ";
    for (const Line& line : block.lines) {
      line_ = line.number;
      const std::string_view text = trimmed(line.text);
      std::int64_t count = 0;
      if (!text.starts_with(advance)) return "expected: advance COUNT UNIT";
      const std::string_view amount = text.substr(advance.size());
      const auto [rest, error] = std::from_chars(amount.data(), amount.data() + amount.size(), count);
      const std::string_view unit = trimmed({rest, amount.data() + amount.size()});
      const auto known = std::ranges::find(units, unit, [](const auto& entry) { return entry.first; });
      if (error != std::errc() || count <= 0 || count > 100'000 || known == units.end()) {
        return "expected a count and ms, s, min, h or days, got " + std::string(amount);
      }
      stage_.advance({count * known->second});
    }
    return std::nullopt;
  }

  Complaint play_service(const Block& block) {
    for (const Line& line : block.lines) {
      line_ = line.number;
      if (line.text == "restart") {
        stage_.restart();
      } else if (line.text == "power loss") {
        stage_.lose_power();
      } else {
        return "expected restart or power loss, got " + line.text;
      }
    }
    return std::nullopt;
  }

  base::Result<wire::Response> get(const std::string& target) {
    return stage_.send("GET", "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + stage_.token() + "\r\n\r\n");
  }

  Complaint check_balances(const Block& block) {
    const std::vector<std::string> columns = cells_of(block.lines[0].text);
    for (std::size_t i = 1; i < block.lines.size(); ++i) {
      line_ = block.lines[i].number;
      const std::vector<std::string> cells = cells_of(block.lines[i].text);
      if (cells.size() != columns.size()) return "the row has " + std::to_string(cells.size()) + " cells, its head " + std::to_string(columns.size());
      const auto reply = get("/v1/accounts/" + wire::encode_segment(cells[0]));
      if (!reply.ok()) return reply.error().message;
      const auto account = wire::parse_json(base::as_bytes(reply->body));
      if (reply->status != 200 || !account.ok()) return cells[0] + ": " + std::to_string(reply->status) + " " + reply->body;
      for (std::size_t column = 1; column < columns.size(); ++column) {
        // A heading is the name of a field with blanks.
        std::string field = columns[column];
        std::ranges::replace(field, ' ', '_');
        const auto value = account->root().find(field);
        if (!value || !value->string()) return "an account has no field " + field;
        if (!matches_text(cells[column], *value->string(), names_)) {
          return cells[0] + ", " + columns[column] + ": expected " + cells[column] + ", got " + std::string(*value->string());
        }
      }
      ++played_.balances;
    }
    return std::nullopt;
  }

  Complaint check_trial_balance() {
    const auto reply = get("/v1/trial-balance");
    if (!reply.ok()) return reply.error().message;
    const auto body = wire::parse_json(base::as_bytes(reply->body));
    const auto balanced = body.ok() ? body->root().find("balanced") : std::nullopt;
    if (!balanced || balanced->boolean() != true) return "debits do not equal credits: " + reply->body;
    return std::nullopt;
  }

  static std::string text_of(const Block& block) {
    std::string text;
    for (const Line& line : block.lines) text += line.text + "\n";
    return text;
  }
  static std::string text_of(const wire::Response& reply) {
    std::string text = std::to_string(reply.status) + "\n";
    for (std::size_t i = 0; i < reply.headers.size(); ++i) {
      const wire::Headers::Field field = reply.headers.at(i);
      text.append(field.name).append(": ").append(field.value).append("\n");
    }
    return text + "\n" + reply.body + "\n";
  }

  const Document& document_;
  Played& played_;
  Stage stage_;
  Names names_;
  std::map<std::string, std::string, std::less<>> bodies_;
  wire::Response reply_;
  std::size_t asked_at_ = 0;  // line of a request whose reply was not looked at yet
  std::size_t line_ = 0;      // for complaints
};

}  // namespace

std::optional<std::string> play(const Document& document, Played& played) { return Player(document, played).play(); }

}  // namespace scenario
