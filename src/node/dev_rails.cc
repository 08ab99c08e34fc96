#include "node/dev_rails.h"

#include <set>

#include "node/own_request.h"

namespace node {

namespace {

constexpr model::TenantNumber default_tenant = 1;

std::set<std::string> registered_rails(const Backend& backend) {
  std::set<std::string> names;
  for (model::RailNumber number = 1; number <= model::rails_max; ++number) {
    std::string name = backend.rail_name(number);
    if (name.empty()) break;
    names.insert(std::move(name));
  }
  return names;
}

}  // namespace

base::Status register_dev_rails(Service& service, gate::Gate& gate, const Backend& backend, const DevRails& rails) {
  const std::set<std::string> known = registered_rails(backend);
  for (const gate::RailConfiguration& rail : rails.registrations()) {
    if (known.contains(std::string(rail.name))) continue;
    if (service.asset_number(default_tenant, rail.asset) == 0) {
      TRY(ask_service(service, gate, gate::AssetRegistration{.asset = rail.asset}));
    }
    TRY(ask_service(service, gate, rail));
  }
  return base::ok();
}

}  // namespace node
