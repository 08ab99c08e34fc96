#include "sim/comparison.h"

#include "crypto/hash.h"

namespace sim {

namespace {

gate::TransferRequest transfer_of(const Movement& movement) {
  return {.key = movement.key,
          .debit_account = movement.debit,
          .credit_account = movement.credit,
          .asset = movement.asset,
          .amount = movement.amount,
          .hold = movement.hold,
          .hold_for = base::seconds(movement.hold_seconds),
          .reference = movement.reference,
          .metadata = metadata_of(movement.note),
          .group = movement.group};
}

gate::RequestBody body_of(const Request& request) {
  switch (request.kind) {
    case Kind::open_tenant: return gate::TenantOpening{request.name};
    case Kind::register_asset: return gate::AssetRegistration{request.asset};
    case Kind::open_account:
      return gate::AccountOpening{.name = request.name, .asset = request.asset, .flags = request.flags, .limits = request.limits,
                                  .metadata = metadata_of(request.note)};
    case Kind::change_flags:
      return gate::AccountFlagChange{.name = request.name, .action = request.action, .debits = request.debits, .credits = request.credits};
    case Kind::set_limits: return gate::AccountLimitChange{.name = request.name, .limits = request.limits};
    case Kind::transfer:
    case Kind::batch: break;
    case Kind::capture: return gate::Capture{.hold = {0, request.hold}, .amount = request.amount};
    case Kind::void_hold: return gate::Voiding{.hold = {0, request.hold}};
    case Kind::cancel_key: return gate::KeyCancellation{.operation = request.cancelled_operation, .key = request.cancelled_key};
    case Kind::create_client:
      return gate::ClientCreation{.name = request.name, .kind = request.person ? model::PrincipalKind::person : model::PrincipalKind::service, .scopes = request.scopes};
    case Kind::rotate_client: return gate::ClientRotation{.client = request.client, .overlap = base::seconds(request.overlap_seconds)};
    case Kind::revoke_client: return gate::ClientRevocation{request.client};
    case Kind::configure_rail: return gate::RailConfiguration{.name = request.name, .asset = request.asset, .profile = request.profile};
    case Kind::control_rail:
      return gate::RailControl{.name = request.name, .action = request.rail_action, .from = request.from, .until = request.until};
    case Kind::payout:
    case Kind::collect:
      return gate::RailTransferRequest{.kind = request.kind == Kind::payout ? model::TransferKind::payout : model::TransferKind::collect,
                                       .account = request.name,
                                       .asset = request.asset,
                                       .amount = request.amount.value_or(0),
                                       .rail = request.rail,
                                       .beneficiary = beneficiary_of(request),
                                       .send_within = base::seconds(request.send_within_seconds),
                                       .reference = request.reference,
                                       .metadata = metadata_of(request.note)};
    case Kind::cancel_transfer: return gate::TransferCancellation{{0, request.transfer}};
    case Kind::review: return gate::TransferReview{.transfer = {0, request.transfer}, .approve = request.approve, .reason = request.reason};
    case Kind::resolve: return gate::UnknownResolution{.transfer = {0, request.transfer}, .verdict = request.verdict, .reason = request.reason};
    case Kind::refund:
      return gate::Refund{.original = {0, request.transfer}, .amount = request.amount, .reference = request.reference, .metadata = metadata_of(request.note)};
    case Kind::report: break;
  }
  return transfer_of(request.movements[0]);
}

}  // namespace

std::variant<model::Admitted, gate::Refusal> admit(gate::Gate& gate, const gate::Sender& sender, const Request& request) {
  if (request.kind == Kind::report) {
    gate::RailReport report = request.report;
    report.trace = sender.trace;
    return gate.admit_report(report);
  }
  if (request.kind == Kind::batch) {
    std::vector<gate::TransferRequest> transfers;
    for (const Movement& movement : request.movements) transfers.push_back(transfer_of(movement));
    return gate.admit_transfers(sender, transfers, request.key);
  }
  return gate.admit_body(sender, request.movements.empty() ? request.key : request.movements[0].key, body_of(request));
}

base::Digest digest_of(const core::State& state) {
  const core::FrozenState frozen = state.freeze();
  crypto::Sha256 hash;
  for (std::size_t i = 0; i < core::state_section_count; ++i) {
    const auto section = static_cast<core::StateSection>(i);
    hash.update(base::as_bytes(core::name_of(section)));
    frozen.for_each_piece(section, [&](base::ByteView piece) { hash.update(piece); });
  }
  return hash.finish();
}

std::uint64_t hash_of(base::ByteView bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

}  // namespace sim
