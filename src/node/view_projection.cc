#include "node/view_projection.h"

#include <unistd.h>

#include <algorithm>
#include <deque>

#include "gate/request_body.h"
#include "model/event_subject.h"
#include "store/views/sqlite_views.h"
#include "wire/json_writer.h"

namespace node {

namespace {

constexpr std::size_t batch_events_max = 4096;
constexpr std::uint64_t catch_up_events_per_step = 200'000;
// A group with fewer notable events than this is not worth reading whole.
constexpr std::size_t dense = 4;
// Ends a walk through the journal early; never seen by a caller.
constexpr const char* enough = "enough_for_now";

bool has_row(const model::EventBody& body, bool every_transfer) {
  return model::transfer_of(body, 1) != 0 || model::import_of(body, 1) != 0 || model::version_of(body).has_value() ||
         (every_transfer && std::holds_alternative<model::TransferPosted>(body)) || std::holds_alternative<model::TenantOpened>(body) ||
         std::holds_alternative<model::AssetRegistered>(body) || std::holds_alternative<model::AccountOpened>(body) ||
         std::holds_alternative<model::AccountFlagsChanged>(body) || std::holds_alternative<model::AccountLimitsSet>(body) ||
         std::holds_alternative<model::HoldPlaced>(body) || std::holds_alternative<model::HoldResolved>(body) ||
         std::holds_alternative<model::HoldRedirected>(body) || std::holds_alternative<model::ClientCreated>(body) ||
         std::holds_alternative<model::ClientRevoked>(body);
}

bool any_row(const model::Entry& entry, bool every_transfer) {
  return std::any_of(entry.events.begin(), entry.events.end(),
                     [every_transfer](const model::Event& event) { return has_row(event.body, every_transfer); });
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

// Personal values: of one group at a time once it is loaded, else each by a reading of its own.
class ViewProjection::Values {
 public:
  explicit Values(const store::JournalReader& reader) : reader_(reader) {}

  base::Status load(const store::GroupView& group) {
    if (loaded_) return base::ok();
    loaded_ = true;
    return group.for_each_private([this](const store::StoredPrivate& value) -> base::Status {
      values_.push_back(value);
      return base::ok();
    });
  }

  base::Result<std::optional<store::StoredPrivate>> find(model::EventNumber event, model::PrivateField field) const {
    if (!loaded_) return reader_.read_private(event, field);
    const auto first = std::lower_bound(values_.begin(), values_.end(), event,
                                        [](const store::StoredPrivate& value, model::EventNumber at) { return value.event < at; });
    for (auto value = first; value != values_.end() && value->event == event; ++value) {
      if (value->field == field) return std::optional(*value);
    }
    return std::optional<store::StoredPrivate>();
  }

 private:
  const store::JournalReader& reader_;
  std::vector<store::StoredPrivate> values_;   // by event
  bool loaded_ = false;
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
  std::unique_ptr<ViewProjection> projection(new ViewProjection(reader, std::move(views).value(), std::move(projector), every_transfer));
  projection->rebuilt_ = rebuilt;
  projection->refreshed_ = projection->projector_->positions().balances;
  return projection;
}

std::optional<bool> ViewProjection::made_with_every_transfer(const std::string& path, const store::JournalReader& reader) {
  if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
  for (const bool every_transfer : {false, true}) {
    if (store::open_sqlite_views(path, {.identity = reader.end().journal, .every_transfer = every_transfer}).ok()) return every_transfer;
  }
  return std::nullopt;
}

base::Result<bool> ViewProjection::catch_up() {
  const model::EventNumber from = projector_->positions().rows + 1;
  if (from >= reader_.end().next_event) return false;
  Batch batch;
  model::EventNumber through = from - 1;
  const base::Status walked = reader_.for_each_group(from, {}, [&](const store::GroupView& group) -> base::Status {
    if (through >= from + catch_up_events_per_step) return base::Error{enough, {}};
    Values values(reader_);
    TRY(group.for_each_entry([&](const store::EntryView& view) -> base::Status {
      if (view.first_event < from) return base::ok();
      TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
      if (!any_row(entry, every_transfer_)) return base::ok();
      TRY(values.load(group));
      return take_entry(entry, values, batch);
    }));
    through = group.header.next_event() - 1;
    if (batch.events.size() < batch_events_max) return base::ok();
    TRY(projector_->apply(batch.events, through));
    batch.clear();
    return base::ok();
  });
  const bool more = !walked.ok() && walked.error().code == enough;
  if (!walked.ok() && !more) return walked.error();
  TRY(projector_->apply(batch.events, through));
  TRY(projector_->commit_positions());
  return more;
}

base::Status ViewProjection::take_entry(const model::Entry& entry, const Values& values, Batch& batch) {
  if (!any_row(entry, every_transfer_)) return base::ok();
  batch.entries.push_back(entry);
  const model::Entry& kept = batch.entries.back();
  for (std::size_t i = 0; i < kept.events.size(); ++i) {
    const model::Event& event = kept.events[i];
    if (!has_row(event.body, every_transfer_)) continue;
    const model::EventNumber number = kept.first_event + i;
    store::ProjectedEvent projected{.number = number, .tenant = kept.command.tenant, .event = &event, .name = {}, .reference = {}, .metadata = {}};
    // Keeps a value alive as text and returns a view of it; nothing if there is none or it was erased.
    const auto text_of = [&](model::PrivateField field, bool is_metadata) -> base::Result<std::optional<std::string_view>> {
      TRY_ASSIGN(const auto value, values.find(number, field));
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
    const auto texts_from = [&](const auto& transfer) -> base::Status {
      if (transfer.reference) {
        TRY_ASSIGN(projected.reference, text_of(model::PrivateField::transfer_reference, false));
      }
      if (transfer.metadata) {
        TRY_ASSIGN(projected.metadata, text_of(model::PrivateField::transfer_metadata, true));
      }
      return base::ok();
    };
    if (const auto* held = std::get_if<model::HoldPlaced>(&event.body)) TRY(texts_from(*held));
    if (const auto* posted = std::get_if<model::TransferPosted>(&event.body)) TRY(texts_from(*posted));
    batch.events.push_back(projected);
  }
  return base::ok();
}

// Takes the first of `notable` and, if its group holds enough of them, all that are in it. Returns how many were taken.
base::Result<std::size_t> ViewProjection::project_group(std::span<const model::EventNumber> notable, Batch& batch,
                                                        model::EventNumber& done) {
  TRY_ASSIGN(const store::GroupHeader header, reader_.read_group_header(notable[0]));
  const auto end = std::lower_bound(notable.begin(), notable.end(), header.next_event());
  const auto count = static_cast<std::size_t>(end - notable.begin());
  Values values(reader_);
  if (count < dense) {
    TRY_ASSIGN(const store::StoredEntry stored, reader_.read_entry(notable[0]));
    TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event));
    TRY(take_entry(entry, values, batch));
    done = stored.first_event + stored.event_count - 1;
    return std::size_t{1};
  }
  auto next = notable.begin();
  TRY(reader_.visit_group(notable[0], [&](const store::GroupView& group) -> base::Status {
    TRY(values.load(group));
    return group.for_each_entry([&](const store::EntryView& view) -> base::Status {
      const model::EventNumber last = view.first_event + view.event_count - 1;
      if (next == end || *next > last) return base::ok();
      while (next != end && *next <= last) ++next;
      TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
      done = last;
      return take_entry(entry, values, batch);
    });
  }));
  return count;
}

base::Status ViewProjection::project(const std::vector<model::EventNumber>& notable, model::EventNumber through) {
  Batch batch;
  model::EventNumber done = projector_->positions().rows;
  std::span<const model::EventNumber> left = notable;
  while (!left.empty()) {
    if (left[0] <= done) {   // an entry before it covered this one too
      left = left.subspan(1);
      continue;
    }
    TRY_ASSIGN(const std::size_t taken, project_group(left, batch, done));
    left = left.subspan(taken);
    if (batch.events.size() < batch_events_max) continue;
    TRY(projector_->apply(batch.events, done));
    batch.clear();
  }
  return projector_->apply(batch.events, through);
}

base::Status ViewProjection::begin_refresh(const core::FrozenState& state, model::EventNumber through) {
  std::vector<store::BalanceUpdate> updates;
  model::AccountNumber number = 0;
  for (std::size_t chunk = 0; chunk < state.accounts.chunk_count(); ++chunk) {
    updates.clear();
    for (const core::AccountRecord& account : state.accounts.chunk(chunk)) {
      ++number;
      if (account.last_posting > refreshed_) updates.push_back({number, account.last_posting, account.counters});
    }
    projector_->note_balances(updates);
  }
  refreshing_ = through;
  return projector_->apply({}, through);
}

base::Result<bool> ViewProjection::refresh_step(std::uint32_t rows_max) {
  TRY_ASSIGN(const bool more, projector_->write_balances(rows_max));
  if (more) return true;
  TRY(projector_->commit_positions());
  refreshed_ = refreshing_;
  return false;
}

}  // namespace node
