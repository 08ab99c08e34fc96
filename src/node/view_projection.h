#pragma once
// Feeds the views from the journal: rows from notable events, balances from frozen states.

#include <memory>
#include <string>

#include "node/service.h"
#include "store/views/views.h"

namespace node {

class ViewProjection final : public Projection {
 public:
  /// Opens the views at `path`, throwing them away first if they are damaged or belong to another journal. Reads what they
  /// lack from the journal up to its durable end. `reader` outlives the projection.
  static base::Result<std::unique_ptr<ViewProjection>> open(const std::string& path, const store::JournalReader& reader,
                                                            bool every_transfer);

  base::Status project(const std::vector<model::EventNumber>& notable, model::EventNumber through) override;
  base::Status refresh(const core::FrozenState& state, model::EventNumber through) override;

  store::Views& views() { return *views_; }
  const store::Projector& projector() const { return *projector_; }
  /// True if the former views had to be thrown away.
  bool rebuilt() const { return rebuilt_; }

 private:
  ViewProjection(const store::JournalReader& reader, std::unique_ptr<store::Views> views, std::unique_ptr<store::Projector> projector)
      : reader_(reader), views_(std::move(views)), projector_(std::move(projector)) {}

  base::Status catch_up();
  struct Batch;
  base::Status take_entry(const model::Entry& entry, Batch& batch);

  const store::JournalReader& reader_;
  std::unique_ptr<store::Views> views_;
  std::unique_ptr<store::Projector> projector_;
  model::EventNumber refreshed_ = 0;
  bool rebuilt_ = false;
};

}  // namespace node
