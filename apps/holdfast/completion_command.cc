// holdfast completion: from the same table that help comes from.

#include "apps/holdfast/commands.h"

namespace holdfast {

namespace {

std::string words_of(const Command& command) {
  std::string words;
  for (const Verb& verb : command.verbs) {
    if (!verb.name.empty()) words.append(words.empty() ? "" : " ").append(verb.name);
  }
  return words;
}

std::string options_of(const Verb& verb) {
  std::string words = "--json --help";
  for (const Option& option : verb.options) words.append(" ").append(option.name);
  return words;
}

std::string bash_script() {
  std::string script =
      "# holdfast completion bash > /etc/bash_completion.d/holdfast\n"
      "_holdfast() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} verb=${COMP_WORDS[2]}\n"
      "  case $previous in\n"
      "    --data|--to|--from) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
      "    --config|--credentials|--master-key|--out) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
      "  esac\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W '";
  for (const Command& command : commands()) script.append(command.name).append(" ");
  script += "help' -- \"$word\")); return; fi\n  case \"$command $verb\" in\n";
  for (const Command& command : commands()) {
    for (const Verb& verb : command.verbs) {
      if (verb.name.empty()) continue;
      script.append("    '").append(command.name).append(" ").append(verb.name).append("')  COMPREPLY=($(compgen -W '");
      script.append(options_of(verb)).append("' -- \"$word\")) ;;\n");
    }
    std::string words = words_of(command);
    if (command.verbs.front().name.empty()) words = options_of(command.verbs.front()) + (words.empty() ? "" : " ") + words;
    script.append("    '").append(command.name).append(" '*)  COMPREPLY=($(compgen -W '");
    script.append(words).append("' -- \"$word\")) ;;\n");
  }
  script += "  esac\n}\ncomplete -o default -F _holdfast holdfast\n";
  return script;
}

// zsh runs functions written for bash.
std::string zsh_script() {
  return "#compdef holdfast\n# holdfast completion zsh > ~/.zfunc/_holdfast\nautoload -U +X bashcompinit && bashcompinit\n" + bash_script();
}

int run_bash(const Arguments&) {
  print(bash_script());
  return exit_done;
}

int run_zsh(const Arguments&) {
  print(zsh_script());
  return exit_done;
}

}  // namespace

Command completion_command() {
  return {.name = "completion",
          .summary = "completion of commands for a shell",
          .examples = "  source <(holdfast completion bash)\n",
          .verbs = {{"bash", "", 0, 0, "a script for bash", {}, run_bash}, {"zsh", "", 0, 0, "a script for zsh", {}, run_zsh}}};
}

}  // namespace holdfast
