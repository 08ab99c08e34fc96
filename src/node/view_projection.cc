#include "node/view_projection.h"

#include <deque>

#include "gate/request_body.h"
#include "store/views/sqlite_views.h"
#include "wire/json_writer.h"

namespace node {

namespace {

constexpr std::size_t batch_events_max = 4096;
constexpr std::uint32_t balance_rows_per_step = 20'000;

bool has_row(const model::EventBody& body) {
  return std::holds_alternative<model::TenantOpened>(body) || std::holds_alternative<model::AssetRegistered>(body) ||
         std::holds_alternative<model::AccountOpened>(body) || std::holds_alternative<model::AccountFlagsChanged>(body) ||
         std::holds_alternative<model::AccountLimitsSet>(body) || std::holds_alternative<model::HoldPlaced>(body) ||
         std::holds_alternative<model::HoldResolved>(body) || std::holds_alternative<model::ClientCreated>(body) ||
         std::holds_alternative<model::ClientRevoked>(body);
}

std::string metadata_json(base::ByteView canonical) {
  const auto pairs = gate::parse_metadata(canonical);
  std::string text;
  if (!pairs) return text;
  wire::JsonWriter writer(text);
  writer.begin_object();
  for (const auto& [key, value] : *pairs) {
    writer.key(key);
    writer.string(value);
  }
  writer.end_object();
  return text;
}

}  // namespace

// Entries and values stay alive until the batch is applied: rows point into them.
struct ViewProjection::Batch {
  std::deque<model::Entry> entries;
  std::deque<std::string> texts;
  std::vector<store::ProjectedEvent> events;

  void clear() {
    events.clear();
    entries.clear();
    texts.clear();
  }
};

base::Result<std::unique_ptr<ViewProjection>> ViewProjection::open(const std::string& path, const store::JournalReader& reader,
                                                                   bool every_transfer) {
  const store::ViewOptions options{.identity = reader.end().journal, .every_transfer = every_transfer};
  bool rebuilt = false;
  auto views = store::open_sqlite_views(path, options);
  if (!views.ok() && std::string_view(views.error().code) != "views_write_failed") {
    TRY(store::remove_sqlite_views(path));
    rebuilt = true;
    views = store::open_sqlite_views(path, options);
  }
  if (!views.ok()) return views.error();
  TRY_ASSIGN(auto projector, (*views)->projector());
  std::unique_ptr<ViewProjection> projection(new ViewProjection(reader, std::move(views).value(), std::move(projector)));
  projection->rebuilt_ = rebuilt;
  projection->refreshed_ = projection->projector_->positions().balances;
  TRY(projection->catch_up());
  return projection;
}

base::Status ViewProjection::catch_up() {
  const model::EventNumber from = projector_->positions().rows + 1;
  if (from >= reader_.end().next_event) return base::ok();
  Batch batch;
  model::EventNumber through = from - 1;
  TRY(reader_.for_each_entry(from, {}, [&](const store::EntryView& view) -> base::Status {
    TRY_ASSIGN(model::Entry entry, model::decode_entry(view.bytes, view.first_event));
    through = view.first_event + view.event_count - 1;
    TRY(take_entry(entry, batch));
    if (batch.events.size() < batch_events_max) return base::ok();
    TRY(projector_->apply(batch.events, through));
    batch.clear();
    return base::ok();
  }));
  TRY(projector_->apply(batch.events, through));
  return projector_->commit_positions();
}

base::Status ViewProjection::take_entry(const model::Entry& entry, Batch& batch) {
  bool any = false;
  for (const model::Event& event : entry.events) any = any || has_row(event.body);
  if (!any) return base::ok();
  batch.entries.push_back(entry);
  const model::Entry& kept = batch.entries.back();
  for (std::size_t i = 0; i < kept.events.size(); ++i) {
    const model::Event& event = kept.events[i];
    if (!has_row(event.body)) continue;
    const model::EventNumber number = kept.first_event + i;
    store::ProjectedEvent projected{.number = number, .tenant = kept.command.tenant, .event = &event, .name = {}, .reference = {}, .metadata = {}};
    // Keeps a value alive as text and returns a view of it; nothing if there is none or it was erased.
    const auto text_of = [&](model::PrivateField field, bool is_metadata) -> base::Result<std::optional<std::string_view>> {
      TRY_ASSIGN(const auto value, reader_.read_private(number, field));
      if (!value || value->erased) return std::optional<std::string_view>();
      batch.texts.push_back(is_metadata ? metadata_json(value->value) : std::string(base::as_text(value->value)));
      return std::optional<std::string_view>(batch.texts.back());
    };
    const auto name_from = [&](model::PrivateField field) -> base::Status {
      TRY_ASSIGN(const auto name, text_of(field, false));
      projected.name = name.value_or(std::string_view());
      return base::ok();
    };
    if (std::holds_alternative<model::TenantOpened>(event.body)) TRY(name_from(model::PrivateField::tenant_name));
    if (std::holds_alternative<model::ClientCreated>(event.body)) TRY(name_from(model::PrivateField::client_name));
    if (const auto* opened = std::get_if<model::AccountOpened>(&event.body)) {
      const bool world = (opened->flags & model::is_world) != 0;
      TRY(name_from(world ? model::PrivateField::world_account_name : model::PrivateField::account_name));
      if (opened->metadata) {
        TRY_ASSIGN(projected.metadata, text_of(model::PrivateField::account_metadata, true));
      }
    }
    if (const auto* held = std::get_if<model::HoldPlaced>(&event.body)) {
      if (held->reference) {
        TRY_ASSIGN(projected.reference, text_of(model::PrivateField::transfer_reference, false));
      }
      if (held->metadata) {
        TRY_ASSIGN(projected.metadata, text_of(model::PrivateField::transfer_metadata, true));
      }
    }
    batch.events.push_back(projected);
  }
  return base::ok();
}

base::Status ViewProjection::project(const std::vector<model::EventNumber>& notable, model::EventNumber through) {
  Batch batch;
  model::EventNumber done = projector_->positions().rows;
  for (const model::EventNumber event : notable) {
    if (event <= done) continue;   // an entry before it covered this one too
    TRY_ASSIGN(const store::StoredEntry stored, reader_.read_entry(event));
    TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event));
    TRY(take_entry(entry, batch));
    done = stored.first_event + stored.event_count - 1;
    if (batch.events.size() < batch_events_max) continue;
    TRY(projector_->apply(batch.events, done));
    batch.clear();
  }
  return projector_->apply(batch.events, through);
}

base::Status ViewProjection::refresh(const core::FrozenState& state, model::EventNumber through) {
  std::vector<store::BalanceUpdate> updates;
  model::AccountNumber number = 0;
  for (std::size_t chunk = 0; chunk < state.accounts.chunk_count(); ++chunk) {
    for (const core::AccountRecord& account : state.accounts.chunk(chunk)) {
      ++number;
      if (account.last_posting > refreshed_) updates.push_back({number, account.last_posting, account.counters});
    }
  }
  projector_->note_balances(updates);
  TRY(projector_->apply({}, through));
  while (true) {
    TRY_ASSIGN(const bool more, projector_->write_balances(balance_rows_per_step));
    if (!more) break;
  }
  TRY(projector_->commit_positions());
  refreshed_ = through;
  return base::ok();
}

}  // namespace node
