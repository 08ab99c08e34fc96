#pragma once
// Names of tenants, in the order of their opening. Few; a list is enough. find() and open() on the core thread, copy() on any.

#include <mutex>
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
  void open(std::string_view name) {
    const std::lock_guard lock(mutex_);
    names_.emplace_back(name);
  }
  std::vector<std::string> copy() const {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  std::size_t size() const { return names_.size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;   // written under the mutex by the one thread that also reads without it
};

}  // namespace node
