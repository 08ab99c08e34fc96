// Replies to reads.

#include "edge/render_parts.h"
#include "model/account.h"

namespace edge {

using wire::JsonWriter;

namespace {

void write_account_reading(JsonWriter& json, const AccountReading& account) {
  json.begin_object();
  json.member("id", std::string_view(account.name));
  json.member("asset", std::string_view(model::to_text(account.asset)));
  write_flags(json, account.flags);
  write_limits(json, account.limits);
  write_counters(json, account.counters);
  write_metadata(json, account.metadata);
  write_instant(json, "opened_at", account.opened_at);
  json.end_object();
}

void write_transfer_reading(JsonWriter& json, const Backend& backend, const TransferReading& transfer) {
  const EventAt created = event_of(transfer.created);
  json.begin_object();
  if (std::holds_alternative<model::TransferRequested>(created.event.body)) {
    std::vector<EventAt> steps{created};
    for (const AnswerItem& step : transfer.steps) steps.push_back(event_of(step));
    write_saga(json, backend, steps);
  } else if (transfer.resolved) {
    const EventAt resolved = event_of(*transfer.resolved);
    write_transfer(json, backend, created, transfer.state, &resolved);
  } else {
    write_transfer(json, backend, created, transfer.state, nullptr);
  }
  json.end_object();
}

struct ReadingWriter {
  const RenderContext& context;
  std::string& out;
  JsonWriter json{out};

  template <typename Items, typename Write>
  void list(const Items& items, const std::string& next_cursor, Write write) {
    json.begin_object();
    json.key("items");
    json.begin_array();
    for (const auto& item : items) write(item);
    json.end_array();
    if (!next_cursor.empty()) json.member("next_cursor", std::string_view(next_cursor));
    json.end_object();
  }

  Rendered operator()(const ReadRefused& refused) {
    return render_problem({.outcome = refused.outcome, .detail = refused.detail, .trace = context.trace, .fields = {}},
                          out);
  }
  Rendered operator()(const AccountReading& account) {
    write_account_reading(json, account);
    return {};
  }
  Rendered operator()(const TransferReading& transfer) {
    write_transfer_reading(json, context.backend, transfer);
    return {};
  }
  Rendered operator()(const AccountsPage& page) {
    const std::string next = page.next.empty() ? std::string() : gate::to_cursor(gate::ListKind::accounts, page.next);
    list(page.accounts, next, [&](const AccountReading& account) { write_account_reading(json, account); });
    return {};
  }
  Rendered operator()(const TransfersPage& page) {
    const gate::ListKind kind = page.by_age ? gate::ListKind::transfers_by_age : gate::ListKind::transfers;
    const std::string next = page.next == 0 ? std::string() : gate::to_cursor(kind, page.next);
    list(page.transfers, next,
         [&](const TransferReading& transfer) { write_transfer_reading(json, context.backend, transfer); });
    return {};
  }
  Rendered operator()(const HistoryPage& page) {
    const std::string next =
        page.next == 0 ? std::string() : gate::to_cursor(gate::ListKind::account_history, page.next);
    list(page.events, next, [&](const AnswerItem& item) {
      json.begin_object();
      write_posting(json, context.backend, event_of(item), page.number);
      json.end_object();
    });
    return {};
  }
  Rendered operator()(const RailReading& rail) {
    write_rail_reading(json, context.backend, rail);
    return {};
  }
  Rendered operator()(const RailsReading& reading) {
    list(reading.rails, {}, [&](const RailReading& rail) { write_rail_reading(json, context.backend, rail); });
    return {};
  }
  Rendered operator()(const StatementsPage& page) {
    const std::string next = page.next == 0 ? std::string() : gate::to_cursor(gate::ListKind::reconciliations, page.next);
    list(page.statements, next, [&](const StatementReading& statement) {
      json.begin_object();
      write_statement(json, statement);
      json.end_object();
    });
    return {};
  }
  Rendered operator()(const ReconciliationReading& reading) {
    json.begin_object();
    write_statement(json, reading.statement);
    json.key("exceptions");
    json.begin_array();
    for (const ExceptionReading& exception : reading.exceptions) write_exception(json, context.backend, exception);
    json.end_array();
    if (reading.next != 0) json.member("next_cursor", std::string_view(gate::to_cursor(gate::ListKind::exceptions, reading.next)));
    json.end_object();
    return {};
  }
  Rendered operator()(const ImportReading& import) {
    write_import_reading(json, import);
    return {};
  }
  Rendered operator()(const KeyReading& key) {
    write_key_reading(json, key);
    return {};
  }
  Rendered operator()(const KeyVersionsReading& reading) {
    list(reading.versions, {}, [&](const KeyVersionReading& version) { write_version_reading(json, version); });
    return {};
  }
  Rendered operator()(const KeysPage& page) {
    const std::string next = page.next == 0 ? std::string() : gate::to_cursor(gate::ListKind::keys, model::EventNumber{page.next});
    list(page.keys, next, [&](const KeyReading& key) { write_key_reading(json, key); });
    return {};
  }
  Rendered operator()(const WalletDerivationReading& derived) { return write_wallet_derivation(json, context.trace, derived); }
  Rendered operator()(const WalletReading& wallet) {
    write_wallet_reading(json, wallet);
    return {};
  }
  Rendered operator()(const WalletsPage& page) {
    const std::string next = page.next == 0 ? std::string() : gate::to_cursor(gate::ListKind::wallets, model::EventNumber{page.next});
    list(page.wallets, next, [&](const WalletReading& wallet) { write_wallet_reading(json, wallet); });
    return {};
  }
  Rendered operator()(const WebhookReading& webhook) {
    write_webhook_reading(json, webhook);
    return {};
  }
  Rendered operator()(const WebhooksReading& reading) {
    list(reading.webhooks, {}, [&](const WebhookReading& webhook) { write_webhook_reading(json, webhook); });
    return {};
  }
  Rendered operator()(const DeliveriesPage& page) {
    const std::string next = page.next == 0 ? std::string() : gate::to_cursor(gate::ListKind::webhook_deliveries, page.next);
    list(page.attempts, next, [&](const DeliveryReading& attempt) { write_delivery(json, context.backend, attempt); });
    return {};
  }
  Rendered operator()(const WebhookTestReading& test) {
    write_webhook_test(json, test);
    return {};
  }
  Rendered operator()(const WebhookResendReading& resend) {
    json.begin_object();
    json.member("messages", resend.messages);
    json.end_object();
    return {.status = 202, .outcome = model::Outcome::done, .location = {}};
  }
  Rendered operator()(const DocumentReading& document) {
    out.append(document.body);
    return {};
  }
  Rendered operator()(const TrialBalanceReading& balance) {
    bool balanced = true;
    json.begin_object();
    json.key("rows");
    json.begin_array();
    for (const TrialBalanceRow& row : balance.rows) {
      balanced = balanced && row.balanced;
      json.begin_object();
      json.member("asset", std::string_view(model::to_text(row.asset)));
      json.member("accounts", row.accounts);
      write_amount(json, "debits_posted", row.totals.debits_posted);
      write_amount(json, "credits_posted", row.totals.credits_posted);
      write_amount(json, "debits_pending", row.totals.debits_pending);
      write_amount(json, "credits_pending", row.totals.credits_pending);
      json.member("balanced", row.balanced);
      json.end_object();
    }
    json.end_array();
    json.member("balanced", balanced);
    json.end_object();
    return {};
  }
};

}  // namespace

Rendered render_reading(const RenderContext& context, const Reading& reading, std::string& out) {
  return std::visit(ReadingWriter{context, out}, reading.body);
}

}  // namespace edge
