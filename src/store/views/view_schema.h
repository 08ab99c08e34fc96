#pragma once
// The tables (docs/format/views.md). One place, so that schema, reading and writing are read side by side with view_rows.cc.

namespace store {

constexpr int view_schema_version = 3;
constexpr int view_application_id = 0x48464C56;   ///< "HFLV" in the file's header: `file` and SQL tools can tell

constexpr const char* view_schema = R"sql(
CREATE TABLE about (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  identity TEXT NOT NULL,
  every_transfer INTEGER NOT NULL,
  rows_event INTEGER NOT NULL,
  balances_event INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;

CREATE TABLE tenants (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  opened_event INTEGER NOT NULL,
  opened_at_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;

CREATE TABLE assets (
  number INTEGER PRIMARY KEY,
  code TEXT NOT NULL,
  scale INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;

CREATE TABLE accounts (
  number INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  name TEXT NOT NULL,
  asset INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  debit_amount_max TEXT,
  daily_debits_max TEXT,
  balance_max TEXT,
  metadata TEXT,
  opened_event INTEGER NOT NULL,
  opened_at_ns INTEGER NOT NULL,
  closed_at_ns INTEGER,
  checksum INTEGER NOT NULL) STRICT;
CREATE INDEX accounts_of_tenant ON accounts (tenant, number);
CREATE INDEX accounts_by_name ON accounts (tenant, name);
CREATE INDEX accounts_by_asset ON accounts (tenant, asset, number);
CREATE INDEX accounts_frozen_for_debits ON accounts (tenant, number) WHERE flags & 4;
CREATE INDEX accounts_frozen_for_credits ON accounts (tenant, number) WHERE flags & 8;
CREATE INDEX accounts_closed ON accounts (tenant, number) WHERE flags & 16;

CREATE TABLE account_balances (
  number INTEGER PRIMARY KEY,
  debits_posted TEXT NOT NULL,
  credits_posted TEXT NOT NULL,
  debits_pending TEXT NOT NULL,
  credits_pending TEXT NOT NULL,
  as_of_event INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;

CREATE TABLE transfers (
  number INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  state INTEGER NOT NULL,
  debit INTEGER NOT NULL,
  credit INTEGER NOT NULL,
  asset INTEGER NOT NULL,
  amount TEXT NOT NULL,
  captured TEXT NOT NULL,
  created_at_ns INTEGER NOT NULL,
  expires_at_ns INTEGER NOT NULL,
  resolved_event INTEGER NOT NULL,
  resolved_at_ns INTEGER NOT NULL,
  reference TEXT,
  metadata TEXT,
  checksum INTEGER NOT NULL) STRICT;
CREATE INDEX transfers_by_state ON transfers (tenant, state, number);
CREATE INDEX transfers_by_debit ON transfers (debit, state, number);
CREATE INDEX transfers_by_credit ON transfers (credit, state, number);
CREATE INDEX transfers_by_reference ON transfers (tenant, reference, number) WHERE reference IS NOT NULL;

CREATE TABLE sagas (
  number INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  account INTEGER NOT NULL,
  since_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;
CREATE INDEX sagas_by_state ON sagas (tenant, state, number);

CREATE TABLE saga_steps (
  saga INTEGER NOT NULL,
  event INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (saga, event)) STRICT, WITHOUT ROWID;

CREATE TABLE import_steps (
  import INTEGER NOT NULL,
  event INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (import, event)) STRICT, WITHOUT ROWID;

CREATE TABLE key_versions (
  key INTEGER NOT NULL,
  version INTEGER NOT NULL,
  import INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (key, version)) STRICT, WITHOUT ROWID;

CREATE TABLE clients (
  number INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  scopes INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_event INTEGER NOT NULL,
  created_at_ns INTEGER NOT NULL,
  revoked_at_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;
CREATE INDEX clients_of_tenant ON clients (tenant, number);
)sql";

}  // namespace store
