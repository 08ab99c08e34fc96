#include "sim/workload.h"

#include <algorithm>

namespace sim {

namespace {

constexpr std::size_t remembered_max = 400;
constexpr std::array codes{"USD", "EUR", "JPY", "XAU"};

}  // namespace

model::Asset Workload::asset(std::uint32_t index) const {
  return model::parse_asset(std::string(codes[index % codes.size()]) + "/" + std::to_string(index % 3)).value();
}

std::string Workload::account_name(std::uint32_t index) const { return "users/" + std::to_string(index); }
std::string Workload::reference(std::uint64_t index) const { return "invoice " + std::to_string(index); }
std::string Workload::new_key() { return "key-" + std::to_string(++serial_); }

std::shared_ptr<Request> Workload::begin(Kind kind) {
  auto request = std::make_shared<Request>();
  request->kind = kind;
  request->tenant = static_cast<model::TenantNumber>(1 + random_.below(shape_.tenants));
  request->principal = static_cast<model::PrincipalNumber>(1 + random_.below(shape_.clients));
  request->key = new_key();
  return request;
}

// Tenants, assets and some accounts come first; a few of these requests fail because they overtake each other.
std::shared_ptr<const Request> Workload::founding() {
  const std::uint32_t step = founded_++;
  const std::uint32_t tenants = shape_.tenants - 1, assets = shape_.assets * shape_.tenants;
  if (step < tenants) {
    auto request = begin(Kind::open_tenant);
    request->tenant = 1;
    request->name = "tenant-" + std::to_string(step + 2);
    return request;
  }
  const std::uint32_t place = step - tenants;
  auto request = begin(place < assets ? Kind::register_asset : Kind::open_account);
  request->tenant = 1 + place % shape_.tenants;
  if (place < assets) {
    request->asset = asset(place / shape_.tenants);
  } else {
    const std::uint32_t index = (place - assets) / shape_.tenants;
    request->name = account_name(index);
    request->asset = asset(index % shape_.assets);
    if (index % 7 == 6) request->flags = model::credits_must_not_exceed_debits;
    if (index % 7 == 5) request->flags = 0;
    if (index % 5 == 4) request->limits = limits();
  }
  return request;
}

base::U128 Workload::amount() {
  if (percent(2)) return base::amount_max - random_.below(3);
  if (percent(2)) return random_.below(2) == 0 ? 0 : base::make_u128(random_.next() >> 2, random_.next());
  return 1 + random_.below(percent(20) ? 100'000 : 900);
}

model::AccountLimits Workload::limits() {
  model::AccountLimits limits;
  if (percent(50)) limits.debit_amount_max = 1 + random_.below(5'000);
  if (percent(50)) limits.daily_debits_max = 1 + random_.below(60'000);
  if (percent(50)) limits.balance_max = 1 + random_.below(200'000);
  return limits;
}

std::string Workload::any_account() {
  if (percent(shape_.hot_percent)) return account_name(0);
  if (percent(25)) return "world/" + std::string(codes[random_.below(shape_.assets)]);
  if (percent(2)) return "nobody/here";
  return account_name(static_cast<std::uint32_t>(random_.below(shape_.accounts)));
}

model::EventNumber Workload::any_hold(const Twin& twin) {
  const auto& holds = twin.placed_holds();
  if (holds.empty() || percent(5)) return 1 + random_.below(twin.position() + 5);
  // Mostly a young one, which may still be open.
  const std::size_t back = percent(80) ? random_.below(std::min<std::size_t>(holds.size(), 12)) : random_.below(holds.size());
  return holds[holds.size() - 1 - back];
}

void Workload::add_movement(Request& request, bool in_batch, const Twin& twin) {
  Movement movement;
  movement.key = in_batch ? new_key() : std::exchange(request.key, "");
  const auto index = static_cast<std::uint32_t>(random_.below(shape_.assets));
  movement.asset = asset(percent(3) ? static_cast<std::uint32_t>(random_.below(codes.size())) : index);
  // Accounts of one asset for the most part, and money comes in from the world.
  const auto of_asset = [&]() -> std::string {
    if (percent(4)) return any_account();
    if (percent(shape_.hot_percent) && index == 0) return account_name(0);
    const auto count = std::max<std::uint32_t>(shape_.accounts / shape_.assets, 1);
    return account_name(static_cast<std::uint32_t>(random_.below(count)) * shape_.assets + index);
  };
  movement.debit = percent(35) ? "world/" + std::string(codes[index]) : of_asset();
  movement.credit = percent(8) ? "world/" + std::string(codes[index]) : of_asset();
  movement.amount = amount();
  movement.hold = percent(30);
  if (movement.hold && percent(70)) movement.hold_seconds = static_cast<std::int64_t>(percent(3) ? 500 * 86'400 : 1 + random_.below(percent(50) ? 20 : 3'000));
  if (percent(25)) movement.reference = reference(random_.below(60 + twin.position() / 20));
  if (percent(15)) movement.note = "note " + std::to_string(random_.below(1000));
  request.movements.push_back(std::move(movement));
}

std::shared_ptr<const Request> Workload::altered(const Request& request) {
  auto changed = std::make_shared<Request>(request);
  if (!changed->movements.empty()) {
    Movement& movement = changed->movements[random_.below(changed->movements.size())];
    switch (random_.below(6)) {
      case 0: movement.amount = 1 + random_.below(1000); break;
      case 1: movement.reference += "x"; break;
      case 2: movement.credit = any_account(); break;
      case 3: movement.key = new_key(); break;                  // a group or batch that was seen in part
      case 4: changed->movements.resize(1); [[fallthrough]];
      default: movement.note = "another"; break;
    }
    if (changed->kind == Kind::batch && percent(60)) changed->key = new_key();
    return changed;
  }
  switch (request.kind) {
    case Kind::capture: changed->amount = 1 + random_.below(1000); break;
    case Kind::void_hold: changed->hold += 1; break;
    case Kind::set_limits: changed->limits = limits(); break;
    case Kind::change_flags: changed->action = gate::FlagAction::close; break;
    default: changed->name += "x"; break;
  }
  return changed;
}

void Workload::answered(std::shared_ptr<const Request> request) {
  sent_.push_back(std::move(request));
  if (sent_.size() > remembered_max) sent_.erase(sent_.begin() + static_cast<std::ptrdiff_t>(random_.below(sent_.size())));
}

std::shared_ptr<const Request> Workload::next(const Twin& twin) {
  if (!unanswered_.empty() && percent(40)) {
    const std::size_t place = random_.below(unanswered_.size());   // in another order than they were sent
    auto request = unanswered_[place];
    unanswered_.erase(unanswered_.begin() + static_cast<std::ptrdiff_t>(place));
    return request;
  }
  const std::uint32_t founding_steps = shape_.tenants - 1 + shape_.assets * shape_.tenants + shape_.accounts * shape_.tenants;
  if (founded_ < founding_steps && (founded_ < 12 || percent(30))) return founding();
  if (!sent_.empty() && percent(shape_.repeat_percent)) {
    const auto& request = sent_[random_.below(sent_.size())];
    return percent(shape_.altered_percent) ? altered(*request) : request;
  }
  const std::uint64_t dice = random_.below(1000);
  if (dice < 560) {
    auto request = begin(Kind::transfer);
    if (percent(3)) {                       // the process's own, without a key
      request->principal = 0;
      if (percent(50)) request->key.clear();
    }
    add_movement(*request, false, twin);
    return request;
  }
  if (dice < 700) {
    auto request = begin(Kind::batch);
    if (percent(30)) request->key.clear();
    const std::size_t items = 1 + random_.below(shape_.batch_items_max);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < items; ++i) {
      add_movement(*request, true, twin);
      if (percent(40)) {
        if (i == 0 || request->movements[i - 1].group == 0) ++group;
        request->movements[i].group = group;
      }
    }
    if (items > 1 && percent(10) && !sent_.empty()) {   // one key that was used before
      const auto& old = sent_[random_.below(sent_.size())];
      if (old->kind == Kind::transfer && !old->movements[0].key.empty()) {
        request->tenant = old->tenant;
        request->principal = old->principal;
        const std::uint32_t keep = request->movements[0].group;
        request->movements[0] = old->movements[0];
        request->movements[0].group = keep;
      }
    }
    return request;
  }
  if (dice < 860) {
    auto request = begin(dice < 790 ? Kind::capture : Kind::void_hold);
    request->hold = std::max<model::EventNumber>(any_hold(twin), 1);
    if (request->kind == Kind::capture && percent(50)) request->amount = percent(5) ? 0 : 1 + random_.below(900);
    return request;
  }
  if (dice < 890) {
    auto request = begin(Kind::change_flags);
    request->name = percent(70) ? account_name(static_cast<std::uint32_t>(random_.below(shape_.accounts))) : any_account();
    request->action = percent(30) ? gate::FlagAction::freeze : percent(90) ? gate::FlagAction::unfreeze : gate::FlagAction::close;
    if (request->action != gate::FlagAction::close && percent(50)) (percent(50) ? request->debits : request->credits) = false;
    return request;
  }
  if (dice < 910) {
    auto request = begin(Kind::set_limits);
    request->name = any_account();
    if (percent(70)) request->limits = limits();
    return request;
  }
  if (dice < 940) {
    auto request = begin(Kind::open_account);
    request->name = account_name(static_cast<std::uint32_t>(random_.below(shape_.accounts * 2)));
    request->asset = asset(static_cast<std::uint32_t>(random_.below(shape_.assets + 1)));
    request->flags = static_cast<model::AccountFlags>(percent(80) ? 1 : random_.below(4));
    if (percent(30)) request->limits = limits();
    if (percent(30)) request->note = "opened late";
    return request;
  }
  if (dice < 975) {
    auto request = begin(Kind::cancel_key);
    if (!sent_.empty() && percent(50)) {
      const auto& old = sent_[random_.below(sent_.size())];
      const KeyName key = old->kind == Kind::batch && !old->key.empty() ? batch_key_of(*old) : key_of(*old, 0);
      if (!key.text.empty() && key.operation != model::Operation::cancel_key) {
        request->tenant = key.tenant;
        request->principal = key.principal;
        request->cancelled_operation = key.operation;
        request->cancelled_key = key.text;
        return request;
      }
    }
    // A key that will be used soon: the next transfer under it must find it burnt.
    request->cancelled_key = "key-" + std::to_string(serial_ + 1 + random_.below(30));
    return request;
  }
  auto request = begin(dice < 985 ? Kind::create_client : dice < 995 ? Kind::rotate_client : Kind::revoke_client);
  request->name = "client " + std::to_string(serial_);
  request->client = static_cast<model::PrincipalNumber>(1 + random_.below(twin.client_count() + 2));
  request->overlap_seconds = static_cast<std::int64_t>(random_.below(3) * 3'600);
  return request;
}

}  // namespace sim
