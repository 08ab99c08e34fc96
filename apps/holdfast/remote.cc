#include "apps/holdfast/remote.h"

#include "apps/holdfast/readable.h"
#include "io/posix_file.h"

namespace holdfast {

std::vector<Option> remote_options(std::vector<Option> more) {
  more.push_back({"--credentials", "FILE", "where the service is and who we are (holdfast help credentials)"});
  more.push_back({"--data", "DIR", "of a service with --dev: takes DIR/dev/client.json"});
  return more;
}

std::vector<Option> changing_options(std::vector<Option> more) {
  more.push_back({"--key", "KEY", "idempotency key; drawn at random unless given"});
  return remote_options(std::move(more));
}

base::Result<std::unique_ptr<ApiClient>> connect(io::FileSystem& files, const Arguments& arguments) {
  TRY_ASSIGN(const std::string path, credentials_file(files, arguments));
  TRY_ASSIGN(Credentials credentials, load_credentials(files, path));
  return ApiClient::open(files, std::move(credentials));
}

int ask(const Arguments& arguments, ApiRequest request, Show show) {
  io::RealFileSystem files;
  const auto client = connect(files, arguments);
  if (!client.ok()) return fail(client.error());
  if (request.method == "POST" && request.key.empty()) request.key = arguments.value_or("--key", "");
  if (request.method == "POST" && request.key.empty()) request.key = draw_key();
  const auto reply = (*client)->call(request);
  if (!reply.ok()) return fail(reply.error());
  if (arguments.json()) {
    print(reply->body);
  } else if (reply->good()) {
    if (reply->replayed) say("this is the reply to the first request with this key; nothing was done again");
    print(show(reply->body));
  }
  if (!reply->good() && !arguments.json()) say(readable_problem(reply->body));
  return reply->good() ? exit_done : exit_failed;
}

std::string query_of(const Arguments& arguments, std::initializer_list<std::pair<std::string_view, std::string_view>> parameters) {
  std::string query;
  for (const auto& [option, name] : parameters) {
    const auto value = arguments.value(option);
    if (!value) continue;
    if (!query.empty()) query += '&';
    query.append(name).append("=").append(wire::encode_segment(*value));
  }
  return query;
}

}  // namespace holdfast
