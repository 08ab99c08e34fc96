// holdfast version

#include "apps/holdfast/commands.h"
#include "store/journal/data_format.h"

namespace holdfast {

namespace {

int run_version(const Arguments& arguments) {
  const std::string format = std::to_string(store::data_format_version);
  print(arguments.json() ? "{\"version\":\"" HOLDFAST_VERSION "\",\"data_format\":" + format + "}"
                         : "holdfast " HOLDFAST_VERSION ", data format " + format);
  return exit_done;
}

}  // namespace

Command version_command() {
  return {.name = "version",
          .summary = "which program this is",
          .examples = "  holdfast version\n",
          .verbs = {{.name = "", .operands = "", .summary = "version and data format", .options = {}, .run = run_version}}};
}

}  // namespace holdfast
