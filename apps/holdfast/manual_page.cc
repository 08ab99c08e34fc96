// holdfast(1) in roff, from the tables that help comes from.

#include <algorithm>

#include "apps/holdfast/command.h"
#include "apps/holdfast/topics.h"

namespace holdfast {

namespace {

// Text as roff takes it literally (groff_char(7)): backslashes, hyphens that are minus signs, and dots and quotes where a line
// begins.
std::string literal(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

void append_block(std::string& page, std::string_view text) {
  page.append(".nf\n").append(literal(text));
  if (!text.ends_with('\n')) page += "\n";
  page += ".fi\n";
}

void append_verb(std::string& page, const Command& command, const Verb& verb) {
  std::string line = "holdfast " + std::string(command.name);
  if (!verb.name.empty()) line.append(" ").append(verb.name);
  if (!verb.operands.empty()) line.append(" ").append(verb.operands);
  if (!verb.options.empty()) line += " [options]";
  page.append(".TP\n.B ").append(literal(line)).append("\n").append(literal(verb.summary)).append("\n");
  if (verb.options.empty()) return;
  std::size_t width = 0;
  const auto name_of = [](const Option& option) {
    return std::string(option.name) + (option.value.empty() ? "" : " ") + std::string(option.value);
  };
  for (const Option& option : verb.options) width = std::max(width, name_of(option).size());
  std::string lines;
  for (const Option& option : verb.options) {
    const std::string name = name_of(option);
    lines.append("    ").append(name).append(width + 2 - name.size(), ' ').append(option.help).append("\n");
  }
  append_block(page, lines);
}

}  // namespace

std::string manual_page() {
  std::string page = ".TH HOLDFAST 1 \"\" \"Holdfast " HOLDFAST_VERSION "\"\n"
                     ".SH NAME\nholdfast \\- moves money exactly once, and proves it\n"
                     ".SH SYNOPSIS\n.B holdfast\nCOMMAND [VERB] [operands] [options]\n"
                     ".PP\n.B holdfast help\n[COMMAND | TOPIC | \\-\\-man]\n"
                     ".SH COMMANDS\n"
                     "Every command takes \\-\\-json (machine\\-readable output) and \\-\\-help.\n";
  for (const Command& command : commands()) {
    page.append(".SS holdfast ").append(literal(command.name)).append("\n").append(literal(command.summary)).append("\n");
    append_block(page, command.examples);
    for (const Verb& verb : command.verbs) append_verb(page, command, verb);
    if (!command.notes.empty()) {
      page += ".PP\n";
      append_block(page, command.notes);
    }
  }
  for (const Topic& topic : topics()) {
    page.append(".SH ").append(literal(topic.title)).append("\n");
    append_block(page, topic.text);
  }
  return page;
}

}  // namespace holdfast
