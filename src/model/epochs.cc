#include "model/epochs.h"

#include <algorithm>

#include "base/check.h"
#include "model/webhook.h"

namespace model {

namespace {

// An id up to the hyphen of its epoch, and what follows it, the hyphen included.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t hyphen = text.find('-');
  return {text.substr(0, hyphen), hyphen == std::string_view::npos ? std::string_view{} : text.substr(hyphen)};
}

std::string suffix_of(Epoch epoch) { return epoch == 1 ? std::string() : "-" + std::to_string(epoch); }

}  // namespace

void Epochs::begin(Epoch epoch, EventNumber first) {
  CHECK(epoch > 1 && first != 0);
  CHECK_THAT(later_.empty() || (epoch > later_.back().epoch && first > later_.back().first), "epochs only grow");
  later_.push_back({epoch, first});
}

Epoch Epochs::of(EventNumber event) const {
  const auto after = std::upper_bound(later_.begin(), later_.end(), event, [](EventNumber number, const EpochStart& start) { return number < start.first; });
  return after == later_.begin() ? 1 : std::prev(after)->epoch;
}

std::string Epochs::reference(PartitionNumber partition, EventNumber event) const {
  return transfer_id(partition, event) + suffix_of(of(event));
}

EventNumber Epochs::event_of_reference(PartitionNumber partition, std::string_view reference) const {
  const auto [text, suffix] = split(reference);
  const auto id = parse_transfer_id(text);
  return id && id->partition == partition && suffix == suffix_of(of(id->event)) ? id->event : 0;
}

std::string Epochs::message_id(PartitionNumber partition, EventNumber event) const {
  return webhook_message_id(partition, event) + suffix_of(of(event));
}

EventNumber Epochs::event_of_message(PartitionNumber partition, std::string_view id) const {
  const auto [text, suffix] = split(id);
  const auto event = parse_webhook_message_id(text);
  return event && webhook_message_id(partition, *event) == text && suffix == suffix_of(of(*event)) ? *event : 0;
}

}  // namespace model
