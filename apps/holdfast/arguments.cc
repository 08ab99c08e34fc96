// Words into options and operands.

#include <algorithm>
#include <charconv>

#include "apps/holdfast/command.h"
#include "wire/json_fields.h"

namespace holdfast {

namespace {

constexpr Option json_option{"--json", "", "machine-readable output"};

std::vector<Option> options_of(const Verb& verb) {
  std::vector<Option> options = verb.options;
  options.push_back(json_option);
  return options;
}

base::Error unknown_option(std::string_view name, const std::vector<Option>& options) {
  std::vector<std::string_view> names;
  for (const Option& option : options) names.push_back(option.name);
  const auto meant = wire::closest_name(name, names.data(), names.size());
  std::string message = "there is no option " + std::string(name);
  if (meant) message += "; did you mean " + std::string(*meant) + "?";
  return {"option_unknown", std::move(message)};
}

}  // namespace

std::optional<std::string_view> Arguments::value(std::string_view name) const {
  const auto found = std::ranges::find(options_, name, &std::pair<std::string_view, std::string>::first);
  if (found == options_.end()) return std::nullopt;
  return found->second;
}

std::string Arguments::value_or(std::string_view name, std::string_view otherwise) const {
  return std::string(value(name).value_or(otherwise));
}

base::Result<std::optional<std::uint64_t>> Arguments::number(std::string_view name, std::uint64_t min, std::uint64_t max) const {
  const auto text = value(name);
  if (!text) return std::optional<std::uint64_t>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number < min || number > max) {
    return base::Error{"option_value_malformed", std::string(name) + " takes a whole number from " + std::to_string(min) + " to " +
                                                     std::to_string(max)};
  }
  return std::optional(number);
}

base::Result<Arguments> parse_arguments(std::span<const std::string_view> words, const Verb& verb) {
  const std::vector<Option> options = options_of(verb);
  Arguments arguments;
  bool only_operands = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (only_operands || !word.starts_with("-") || word == "-") {
      arguments.operands_.emplace_back(word);
      continue;
    }
    if (word == "--") {
      only_operands = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto option = std::ranges::find(options, name, &Option::name);
    if (option == options.end()) return unknown_option(name, options);
    if (arguments.has(name)) return base::Error{"option_given_twice", std::string(name) + " is given twice"};
    std::string value;
    if (option->value.empty()) {
      if (equals != std::string_view::npos) return base::Error{"option_value_unexpected", std::string(name) + " takes no value"};
    } else if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else {
      if (++i == words.size()) {
        return base::Error{"option_value_missing", std::string(name) + " needs a value: " + std::string(option->value)};
      }
      value = words[i];
    }
    arguments.options_.emplace_back(option->name, std::move(value));
  }
  if (arguments.operands_.size() < verb.operands_min) {
    return base::Error{"operands_missing", std::string(verb.name.empty() ? "this" : verb.name) + " needs " + std::string(verb.operands)};
  }
  if (arguments.operands_.size() > verb.operands_max) {
    const std::string& surplus = arguments.operands_[verb.operands_max];
    return base::Error{"operands_too_many", "\"" + surplus + "\" is one word too many"};
  }
  return arguments;
}

}  // namespace holdfast
