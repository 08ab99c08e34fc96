// From words to a running command; help and what all commands say alike.

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "apps/holdfast/command.h"
#include "apps/holdfast/topics.h"
#include "io/posix_file.h"
#include "wire/json_fields.h"

namespace holdfast {

namespace {

int misuse(std::string_view message, std::string_view help_words) {
  say(message);
  say("see: holdfast help" + std::string(help_words.empty() ? "" : " ") + std::string(help_words));
  return exit_misuse;
}

std::string with_suggestion(std::string message, std::string_view word, const std::vector<std::string_view>& names) {
  if (const auto meant = wire::closest_name(word, names.data(), names.size())) {
    message += "; did you mean " + std::string(*meant) + "?";
  }
  return message;
}

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found = std::ranges::find(all, name, &Command::name);
  return found == all.end() ? nullptr : &*found;
}

int unknown_command(std::string_view word) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return misuse(with_suggestion("there is no command " + std::string(word), word, names), "");
}

int help(std::span<const std::string_view> words) {
  if (words.empty() || words[0] == "help") {
    print(overview());
    return exit_done;
  }
  if (words[0] == "--man") {
    print(manual_page());
    return exit_done;
  }
  if (const Command* command = find_command(words[0])) {
    print(help_of(*command));
    return exit_done;
  }
  for (const Topic& topic : topics()) {
    if (topic.name != words[0]) continue;
    print(std::string(topic.title) + "\n" + std::string(topic.text));
    return exit_done;
  }
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  for (const Topic& topic : topics()) names.push_back(topic.name);
  return misuse(with_suggestion("there is no help on " + std::string(words[0]), words[0], names), "");
}

bool asks_for_help(std::span<const std::string_view> words) {
  for (const std::string_view word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out.append(text);
  out.append(text.size() < width ? width - text.size() : 1, ' ');
}

}  // namespace

int run_command_line(std::span<const std::string_view> words) {
  if (words.empty()) {
    std::fputs(overview().c_str(), stderr);
    return exit_misuse;
  }
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") return help(words.subspan(1));
  static constexpr std::array version_command{std::string_view("version")};
  if (words[0] == "--version") words = version_command;
  const Command* command = find_command(words[0]);
  if (command == nullptr) return unknown_command(words[0]);
  words = words.subspan(1);
  if (asks_for_help(words)) {
    print(help_of(*command));
    return exit_done;
  }
  const Verb* verb = &command->verbs.front();
  const auto named = words.empty() ? command->verbs.end() : std::ranges::find(command->verbs, words[0], &Verb::name);
  if (named != command->verbs.end() && !named->name.empty()) {
    verb = &*named;
    words = words.subspan(1);
  } else if (!verb->name.empty()) {
    if (words.empty()) return misuse(std::string(command->name) + " needs to know what to do", command->name);
    std::vector<std::string_view> names;
    for (const Verb& each : command->verbs) names.push_back(each.name);
    return misuse(with_suggestion(std::string(command->name) + " cannot " + std::string(words[0]), words[0], names), command->name);
  }
  const auto arguments = parse_arguments(words, *verb);
  if (!arguments.ok()) return misuse(arguments.error().message, command->name);
  return verb->run(*arguments);
}

std::string overview() {
  std::string text =
      "holdfast: moves money exactly once, and proves it\n\n"
      "Examples\n"
      "  holdfast tour --data /tmp/tour                          see it work\n"
      "  holdfast serve --data /tmp/try --dev                    a service to develop against\n"
      "  holdfast init --data /var/lib/holdfast                  a data directory for real\n"
      "  holdfast serve --data /var/lib/holdfast --config /etc/holdfast.toml\n\n"
      "Commands\n";
  for (const Command& command : commands()) {
    text += "  ";
    append_padded(text, command.name, 14);
    text.append(command.summary).append("\n");
  }
  text += "  help          help on a command or a topic:";
  for (const Topic& topic : topics()) text.append(" ").append(topic.name);
  text += "\n";
  return text;
}

std::string help_of(const Command& command) {
  std::string text = "holdfast " + std::string(command.name) + ": " + std::string(command.summary) + "\n\nExamples\n" +
                     std::string(command.examples);
  for (const Verb& verb : command.verbs) {
    text += "\n  holdfast " + std::string(command.name);
    if (!verb.name.empty()) text.append(" ").append(verb.name);
    if (!verb.operands.empty()) text.append(" ").append(verb.operands);
    if (!verb.options.empty()) text += " [options]";
    text.append("\n      ").append(verb.summary).append("\n");
    for (const Option& option : verb.options) {
      std::string name(option.name);
      if (!option.value.empty()) name.append(" ").append(option.value);
      text += "      ";
      append_padded(text, name, 28);
      text.append(option.help).append("\n");
    }
  }
  text += "\nEvery one takes --json (machine-readable output) and --help.\n";
  if (!command.notes.empty()) text.append("\n").append(command.notes);
  return text;
}

void say(std::string_view message) {
  const std::string line = "holdfast: " + std::string(message) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int exit_code_of(const base::Error& error) {
  const std::string_view code = error.code;
  if (code == "option_value_malformed" || code == "options_contradict" || code == "endpoint_malformed") return exit_misuse;
  for (const std::string_view unreachable : {"host_not_found", "connect_failed", "connect_timed_out", "connection_broken",
                                             "connection_timed_out", "data_directory_locked", "tls_handshake_failed",
                                             "outcome_unknown"}) {
    if (code == unreachable) return exit_unreachable;
  }
  return exit_failed;
}

int fail(const base::Error& error) {
  say(error.message + " [" + error.code + "]");
  return exit_code_of(error);
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.ends_with('\n')) std::fputc('\n', stdout);
  std::fflush(stdout);
}

base::Result<base::Bytes> read_input(const std::string& name, std::uint64_t bytes_max) {
  if (name != "-") {
    io::RealFileSystem files;
    return io::read_whole_file(files, name, bytes_max);
  }
  base::Bytes bytes(bytes_max + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), stdin));
  if (bytes.size() > bytes_max) return base::Error{"file_too_large", "standard input holds more than " + std::to_string(bytes_max) + " bytes"};
  return bytes;
}

std::string absolute_path(std::string_view path) {
  std::error_code error;
  const std::filesystem::path given = std::filesystem::absolute(std::filesystem::path(path), error);
  std::filesystem::path known = std::filesystem::weakly_canonical(given, error);
  if (error) known = given.lexically_normal();
  std::string text = known.string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace holdfast
