#pragma once
// What all commands have in common that ask a running service.

#include <memory>

#include "apps/holdfast/api_client.h"
#include "apps/holdfast/command.h"

namespace holdfast {

/// `--credentials` and `--data`, for the options of a verb; with `more` behind them.
std::vector<Option> remote_options(std::vector<Option> more = {});
/// The same for verbs that change something: they also take `--key`.
std::vector<Option> changing_options(std::vector<Option> more = {});

/// A client as the arguments say.
base::Result<std::unique_ptr<ApiClient>> connect(io::FileSystem& files, const Arguments& arguments);

/// How a good reply is shown to a person.
using Show = std::string (*)(std::string_view json);

/// Sends the request (changing ones get a key: `--key` or a fresh one) and prints the reply: its JSON with --json, otherwise
/// through `show`; a problem in words on standard error. Returns an ExitCode.
int ask(const Arguments& arguments, ApiRequest request, Show show);

/// A query string from options that were given: `{"--prefix", "prefix"}`.
std::string query_of(const Arguments& arguments, std::initializer_list<std::pair<std::string_view, std::string_view>> parameters);

}  // namespace holdfast
