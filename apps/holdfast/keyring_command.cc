// holdfast keyring

#include "apps/holdfast/commands.h"
#include "apps/holdfast/offline.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "node/chain_keys.h"
#include "node/own_keys.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

int run_list(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  const auto data = node::DataDirectory::open(files, *place);
  if (!data.ok()) return fail(data.error());
  std::string text;
  if (arguments.json()) {
    wire::JsonWriter json(text);
    json.begin_array();
    for (const node::OwnKey& key : node::own_keys((*data)->keyring())) {
      json.begin_object();
      json.member("name", key.name);
      json.member("newest_version", std::uint64_t{key.newest});
      json.member("rotates", key.rotates);
      json.end_object();
    }
    json.end_array();
  } else {
    for (const node::OwnKey& key : node::own_keys((*data)->keyring())) {
      if (!text.empty()) text += "\n";
      text += std::string(key.name) + std::string(20 - key.name.size(), ' ') + "version " + std::to_string(key.newest) + "\n    " +
              std::string(key.rotation);
    }
  }
  print(text);
  return exit_done;
}

int run_rotate(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  io::RealRandom random;
  const std::string& name = arguments.operands()[0];
  const auto version = node::rotate_own_key(files, random, *place, name);
  if (!version.ok()) return fail(version.error());
  print(arguments.json() ? "{\"name\":\"" + name + "\",\"version\":" + std::to_string(*version) + "}"
                         : "version " + std::to_string(*version) + " of " + name + " is used from the next start on. Back up DIR/keys: what it made cannot be checked without it.");
  return exit_done;
}

int run_chain(const Arguments& arguments) {
  const auto chain_id = arguments.number("--chain-id", 1, UINT64_MAX);
  if (!chain_id.ok()) return fail(chain_id.error());
  if (!*chain_id) return fail({"options_contradict", "--chain-id says which chain the account is on: 1 is Ethereum's"});
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  io::RealRandom random;
  const std::string& name = arguments.operands()[0];
  const auto address = node::make_chain_key(files, random, *place, name, **chain_id, arguments.value_or("--import", ""));
  if (!address.ok()) return fail(address.error());
  const std::string text = effects::to_text(*address);
  print(arguments.json() ? "{\"name\":\"" + name + "\",\"address\":\"" + text + "\"}" : text);
  say("back up DIR/keys: the coins at this address are lost with the key. Nobody else may sign with it.");
  return exit_done;
}

}  // namespace

Command keyring_command() {
  return {.name = "keyring",
          .summary = "the service's own keys and their versions",
          .examples = "  holdfast keyring list --data /var/lib/holdfast\n"
                      "  holdfast keyring rotate token-mac --data /var/lib/holdfast\n"
                      "  holdfast keyring chain evm-hot --chain-id 1 --data /var/lib/holdfast\n",
          .verbs = {{"list", "", 0, 0, "each key, its newest version, and what a new one does", offline_options(), run_list},
                    {"rotate", "NAME", 1, 1, "a new version of a key: token-mac or fingerprint", offline_options(), run_rotate},
                    {"chain", "NAME", 1, 1, "makes the account of a rail on an EVM chain and prints its address",
                     offline_options({{"--chain-id", "N", "the chain's number; needed"},
                                      {"--import", "FILE", "a private key that was made elsewhere, 64 hex digits, mode 0600"}}),
                     run_chain}}};
}

}  // namespace holdfast
