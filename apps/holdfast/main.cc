#include <exception>

#include "apps/holdfast/command.h"
#include "io/process.h"

int main(int argc, char** argv) {
  io::ignore_broken_pipes();
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  // Our code throws nothing; what a library throws here is memory running out or a mistake of ours.
  try {
    return holdfast::run_command_line(words);
  } catch (const std::exception& error) {
    holdfast::say(error.what());
    return holdfast::exit_broken;
  }
}
