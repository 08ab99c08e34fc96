// holdfast config

#include "apps/holdfast/commands.h"
#include "io/posix_file.h"
#include "node/configuration.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t file_bytes_max = 1 << 20;

int run_check(const Arguments& arguments) {
  const std::string& file = arguments.operands()[0];
  const auto bytes = read_input(file, file_bytes_max);
  if (!bytes.ok()) return fail(bytes.error());
  const node::ConfigurationReading reading = node::read_configuration(base::as_text(*bytes));
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter out(text);
    out.begin_object();
    out.member("file", std::string_view(file));
    out.member("ok", reading.problems.empty());
    out.key("problems");
    out.begin_array();
    for (const node::ConfigurationProblem& problem : reading.problems) {
      out.begin_object();
      out.member("line", std::uint64_t{problem.line});
      out.member("message", std::string_view(problem.message));
      out.end_object();
    }
    out.end_array();
    out.end_object();
    print(text);
  } else {
    print(reading.problems.empty() ? file + ": ok" : reading.text(file));
  }
  return reading.problems.empty() ? exit_done : exit_failed;
}

int run_show(const Arguments& arguments) {
  io::RealFileSystem files;
  node::Configuration configuration;
  if (!arguments.operands().empty()) {
    auto loaded = node::load_configuration(files, arguments.operands()[0]);
    if (!loaded.ok()) return fail(loaded.error());
    configuration = std::move(loaded).value();
  }
  print(arguments.json() ? node::configuration_json(configuration) : node::show_configuration(configuration));
  return exit_done;
}

int run_reference(const Arguments&) {
  print(node::configuration_reference());
  return exit_done;
}

}  // namespace

Command config_command() {
  return {.name = "config",
          .summary = "check and show settings",
          .examples = "  holdfast config check /etc/holdfast.toml\n"
                      "  holdfast config show\n",
          .verbs = {{"check", "FILE", 1, 1, "says everything that is wrong with a file (- is standard input), with its line", {}, run_check},
                    {"show", "[FILE]", 0, 1, "every setting as it is in effect, in a form that can be a file", {}, run_show},
                    {"reference", "", 0, 0, "docs/configuration.md", {}, run_reference}}};
}

}  // namespace holdfast
