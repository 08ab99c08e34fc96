#include "apps/holdfast/offline.h"

namespace holdfast {

std::vector<Option> offline_options(std::vector<Option> more) {
  more.push_back({"--data", "DIR", "the data directory; no service may be working on it"});
  more.push_back({"--master-key", "FILE", "default: DIR.master-key"});
  return more;
}

base::Result<node::DataPlace> data_place(io::FileSystem& files, const Arguments& arguments) {
  const auto directory = arguments.value("--data");
  if (!directory) return base::Error{"options_contradict", "this needs --data DIR"};
  node::DataPlace place{.directory = absolute_path(*directory), .mode = store::DataMode::standard, .master_key_file = {}};
  TRY_ASSIGN(place.mode, node::DataDirectory::mode_of(files, place.directory));
  if (const auto file = arguments.value("--master-key")) place.master_key_file = absolute_path(*file);
  return place;
}

}  // namespace holdfast
