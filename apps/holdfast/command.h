#pragma once
// The command line, one table: commands, their verbs, the options each takes. Adding a command is one file with a Command
// in it and one line in commands.cc.
//
// Rules of the house: data on standard output, messages on standard error, `--json` for programs, examples first in
// help, no secrets in options or the environment, and the exit codes below.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast {

/// What the process says when it ends. Documented in `holdfast help exit-codes`.
enum ExitCode : int {
  exit_done = 0,         ///< it worked, or what was looked at is in order
  exit_failed = 1,       ///< it was refused, or what was looked at is not in order
  exit_misuse = 2,       ///< the command line was not understood; nothing was done
  exit_unreachable = 3,  ///< the service cannot be reached, or the data directory is not free
  exit_broken = 70,      ///< the service had to stop: a disk that fails, a mistake of ours
};

/// An option of a verb. Options may stand anywhere behind the verb, as `--name value` or `--name=value`.
struct Option {
  std::string_view name;     ///< `--data`
  std::string_view value;    ///< what its value is called in help, `DIR`; empty for a switch
  std::string_view help;     ///< one line
};

/// A command line that was understood.
class Arguments {
 public:
  bool has(std::string_view name) const { return value(name).has_value(); }
  /// The value of an option (empty for a switch); nothing if it was not given.
  std::optional<std::string_view> value(std::string_view name) const;
  std::string value_or(std::string_view name, std::string_view otherwise) const;
  /// A whole number within bounds, or nothing if the option was not given. Error `option_value_malformed`.
  base::Result<std::optional<std::uint64_t>> number(std::string_view name, std::uint64_t min, std::uint64_t max) const;
  const std::vector<std::string>& operands() const { return operands_; }
  bool json() const { return has("--json"); }

 private:
  friend base::Result<Arguments> parse_arguments(std::span<const std::string_view> words, const struct Verb& verb);
  std::vector<std::pair<std::string_view, std::string>> options_;
  std::vector<std::string> operands_;
};

/// One thing a command does.
struct Verb {
  std::string_view name;                 ///< `get`; empty for what the command does without a verb, which stands first
  std::string_view operands;             ///< `ID`, `FILE [FILE...]`, as help shows them
  std::size_t operands_min = 0;
  std::size_t operands_max = 0;
  std::string_view summary;              ///< one line
  std::vector<Option> options;           ///< besides --json and --help, which every verb takes
  /// Returns an ExitCode. Messages of its own go to standard error.
  int (*run)(const Arguments& arguments) = nullptr;
};

struct Command {
  std::string_view name;
  std::string_view summary;              ///< one line, for the overview
  std::string_view examples;             ///< shown first; lines of `  holdfast ...`
  std::vector<Verb> verbs;
  std::string_view notes = {};           ///< what else there is to know, after the options
};

/// Every command, in the order of the overview (commands.cc).
std::span<const Command> commands();

/// Options and operands behind the verb. Errors, all with a sentence for the person: `option_unknown` (with a suggestion),
/// `option_value_missing`, `option_value_unexpected`, `option_given_twice`, `operands_missing`, `operands_too_many`.
base::Result<Arguments> parse_arguments(std::span<const std::string_view> words, const Verb& verb);

/// Runs a whole command line without the program's name. Returns an ExitCode.
int run_command_line(std::span<const std::string_view> words);

/// Help as text.
std::string overview();
std::string help_of(const Command& command);
/// The same as holdfast(1), in roff: `holdfast help --man`.
std::string manual_page();

// --- what commands say ---------------------------------------------------------------------------------------------------

/// `holdfast: MESSAGE` on standard error.
void say(std::string_view message);
/// Says an error with its code and returns the exit code that fits it.
int fail(const base::Error& error);
/// The exit code that fits an error.
int exit_code_of(const base::Error& error);
/// Data on standard output, with a line end if it has none.
void print(std::string_view text);
/// A whole file, or standard input for `-`. Errors: those of reading; `file_too_large`.
base::Result<base::Bytes> read_input(const std::string& name, std::uint64_t bytes_max);
/// An absolute path without `.`, `..` and symbolic links as far as it exists.
std::string absolute_path(std::string_view path);

}  // namespace holdfast
