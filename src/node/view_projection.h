#pragma once
// Feeds the views from the journal: rows from notable events, balances from frozen states.

#include <memory>
#include <optional>
#include <string>

#include "node/service.h"
#include "store/views/views.h"

namespace node {

class ViewProjection final : public Projection {
 public:
  /// Opens the views at `path`, throwing them away first if they are damaged or belong to another journal. What they lack
  /// catch_up() reads from the journal. `reader` outlives the projection. With `every_transfer` single-commit transfers get
  /// rows too; the engine must be told the same (EngineOptions::views_every_transfer).
  static base::Result<std::unique_ptr<ViewProjection>> open(const std::string& path, const store::JournalReader& reader,
                                                            bool every_transfer);

  /// With which `every_transfer` the views at `path` were made; nothing if there are none that could tell.
  static std::optional<bool> made_with_every_transfer(const std::string& path, const store::JournalReader& reader);

  base::Status project(const std::vector<model::EventNumber>& notable, model::EventNumber through) override;
  base::Result<bool> catch_up() override;
  base::Status begin_refresh(const core::FrozenState& state, model::EventNumber through) override;
  base::Result<bool> refresh_step(std::uint32_t rows_max) override;

  store::Views& views() { return *views_; }
  const store::Projector& projector() const { return *projector_; }
  /// True if the former views had to be thrown away.
  bool rebuilt() const { return rebuilt_; }

 private:
  ViewProjection(const store::JournalReader& reader, std::unique_ptr<store::Views> views, std::unique_ptr<store::Projector> projector,
                 bool every_transfer)
      : reader_(reader), views_(std::move(views)), projector_(std::move(projector)), every_transfer_(every_transfer) {}

  struct Batch;
  class Values;
  base::Status take_entry(const model::Entry& entry, const Values& values, Batch& batch);
  base::Result<std::size_t> project_group(std::span<const model::EventNumber> notable, Batch& batch, model::EventNumber& done);

  const store::JournalReader& reader_;
  std::unique_ptr<store::Views> views_;
  std::unique_ptr<store::Projector> projector_;
  const bool every_transfer_;
  model::EventNumber refreshed_ = 0;    ///< balances include every posting up to here
  model::EventNumber refreshing_ = 0;   ///< the same once the pass in progress has ended
  bool rebuilt_ = false;
};

}  // namespace node
