#include "model/private_field.h"

#include <algorithm>

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("every private field has one name, and no other name is one") {
  for (const PrivateField field : {PrivateField::tenant_name, PrivateField::account_name, PrivateField::account_metadata, PrivateField::transfer_reference,
                                   PrivateField::transfer_metadata, PrivateField::client_name, PrivateField::world_account_name,
                                   PrivateField::transfer_beneficiary, PrivateField::vote_reason, PrivateField::rail_reference, PrivateField::rail_report,
                                   PrivateField::statement_name, PrivateField::webhook_url, PrivateField::import_findings, PrivateField::key_responsible,
                                   PrivateField::key_certificate}) {
    REQUIRE_FALSE(name_of(field).empty());
    CHECK(parse_private_field(name_of(field)) == field);
    CHECK(private_field_names().find(name_of(field)) != std::string::npos);
  }
  CHECK_FALSE(parse_private_field("moon").has_value());
  CHECK_FALSE(parse_private_field("").has_value());
}

TEST_CASE("what an event commits to is listed by name, and what it leaves out is not") {
  const auto names = [](const EventBody& body) {
    std::string text;
    for (const CommittedField& field : committed_fields(body)) text.append(text.empty() ? "" : " ").append(name_of(field.field));
    return text;
  };
  TransferRequested requested;
  CHECK(names(requested).empty());
  requested.beneficiary = requested.reference = requested.metadata = Commitment{1};
  CHECK(names(requested) == "transfer_beneficiary transfer_metadata transfer_reference");
  requested.metadata.reset();
  CHECK(names(requested) == "transfer_beneficiary transfer_reference");
  AccountOpened opened;
  opened.metadata = Commitment{2};
  CHECK(names(opened) == "account_metadata account_name world_account_name");
  ImportReceived received;
  received.findings = Commitment{3};
  received.responsible = Commitment{4};
  received.certificate = Commitment{5};
  CHECK(names(received) == "import_findings key_certificate key_responsible");
  const auto fields = committed_fields(received);
  REQUIRE(fields.size() == 3);
  CHECK(name_of(fields[0].field) == "import_findings");
  CHECK(fields[0].commitment == Commitment{3});
  CHECK(fields[1].commitment == Commitment{5});
  CHECK(names(ClockConfirmed{}).empty());
}
