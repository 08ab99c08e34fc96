#pragma once
// Names of tenants, in the order of their opening. Few; a list is enough. Core thread only.

#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"

namespace node {

class Tenants {
 public:
  /// 0 if there is none of that name.
  model::TenantNumber find(std::string_view name) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return static_cast<model::TenantNumber>(i + 1);
    }
    return 0;
  }
  void open(std::string_view name) { names_.emplace_back(name); }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

}  // namespace node
