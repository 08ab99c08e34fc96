#include "model/private_field.h"

#include <algorithm>
#include <array>
#include <utility>

namespace model {
namespace {

struct FieldName {
  std::string_view name;
  PrivateField field;
};
constexpr std::array field_names = {
    FieldName{"tenant_name", PrivateField::tenant_name},
    FieldName{"account_name", PrivateField::account_name},
    FieldName{"account_metadata", PrivateField::account_metadata},
    FieldName{"transfer_reference", PrivateField::transfer_reference},
    FieldName{"transfer_metadata", PrivateField::transfer_metadata},
    FieldName{"client_name", PrivateField::client_name},
    FieldName{"world_account_name", PrivateField::world_account_name},
    FieldName{"transfer_beneficiary", PrivateField::transfer_beneficiary},
    FieldName{"vote_reason", PrivateField::vote_reason},
    FieldName{"rail_reference", PrivateField::rail_reference},
    FieldName{"rail_report", PrivateField::rail_report},
    FieldName{"statement_name", PrivateField::statement_name},
    FieldName{"webhook_url", PrivateField::webhook_url},
    FieldName{"import_findings", PrivateField::import_findings},
    FieldName{"key_responsible", PrivateField::key_responsible},
    FieldName{"key_certificate", PrivateField::key_certificate},
};

using MaybeCommitment = std::optional<Commitment>;

class Fields {
 public:
  void add(PrivateField field, const MaybeCommitment& commitment) {
    if (commitment) fields_.push_back({field, *commitment});
  }

  void operator()(const TenantOpened& body) { add(PrivateField::tenant_name, body.name); }
  void operator()(const AccountOpened& body) {
    add(PrivateField::account_metadata, body.metadata);
    add(PrivateField::account_name, body.name);
    add(PrivateField::world_account_name, body.name);
  }
  void operator()(const TransferPosted& body) { add_transfer(body); }
  void operator()(const HoldPlaced& body) { add_transfer(body); }
  void operator()(const TransferRequested& body) {
    add(PrivateField::transfer_beneficiary, body.beneficiary);
    add_transfer(body);
  }
  void operator()(const ClientCreated& body) { add(PrivateField::client_name, body.name); }
  void operator()(const AttemptReported& body) { add(PrivateField::rail_reference, body.rail_reference); }
  void operator()(const VoteRecorded& body) { add(PrivateField::vote_reason, body.reason); }
  void operator()(const StatementRecorded& body) { add(PrivateField::statement_name, body.name); }
  void operator()(const LineRecorded& body) { add(PrivateField::rail_reference, body.rail_reference); }
  void operator()(const ExceptionVoted& body) { add(PrivateField::vote_reason, body.reason); }
  void operator()(const OrphanRecorded& body) { add(PrivateField::rail_reference, body.rail_reference); }
  void operator()(const WebhookCreated& body) { add(PrivateField::webhook_url, body.url); }
  void operator()(const WebhookChanged& body) { add(PrivateField::webhook_url, body.url); }
  void operator()(const ImportReceived& body) {
    add(PrivateField::import_findings, body.findings);
    add(PrivateField::key_certificate, body.certificate);
    add(PrivateField::key_responsible, body.responsible);
  }
  void operator()(const ImportVoted& body) { add(PrivateField::vote_reason, body.reason); }
  void operator()(const KeyVersionMoved& body) { add(PrivateField::vote_reason, body.reason); }
  void operator()(const auto&) {}

  std::vector<CommittedField> take() { return std::move(fields_); }

 private:
  void add_transfer(const auto& body) {
    add(PrivateField::transfer_metadata, body.metadata);
    add(PrivateField::transfer_reference, body.reference);
  }
  std::vector<CommittedField> fields_;
};

}  // namespace

std::string_view name_of(PrivateField field) {
  const auto found = std::ranges::find(field_names, field, &FieldName::field);
  return found == field_names.end() ? std::string_view() : found->name;
}

std::optional<PrivateField> parse_private_field(std::string_view name) {
  const auto found = std::ranges::find(field_names, name, &FieldName::name);
  if (found == field_names.end()) return std::nullopt;
  return found->field;
}

std::string private_field_names() {
  std::string names;
  for (const FieldName& known : field_names) names.append(names.empty() ? "" : ", ").append(known.name);
  return names;
}

std::vector<CommittedField> committed_fields(const EventBody& body) {
  Fields fields;
  std::visit(fields, body);
  return fields.take();
}

}  // namespace model
