#include "store/views/view_rows.h"

#include <algorithm>

#include "base/text.h"

namespace store {

namespace {

using Limit = std::optional<base::U128>;

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

base::Error damaged(const char* table, std::int64_t number) {
  return {"view_row_damaged", std::string(table) + ": row " + std::to_string(number)};
}

Statement& bind_limit(Statement& to, const Limit& limit) {
  return limit ? to.bind_text(base::to_decimal(*limit)) : to.bind_null();
}

// Collects what is wrong with a row while it is read; the checksum comes last.
class RowReader {
 public:
  RowReader(Statement& at, const char* table) : at_(at), table_(table) { at_.start_checksum(table); }

  template <typename T>
  void number(T& out) {
    const std::int64_t value = at_.integer();
    out = static_cast<T>(value);
    if (static_cast<std::int64_t>(out) != value) good_ = false;
    if (first_) row_ = value;
    first_ = false;
  }
  void instant(base::Instant& out) { out.ns = at_.integer(); }
  void amount(base::U128& out) {
    const auto value = base::parse_decimal(at_.text());
    if (value) {
      out = *value;
    } else {
      good_ = false;
    }
  }
  void limit(Limit& out) {
    out.reset();
    if (const auto text = at_.optional_text()) {
      out = base::parse_decimal(*text);
      if (!out) good_ = false;
    }
  }
  Statement& at() { return at_; }
  base::Status finish() {
    if (at_.checksum_matches() && good_) return base::ok();
    return damaged(table_, row_);
  }

 private:
  Statement& at_;
  const char* table_;
  std::int64_t row_ = 0;
  bool first_ = true;
  bool good_ = true;
};

}  // namespace

base::Status write_row(Statement& replace, const AboutRow& row) {
  replace.start_checksum("about");
  replace.bind(1).bind_text(base::to_hex(row.identity)).bind(row.every_transfer ? 1 : 0);
  replace.bind(signed_of(row.positions.rows)).bind(signed_of(row.positions.balances));
  return replace.bind_checksum().run();
}

base::Status read_row(Statement& at, AboutRow& row) {
  RowReader reader(at, "about");
  int id = 0;
  reader.number(id);
  const auto identity = base::parse_hex(at.text());
  int every_transfer = 0;
  reader.number(every_transfer);
  reader.number(row.positions.rows);
  reader.number(row.positions.balances);
  TRY(reader.finish());
  if (!identity || identity->size() != row.identity.size()) return damaged("about", id);
  std::copy(identity->begin(), identity->end(), row.identity.begin());
  row.every_transfer = every_transfer != 0;
  return base::ok();
}

base::Status write_row(Statement& replace, const TenantRow& row) {
  replace.start_checksum("tenants");
  replace.bind(row.number).bind_text(row.name).bind(signed_of(row.opened_event)).bind(row.opened_at.ns);
  return replace.bind_checksum().run();
}

base::Status read_row(Statement& at, TenantRow& row) {
  RowReader reader(at, "tenants");
  reader.number(row.number);
  row.name = at.text();
  reader.number(row.opened_event);
  reader.instant(row.opened_at);
  return reader.finish();
}

base::Status write_row(Statement& replace, const AssetRow& row) {
  const auto& code = row.asset.code;
  const auto end = std::find(code.begin(), code.end(), '\0');
  replace.start_checksum("assets");
  replace.bind(row.number).bind_text({code.data(), static_cast<std::size_t>(end - code.begin())}).bind(row.asset.scale);
  return replace.bind_checksum().run();
}

base::Status read_row(Statement& at, AssetRow& row) {
  RowReader reader(at, "assets");
  reader.number(row.number);
  const std::string code = at.text();
  reader.number(row.asset.scale);
  TRY(reader.finish());
  if (code.size() > row.asset.code.size()) return damaged("assets", row.number);
  row.asset.code = {};
  std::copy(code.begin(), code.end(), row.asset.code.begin());
  return base::ok();
}

base::Status write_row(Statement& replace, const AccountRow& row) {
  replace.start_checksum("accounts");
  replace.bind(row.number).bind(row.tenant).bind_text(row.name).bind(row.asset).bind(row.flags);
  bind_limit(replace, row.limits.debit_amount_max);
  bind_limit(replace, row.limits.daily_debits_max);
  bind_limit(replace, row.limits.balance_max);
  replace.bind_optional_text(row.metadata).bind(signed_of(row.opened_event)).bind(row.opened_at.ns);
  row.closed_at ? replace.bind(row.closed_at->ns) : replace.bind_null();
  return replace.bind_checksum().run();
}

base::Status read_row(Statement& at, AccountRow& row) {
  RowReader reader(at, "accounts");
  reader.number(row.number);
  reader.number(row.tenant);
  row.name = at.text();
  reader.number(row.asset);
  reader.number(row.flags);
  reader.limit(row.limits.debit_amount_max);
  reader.limit(row.limits.daily_debits_max);
  reader.limit(row.limits.balance_max);
  row.metadata = at.optional_text();
  reader.number(row.opened_event);
  reader.instant(row.opened_at);
  row.closed_at.reset();
  if (const auto ns = at.optional_integer()) row.closed_at = base::Instant{*ns};
  return reader.finish();
}

base::Status write_row(Statement& replace, const BalanceUpdate& row) {
  replace.start_checksum("account_balances");
  replace.bind(row.account);
  replace.bind_text(base::to_decimal(row.counters.debits_posted));
  replace.bind_text(base::to_decimal(row.counters.credits_posted));
  replace.bind_text(base::to_decimal(row.counters.debits_pending));
  replace.bind_text(base::to_decimal(row.counters.credits_pending));
  return replace.bind(signed_of(row.event)).bind_checksum().run();
}

base::Status read_row(Statement& at, BalanceUpdate& row) {
  RowReader reader(at, "account_balances");
  reader.number(row.account);
  reader.amount(row.counters.debits_posted);
  reader.amount(row.counters.credits_posted);
  reader.amount(row.counters.debits_pending);
  reader.amount(row.counters.credits_pending);
  reader.number(row.event);
  return reader.finish();
}

base::Status write_row(Statement& replace, const TransferRow& row) {
  replace.start_checksum("transfers");
  replace.bind(signed_of(row.number)).bind(row.tenant).bind(static_cast<std::int64_t>(row.state));
  replace.bind(row.debit).bind(row.credit).bind(row.asset);
  replace.bind_text(base::to_decimal(row.amount)).bind_text(base::to_decimal(row.captured));
  replace.bind(row.created_at.ns).bind(row.expires_at.ns).bind(signed_of(row.resolved_event)).bind(row.resolved_at.ns);
  return replace.bind_optional_text(row.reference).bind_optional_text(row.metadata).bind_checksum().run();
}

base::Status read_row(Statement& at, TransferRow& row) {
  RowReader reader(at, "transfers");
  reader.number(row.number);
  reader.number(row.tenant);
  int state = 0;
  reader.number(state);
  reader.number(row.debit);
  reader.number(row.credit);
  reader.number(row.asset);
  reader.amount(row.amount);
  reader.amount(row.captured);
  reader.instant(row.created_at);
  reader.instant(row.expires_at);
  reader.number(row.resolved_event);
  reader.instant(row.resolved_at);
  row.reference = at.optional_text();
  row.metadata = at.optional_text();
  TRY(reader.finish());
  if (state < 1 || state > static_cast<int>(TransferState::expired)) return damaged("transfers", signed_of(row.number));
  row.state = static_cast<TransferState>(state);
  return base::ok();
}

base::Status write_row(Statement& replace, const SagaRow& row) {
  replace.start_checksum("sagas");
  replace.bind(signed_of(row.number)).bind(row.tenant).bind(static_cast<std::int64_t>(row.kind));
  replace.bind(static_cast<std::int64_t>(row.state)).bind(row.account).bind(row.since.ns);
  return replace.bind_checksum().run();
}

base::Status read_row(Statement& at, SagaRow& row) {
  RowReader reader(at, "sagas");
  int kind = 0, state = 0;
  reader.number(row.number);
  reader.number(row.tenant);
  reader.number(kind);
  reader.number(state);
  reader.number(row.account);
  reader.instant(row.since);
  TRY(reader.finish());
  if (kind < 1 || kind > static_cast<int>(model::TransferKind::recall) || state < 1 ||
      state > static_cast<int>(model::transfer_state_count)) {
    return damaged("sagas", signed_of(row.number));
  }
  row.kind = static_cast<model::TransferKind>(kind);
  row.state = static_cast<model::TransferState>(state);
  return base::ok();
}

base::Status write_row(Statement& replace, const SagaStepRow& row) {
  replace.start_checksum("saga_steps");
  return replace.bind(signed_of(row.saga)).bind(signed_of(row.event)).bind_checksum().run();
}

base::Status read_row(Statement& at, SagaStepRow& row) {
  RowReader reader(at, "saga_steps");
  reader.number(row.saga);
  reader.number(row.event);
  return reader.finish();
}

base::Status write_row(Statement& replace, const ImportStepRow& row) {
  replace.start_checksum("import_steps");
  return replace.bind(signed_of(row.import)).bind(signed_of(row.event)).bind_checksum().run();
}

base::Status read_row(Statement& at, ImportStepRow& row) {
  RowReader reader(at, "import_steps");
  reader.number(row.import);
  reader.number(row.event);
  return reader.finish();
}

base::Status write_row(Statement& replace, const KeyVersionRow& row) {
  replace.start_checksum("key_versions");
  return replace.bind(row.key).bind(row.version).bind(signed_of(row.import)).bind_checksum().run();
}

base::Status read_row(Statement& at, KeyVersionRow& row) {
  RowReader reader(at, "key_versions");
  reader.number(row.key);
  reader.number(row.version);
  reader.number(row.import);
  return reader.finish();
}

base::Status write_row(Statement& replace, const ClientRow& row) {
  replace.start_checksum("clients");
  replace.bind(row.number).bind(row.tenant).bind(static_cast<std::int64_t>(row.kind)).bind(row.scopes);
  replace.bind_text(row.name).bind(signed_of(row.created_event)).bind(row.created_at.ns).bind(row.revoked_at.ns);
  return replace.bind_checksum().run();
}

base::Status read_row(Statement& at, ClientRow& row) {
  RowReader reader(at, "clients");
  reader.number(row.number);
  reader.number(row.tenant);
  int kind = 0;
  reader.number(kind);
  reader.number(row.scopes);
  row.name = at.text();
  reader.number(row.created_event);
  reader.instant(row.created_at);
  reader.instant(row.revoked_at);
  TRY(reader.finish());
  if (kind != 1 && kind != 2) return damaged("clients", row.number);
  row.kind = static_cast<model::PrincipalKind>(kind);
  return base::ok();
}

}  // namespace store
