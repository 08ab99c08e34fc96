#include "store/keys/key_sieve.h"

namespace store {

base::Result<bool> KeySieveBuild::step(const std::vector<std::shared_ptr<const KeyRun>>& runs, std::uint64_t bytes_max) {
  if (scan_ == nullptr) {
    for (const auto& run : runs) {
      if (run->info().through <= through_) continue;
      scan_ = std::make_unique<KeyRunScan>(run);
      scanning_through_ = run->info().through;
      break;
    }
    if (scan_ == nullptr) return false;
  }
  KeyRecord record;
  for (std::uint64_t left = bytes_max / sizeof record; left > 0; --left) {
    TRY_ASSIGN(const bool any, scan_->next(record));
    if (!any) {
      // A merge may have put keys already read and new ones into one run: some are added twice, which does no harm.
      through_ = scanning_through_;
      scan_.reset();
      break;
    }
    sieve_->add(record);
  }
  return true;
}

}  // namespace store
